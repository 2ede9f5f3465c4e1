"""Where a MessagePack value ends."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import RecordingError
from pyloader.records.framing import CutOffError, value_end

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text()
    | st.binary()
    | st.binary(min_size=250, max_size=260)
    | st.builds(msgspec.msgpack.Ext, st.integers(-128, 127), st.binary(max_size=20))
)
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner), max_leaves=20
)

SIZES = (0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536)
"""Lengths on both sides of every border between the forms of the format."""


@given(_values)
def test_agrees_with_msgspec(value: object) -> None:
    """The end of whatever msgspec encodes is the end of its bytes, wherever they stand."""
    encoded = msgspec.msgpack.encode(value)

    assert len(encoded) == value_end(encoded, 0)
    assert 3 + len(encoded) == value_end(b"\xc1\xc1\xc1" + encoded + b"\xc1", 3)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["text", "bytes", "array", "map", "extension"])
def test_every_length_form(kind: str, size: int) -> None:
    """Every form in which the format writes a length is understood."""
    makers: dict[str, Any] = {
        "text": lambda: "a" * size,
        "bytes": lambda: bytes(size),
        "array": lambda: [0] * min(size, 65_535),
        "map": lambda: dict.fromkeys(range(min(size, 32_767))),
        "extension": lambda: msgspec.msgpack.Ext(1, bytes(size)),
    }
    encoded = msgspec.msgpack.encode(makers[kind]())

    assert len(encoded) == value_end(encoded, 0)


@given(_values.filter(lambda value: len(msgspec.msgpack.encode(value)) < 300))
def test_cut_off_at_every_byte(value: object) -> None:
    """A value that is cut off anywhere is recognised as cut off, at its beginning."""
    encoded = msgspec.msgpack.encode(value)
    for size in range(len(encoded)):
        with pytest.raises(CutOffError) as caught:
            value_end(b"\x00" + encoded[:size], 1)

        assert caught.value.offset == 1


@given(st.binary(max_size=300))
def test_arbitrary_bytes(data: bytes) -> None:
    """Arbitrary bytes have an end inside of them, or are refused."""
    try:
        end = value_end(data, 0)
    except RecordingError:
        return

    assert 0 < end <= len(data)


def test_the_marker_that_is_never_used() -> None:
    """Bytes that cannot be a value are refused, and not taken for the beginning of one."""
    with pytest.raises(RecordingError, match="no record, at byte 1") as caught:
        value_end(b"\x00\xc1", 1)

    assert not isinstance(caught.value, CutOffError)


@pytest.mark.parametrize("claim", [b"\xdd\xff\xff\xff\xff", b"\xdf\x00\x01\x00\x00", b"\xdd\x00\x01\x00\x01"])
def test_more_values_than_any_record_holds(claim: bytes) -> None:
    """A claim to hold more values than any record is damage at once, before the data are searched for them."""
    with pytest.raises(RecordingError, match="larger than any record") as caught:
        value_end(claim, 0)

    assert not isinstance(caught.value, CutOffError)


def test_nesting_needs_no_stack() -> None:
    """Values may lie inside each other deeper than Python can call."""
    assert value_end(b"\x91" * 100_000 + b"\x00", 0) == 100_001
