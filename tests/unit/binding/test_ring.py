"""Batches of records out of rings and perf buffers."""

import ctypes
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.binding import Batch, PerfReader, RingReader
from pyloader.binding.library import BatchStruct
from pyloader.errors import ClosedError
from pyloader.records import AnyRecord
from pyloader.records.codec import ARRAY_HEADER, decode_batch, encode
from tests.unit.examples import SECOND, exec_record, exit_record, fork_record

NOTHING = (1 << 64) - 1
LATE = 1 << 63


class _FakeDrain:
    """The C side of the readers: rings of stamped records, told apart by their descriptors, and a perf buffer."""

    def __init__(self) -> None:
        self.rings: dict[int, list[tuple[int, bytes]]] = {5: [], 6: []}
        self.samples: list[bytes] = []
        self.mapped: list[tuple[int, int]] = []
        self.freed: list[int] = []
        self.positions = [0, 0]
        self.unmappable: set[int] = set()
        self._next: dict[int, int] = {}
        self._acknowledged: dict[int, int] = {}

    def pyloader_ring__new(self, map_fd: int, size: int) -> int:
        """Map a ring, or refuse."""
        if map_fd in self.unmappable:
            raise OSError(22, "Invalid argument")
        self.mapped.append((map_fd, size))
        self._next[map_fd] = self._acknowledged.setdefault(map_fd, 0)
        return map_fd

    def pyloader_ring__read(self, ring: int, batch: BatchStruct, horizon: int) -> int:
        """Append what is due and has room."""
        due = self.rings[ring][self._next[ring] :]
        for stamp, record in due:
            if stamp > horizon:
                return 0
            if not _append(batch, record):
                return 1
            self._next[ring] += 1
        return 0

    def pyloader_ring__oldest(self, ring: int) -> int:
        """Return the stamp of the next record."""
        return next((stamp for stamp, _ in self.rings[ring][self._next[ring] :]), NOTHING)

    def pyloader_ring__position(self, ring: int) -> int:
        """Return up to where was read."""
        return self._next[ring]

    def pyloader_ring__seek(self, ring: int, position: int) -> None:
        """Go on there."""
        self._next[ring] = max(position, self._next[ring])

    def pyloader_ring__acknowledge(self, ring: int) -> None:
        """Give back what was read."""
        self._acknowledged[ring] = self._next[ring]

    def pyloader_ring__pending(self, ring: int) -> int:
        """Return the bytes that are not acknowledged."""
        return sum(8 + len(record) for _, record in self.rings[ring][self._acknowledged[ring] :])

    def read_position(self, map_fd: int, index: int, layout: str) -> tuple[int]:
        """Return a number of the map of positions."""
        assert (map_fd, layout) == (8, "=Q")
        return (self.positions[index],)

    def write_position(self, map_fd: int, index: int, layout: str, position: int) -> None:
        """Set a number of the map of positions."""
        assert (map_fd, layout) == (8, "=Q")
        self.positions[index] = position

    def pyloader_ring__free(self, ring: int) -> None:
        """Note it."""
        self.freed.append(ring)

    def pyloader_perf__new(self, map_fd: int, bytes_per_cpu: int) -> int:
        """Open the buffers."""
        self.mapped.append((map_fd, bytes_per_cpu))
        return map_fd

    def pyloader_perf__epoll_fd(self, perf: int) -> int:
        """Return a number that no one uses."""
        return 100 + perf

    def pyloader_perf__read(self, _perf: int, batch: BatchStruct) -> int:
        """Append one sample; there is more as long as another waits."""
        if self.samples:
            assert _append(batch, self.samples.pop(0))
        return bool(self.samples)

    def pyloader_perf__free(self, perf: int) -> None:
        """Note it."""
        self.freed.append(perf)


def _append(batch: BatchStruct, record: bytes) -> bool:
    """Append a record to a batch as C does; return whether there was room."""
    if batch.count == batch.max_records or len(record) > batch.capacity - batch.size:
        return False
    ctypes.memmove(batch.bytes + batch.size, record, len(record))
    batch.size += len(record)
    batch.ends[batch.count] = batch.size
    batch.count += 1
    return True


@pytest.fixture(name="drain")
def _drain(monkeypatch: pytest.MonkeyPatch) -> _FakeDrain:
    """Put the fake in place of the library."""
    drain = _FakeDrain()
    monkeypatch.setattr("pyloader.binding.ring.library", lambda: drain)
    monkeypatch.setattr("pyloader.binding.ring.read_numbers", drain.read_position)
    monkeypatch.setattr("pyloader.binding.ring.write_numbers", drain.write_position)
    return drain


@pytest.fixture(name="reader")
def _reader(drain: _FakeDrain) -> Iterator[RingReader]:
    """Return a reader of the two rings."""
    reader = RingReader([(5, 65_536), (6, 131_072)])
    assert drain.mapped == [(5, 65_536), (6, 131_072)]
    yield reader
    reader.close()


def _fill(drain: _FakeDrain, ring: int, *records: AnyRecord | bytes) -> None:
    """Put records into a ring, stamped one after the other."""
    content = drain.rings[ring]
    for record in records:
        content.append((len(content) + 1, record if isinstance(record, bytes) else encode(record)))


def _read(reader: RingReader, horizon: int = LATE) -> list[AnyRecord]:
    """Return the records of one read."""
    batch, _ = reader.read(horizon)
    return decode_batch(batch.data, batch.ends, SECOND)[0] if batch is not None else []


def test_batch_is_one_array(drain: _FakeDrain, reader: RingReader) -> None:
    """A batch is one MessagePack array whose records end where it says, those of the first ring first."""
    records: list[AnyRecord] = [exec_record(), fork_record(), exit_record()]
    _fill(drain, 6, records[2])
    _fill(drain, 5, *records[:2])
    batch, more = reader.read(LATE)

    assert batch is not None
    assert not more
    assert (records, 0) == decode_batch(batch.data, batch.ends, SECOND)
    assert len(msgspec.msgpack.decode(batch.data)) == 3
    assert len(batch.data) == batch.ends[-1]
    assert list(map(encode, records)) == batch.split()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_split(parts: list[bytes]) -> None:
    """A batch splits into exactly the records that it was made of, empty ones and equal ones as well."""
    data = b"\xdd" + len(parts).to_bytes(4, "big") + b"".join(parts)
    ends = [ARRAY_HEADER + len(b"".join(parts[: number + 1])) for number in range(len(parts))]

    assert parts == Batch(memoryview(data), ends).split()


def test_split_outlives_the_batch(drain: _FakeDrain, reader: RingReader) -> None:
    """What `split` gave stays as it is when the reader's buffer is filled again."""
    _fill(drain, 5, exec_record())
    batch, _ = reader.read(LATE)
    assert batch is not None
    split = batch.split()
    _fill(drain, 5, b"\xff" * 500)
    reader.read(LATE)

    assert split == [encode(exec_record())]


def test_malformed_record_in_a_batch(drain: _FakeDrain, reader: RingReader) -> None:
    """The ends of a batch find the records around one that is malformed."""
    _fill(drain, 5, exec_record(), b"\xc1\xc1", exit_record())
    batch, _ = reader.read(LATE)

    assert batch is not None
    records, malformed = decode_batch(batch.data, batch.ends, SECOND)
    assert malformed == 1
    assert [records[0], records[2]] == [exec_record(), exit_record()]


def test_batches_follow_each_other(drain: _FakeDrain, reader: RingReader) -> None:
    """A shorter batch after a longer one has nothing left of it."""
    _fill(drain, 5, exec_record(), fork_record())
    reader.read(LATE)
    _fill(drain, 5, exit_record())
    batch, _ = reader.read(LATE)

    assert batch is not None
    assert ([exit_record()], 0) == decode_batch(batch.data, batch.ends, SECOND)
    assert batch.ends == [ARRAY_HEADER + len(encode(exit_record()))]


def test_batch_cannot_be_changed(drain: _FakeDrain, reader: RingReader) -> None:
    """Nobody can write into the reader's buffer."""
    _fill(drain, 5, exec_record())
    batch, _ = reader.read(LATE)

    assert batch is not None
    assert batch.data.readonly


def test_nothing_to_read(reader: RingReader) -> None:
    """Empty rings give no batch, nothing more, and no oldest record."""
    assert reader.read(LATE) == (None, False)
    assert reader.oldest() is None


def test_horizon(drain: _FakeDrain, reader: RingReader) -> None:
    """A read takes what was stamped up to the horizon, from every ring, and leaves the rest for later."""
    first, second, third = exec_record(pid=1), exec_record(pid=2), exec_record(pid=3)
    _fill(drain, 5, first, second, third)
    _fill(drain, 6, fork_record())

    assert _read(reader, 0) == []
    assert _read(reader, 2) == [first, second, fork_record()]
    assert _read(reader, 2) == []
    assert _read(reader, 3) == [third]


def test_oldest(drain: _FakeDrain, reader: RingReader) -> None:
    """The oldest record is the oldest of all rings that was not read yet."""
    drain.rings[5] = [(20, b"\xc0")]
    drain.rings[6] = [(10, b"\xc0"), (30, b"\xc0")]

    assert reader.oldest() == 10
    reader.read(10)
    assert reader.oldest() == 20
    reader.read(LATE)
    assert reader.oldest() is None


def test_full_buffer(drain: _FakeDrain) -> None:
    """When the buffer is full there is more, whichever ring it is in, and nothing is lost or given twice."""
    records = [exec_record(pid=pid) for pid in range(10)]
    _fill(drain, 5, *records[:6])
    _fill(drain, 6, *records[6:])
    reader = RingReader([(5, 65_536), (6, 65_536)], max_records=4)
    sizes, given, more = [], list[AnyRecord](), True
    while more:
        batch, more = reader.read(LATE)
        assert batch is not None
        sizes.append(len(batch.ends))
        given += decode_batch(batch.data, batch.ends, SECOND)[0]
    reader.close()

    assert (sizes, given) == ([4, 4, 2], records)


def test_acknowledgement(drain: _FakeDrain, reader: RingReader) -> None:
    """What was read waits until it is acknowledged: the next reader of the ring gets it otherwise, and only then."""
    _fill(drain, 5, exec_record(), exit_record())
    size = sum(8 + len(encode(record)) for record in (exec_record(), exit_record()))
    reader.read(1)
    assert reader.pending() == size

    reader.acknowledge()
    reader.read(LATE)
    assert reader.pending() == 8 + len(encode(exit_record()))
    following = RingReader([(5, 65_536)])
    assert _read(following) == [exit_record()]
    following.acknowledge()
    following.close()
    assert reader.pending() == 0


def test_commitment(drain: _FakeDrain) -> None:
    """What was committed is not read again, though its room is not given back; what was only read is."""
    _fill(drain, 5, exec_record(), exit_record())
    _fill(drain, 6, fork_record())
    rings = [(5, 65_536), (6, 65_536)]
    first = RingReader(rings, positions_fd=8)
    assert _read(first, 1) == [exec_record(), fork_record()]
    waiting = first.pending()
    first.commit()
    assert _read(first) == [exit_record()]
    first.close()
    second = RingReader(rings, positions_fd=8)

    assert second.pending() == waiting
    assert _read(second) == [exit_record()]
    second.close()


def test_commitment_without_a_place(drain: _FakeDrain, reader: RingReader) -> None:
    """A reader without a map of positions commits nothing, and only acknowledging counts."""
    _fill(drain, 5, exec_record())
    reader.read(LATE)
    reader.commit()
    following = RingReader([(5, 65_536)])

    assert drain.positions == [0, 0]
    assert _read(following) == [exec_record()]
    following.close()


def test_descriptors(reader: RingReader) -> None:
    """What can be polled are the maps themselves."""
    assert reader.filenos() == [5, 6]


def test_close_frees_once(drain: _FakeDrain) -> None:
    """A reader frees each ring once, and cannot be used then."""
    reader = RingReader([(5, 65_536), (6, 65_536)])
    reader.close()
    reader.close()

    assert drain.freed == [5, 6]
    with pytest.raises(ClosedError):
        reader.read(LATE)


def test_ring_that_cannot_be_mapped(drain: _FakeDrain) -> None:
    """If one ring cannot be mapped, those before it are freed."""
    drain.unmappable = {6}

    with pytest.raises(OSError, match="Invalid argument"):
        RingReader([(5, 65_536), (6, 65_536)])
    assert drain.freed == [5]


def test_perf_reader(drain: _FakeDrain) -> None:
    """A perf reader gives the samples as batches, tells whether there is more, and frees its buffers once."""
    records = [exec_record(), exit_record()]
    drain.samples = list(map(encode, records))
    reader = PerfReader(7, bytes_per_cpu=65_536)
    (first, more), (second, no_more) = reader.read(0), reader.read(0)

    assert drain.mapped == [(7, 65_536)]
    assert first is not None
    assert second is not None
    assert (more, no_more) == (True, False)
    assert second.split() == [encode(exit_record())]
    assert reader.filenos() == [107]
    reader.close()
    reader.close()
    assert drain.freed == [7]
    with pytest.raises(ClosedError):
        reader.read(0)


def test_perf_reader_keeps_nothing(drain: _FakeDrain) -> None:
    """A perf buffer knows neither its oldest record nor what waits, and acknowledging changes nothing."""
    drain.samples = [encode(exec_record())]
    reader = PerfReader(7)
    reader.acknowledge()

    assert (reader.oldest(), reader.pending(), len(drain.samples)) == (None, 0, 1)
    reader.close()
