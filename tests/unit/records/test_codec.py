"""Records survive their way through bytes, and damage costs only what it hit."""

from itertools import accumulate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.records import AnyRecord, Malformed
from pyloader.records.codec import ARRAY_HEADER, decode, decode_batch, encode
from tests.unit.examples import NESTED, SECOND, exec_record, exit_record, fork_record
from tests.unit.strategies import any_records

NOW = 7 * SECOND


def _batch(parts: list[bytes]) -> tuple[bytes, list[int]]:
    """Return the array of these records and where each ends, as the ring reader gives them."""
    ends = [ARRAY_HEADER + end for end in accumulate(map(len, parts))]
    return b"\xdd" + len(parts).to_bytes(4, "big") + b"".join(parts), ends


@given(any_records)
def test_round_trip(record: AnyRecord) -> None:
    """Whoever decodes what was encoded gets an equal record of the same type."""
    again = decode(encode(record))

    assert type(record) is type(again)
    assert record == again


@given(st.lists(any_records, max_size=6))
def test_batch_of_whole_records(records: list[AnyRecord]) -> None:
    """A batch gives its records in order, and none is malformed."""
    data, ends = _batch([encode(record) for record in records])

    assert (records, 0) == decode_batch(data, ends, NOW)


@pytest.mark.parametrize(
    "damaged",
    [
        b"\xc1",
        b"\x00",
        b"\x90",
        b"\x92\x3f\x01",
        b"\xc4\x02ab",
        encode(fork_record())[:-20] + bytes(20),
        encode(fork_record())[:-20],
        pytest.param(NESTED, id="nested"),
    ],
)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_malformed_record_costs_only_itself(damaged: bytes, position: int) -> None:
    """In a batch, a record that does not decode is replaced by its bytes, and all others come through."""
    good: list[AnyRecord] = [exec_record(), exit_record()]
    parts = [encode(record) for record in good]
    parts.insert(position, damaged)
    expected = [*good]
    expected.insert(position, Malformed(timestamp=NOW, raw=damaged[:4096]))

    assert (expected, 1) == decode_batch(*_batch(parts), NOW)


def test_malformed_record_is_kept_in_part() -> None:
    """Of a long malformed record only the beginning is kept."""
    records, malformed = decode_batch(*_batch([b"\xc6\x00\x00\x20\x00" + bytes(8192)]), NOW)

    assert malformed == 1
    assert isinstance(records[0], Malformed)
    assert len(records[0].raw) == 4096


def test_batch_as_memoryview() -> None:
    """A batch is read from the ring's own memory, damaged or not."""
    data, ends = _batch([encode(exec_record()), b"\xc1"])

    assert [exec_record(), Malformed(timestamp=NOW, raw=b"\xc1")] == decode_batch(memoryview(data), ends, NOW)[0]


@given(st.binary(max_size=200))
def test_arbitrary_bytes(data: bytes) -> None:
    """Whatever the bytes are, one record is accounted for: decoded or malformed."""
    records, malformed = decode_batch(*_batch([data]), NOW)

    assert len(records) == 1
    assert malformed == sum(type(record) is Malformed and record.raw == data for record in records)


@given(st.lists(any_records, min_size=1, max_size=4), st.data())
def test_mutated_bytes(records: list[AnyRecord], data: st.DataObject) -> None:
    """A changed byte leaves as many records as before, and touches only the one that it hits."""
    parts = [bytearray(encode(record)) for record in records]
    hit = data.draw(st.integers(0, len(parts) - 1))
    parts[hit][data.draw(st.integers(0, len(parts[hit]) - 1))] ^= data.draw(st.integers(1, 255))

    got, malformed = decode_batch(*_batch([bytes(part) for part in parts]), NOW)

    assert len(records) == len(got)
    assert malformed <= 1
    assert records[:hit] == got[:hit]
    assert records[hit + 1 :] == got[hit + 1 :]


def test_nesting_is_a_decoding_error() -> None:
    """A record that is nested too deeply is refused like any other that is malformed."""
    with pytest.raises(msgspec.DecodeError):
        decode(NESTED)
