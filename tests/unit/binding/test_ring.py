"""Batches of records out of a ring."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from pyloader.binding import RingReader
from pyloader.errors import ClosedError
from pyloader.records.codec import ARRAY_HEADER, decode_batch, encode
from tests.unit.examples import SECOND, exec_record, exit_record, fork_record


class _FakeDrain:
    """The C side of the reader, with prepared batches instead of a ring."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.freed: list[int] = []
        self.limits: list[tuple[int, int]] = []

    def pyloader_drain__new(self, map_fd: int, max_record: int) -> int:
        """Take the map and the longest record."""
        assert (map_fd, max_record) == (5, 8192)
        return 4711

    def pyloader_drain__read(self, drain: int, buffer: Any, capacity: int, ends: Any, max_records: int) -> int:  # noqa: ANN401 -- as C has it.
        """Fill the buffer with the next batch."""
        assert drain == 4711
        self.limits.append((capacity, max_records))
        if not self.batches:
            return 0
        end = 0
        batch = self.batches.pop(0)
        for number, record in enumerate(batch):
            buffer[end : end + len(record)] = record
            end += len(record)
            ends[number] = end
        return len(batch)

    def pyloader_drain__epoll_fd(self, drain: int) -> int:
        """Return a number that no one uses."""
        return drain + 1

    def pyloader_drain__pending(self, drain: int) -> int:
        """Return a number."""
        return drain + 2

    def pyloader_drain__refused(self, drain: int) -> int:
        """Return a number."""
        return drain + 3

    def pyloader_drain__free(self, drain: int) -> None:
        """Note it."""
        self.freed.append(drain)


@pytest.fixture(name="drain")
def _drain(monkeypatch: pytest.MonkeyPatch) -> _FakeDrain:
    """Put the fake in place of the library."""
    drain = _FakeDrain()
    monkeypatch.setattr("pyloader.binding.ring.library", lambda: drain)
    return drain


@pytest.fixture(name="reader")
def _reader(drain: _FakeDrain) -> Iterator[RingReader]:
    """Return a reader of the fake ring."""
    assert drain.freed == []
    with RingReader(5) as reader:
        yield reader


def test_batch_is_one_array(drain: _FakeDrain, reader: RingReader) -> None:
    """A batch is one MessagePack array whose records end where it says."""
    records = [exec_record(), fork_record(), exit_record()]
    drain.batches = [[encode(record) for record in records]]
    batch = reader.read()

    assert batch is not None
    assert (records, 0) == decode_batch(batch.data, batch.ends, SECOND)
    assert len(msgspec.msgpack.decode(batch.data)) == 3
    assert len(batch.data) == batch.ends[-1]
    assert b"".join(map(encode, records)) == bytes(batch.records)


def test_malformed_record_in_a_batch(drain: _FakeDrain, reader: RingReader) -> None:
    """The ends of a batch find the records around one that is malformed."""
    drain.batches = [[encode(exec_record()), b"\xc1\xc1", encode(exit_record())]]
    batch = reader.read()

    assert batch is not None
    records, malformed = decode_batch(batch.data, batch.ends, SECOND)
    assert malformed == 1
    assert [records[0], records[2]] == [exec_record(), exit_record()]


def test_batches_follow_each_other(drain: _FakeDrain, reader: RingReader) -> None:
    """A shorter batch after a longer one has nothing left of it."""
    drain.batches = [[encode(exec_record()), encode(fork_record())], [encode(exit_record())]]
    reader.read()
    batch = reader.read()

    assert batch is not None
    assert ([exit_record()], 0) == decode_batch(batch.data, batch.ends, SECOND)
    assert batch.ends == [ARRAY_HEADER + len(encode(exit_record()))]


def test_batch_cannot_be_changed(drain: _FakeDrain, reader: RingReader) -> None:
    """Nobody can write into the reader's buffer."""
    drain.batches = [[encode(exec_record())]]
    batch = reader.read()

    assert batch is not None
    assert batch.data.readonly


def test_nothing_to_read(drain: _FakeDrain, reader: RingReader) -> None:
    """An empty ring gives no batch."""
    assert reader.read() is None
    assert drain.limits == [(256 * 1024, 4096)]


def test_state_of_the_ring(reader: RingReader) -> None:
    """The reader tells what can be polled, what waits, and what was thrown away."""
    assert (reader.fileno(), reader.pending, reader.refused) == (4712, 4713, 4714)


def test_close_frees_once(drain: _FakeDrain) -> None:
    """A reader is freed once, and cannot be used then."""
    reader = RingReader(5)
    reader.close()
    reader.close()

    assert drain.freed == [4711]
    with pytest.raises(ClosedError):
        reader.read()
