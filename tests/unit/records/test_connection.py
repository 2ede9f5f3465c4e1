"""What the records of connections say beyond their fields."""

from ipaddress import ip_address

import pytest

from pyloader.records import Direction, Outcome, address
from tests.unit.examples import closed_record, datagram_record, listening_record, opened_record


def test_addresses_are_shown_as_what_they_are() -> None:
    """An IPv4 address that stands mapped in a record is shown as IPv4, whatever the family of the socket."""
    for record in (opened_record(), closed_record(), datagram_record()):
        assert (ip_address("192.0.2.1"), ip_address("2001:db8::9")) == (record.local, record.remote)
    assert ip_address("192.0.2.1") == listening_record().local


@pytest.mark.parametrize("text", ["0.0.0.0", "::", "::1", "255.255.255.255", "fe80::1"])  # noqa: S104 -- an example.
def test_no_byte_of_an_address_is_lost(text: str) -> None:
    """NUL bytes belong to an address."""
    wanted = ip_address(text)
    raw = wanted.packed if wanted.version == 6 else bytes(10) + b"\xff\xff" + wanted.packed

    assert wanted == address(raw)


@pytest.mark.parametrize(("kind", "unknown"), [(Direction, Direction.UNKNOWN), (Outcome, Outcome.OTHER)])
def test_numbers_from_the_future(kind: type[Direction | Outcome], unknown: Direction | Outcome) -> None:
    """A direction or outcome that this version does not know is none of those it knows."""
    assert kind(200) is unknown
