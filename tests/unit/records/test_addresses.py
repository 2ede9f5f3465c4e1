"""What is read from the bytes of an address is what `ipaddress` says of it."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.records import address, address_text, reach

MAPPED = bytes(10) + b"\xff\xff"
RAW = st.binary(min_size=16, max_size=16) | st.binary(min_size=4, max_size=4).map(MAPPED.__add__)


def _raw(text: str) -> bytes:
    one = ip_address(text)
    return one.packed if one.version == 6 else MAPPED + one.packed


@given(RAW)
def test_text_of_an_address(raw: bytes) -> None:
    """The short way to the text of an address gives the text that the long way gives."""
    assert address_text(raw) == str(address(raw))


@given(st.binary(min_size=4, max_size=4))
def test_reach_of_ipv4(raw: bytes) -> None:
    """An IPv4 address is public where `ipaddress` calls it global; of 192.0.0.0/24 versions of Python disagree."""
    one = ip_address(raw)
    if raw[:3] != bytes([192, 0, 0]):
        assert reach(MAPPED + raw) == ("loopback" if one.is_loopback else "public" if one.is_global else "private")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "private"),  # noqa: S104 -- an example.
        ("10.255.1.1", "private"),
        ("100.64.0.1", "private"),
        ("100.128.0.1", "public"),
        ("169.254.7.7", "private"),
        ("172.31.0.1", "private"),
        ("172.32.0.1", "public"),
        ("192.0.2.1", "private"),
        ("192.168.0.1", "private"),
        ("192.169.0.1", "public"),
        ("198.19.1.1", "private"),
        ("203.0.113.9", "private"),
        ("203.0.114.9", "public"),
        ("255.255.255.255", "private"),
        ("8.8.8.8", "public"),
        ("::", "private"),
        ("fe80::1", "private"),
        ("fd00::1", "private"),
        ("fec0::1", "public"),
        ("2001:db8::1", "private"),
        ("2001:db9::1", "public"),
        ("2600::1", "public"),
    ],
)
def test_reach(text: str, expected: str) -> None:
    """The blocks of the special-purpose registries end where they end."""
    assert reach(_raw(text)) == expected
