"""The drains of the bundled library, on rings and perf buffers of this kernel, and on rings that a test lays out."""

import ctypes
import errno
import importlib.resources
import mmap
import os
import select
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.prog_run import prog_run

LONGEST = 64
RING = 65_536
PAGE = mmap.PAGESIZE
NEVER = (1 << 64) - 1

BUSY, DISCARDED = 1 << 31, 1 << 30
"""BPF_RINGBUF_BUSY_BIT and BPF_RINGBUF_DISCARD_BIT of linux/bpf.h."""


class _Batch(ctypes.Structure):
    """`struct pyloader_batch` of drain.h."""

    _fields_ = (
        ("bytes", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("capacity", ctypes.c_uint32),
        ("max_records", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("count", ctypes.c_uint32),
    )


def _library() -> ctypes.CDLL:
    """Load the library of the installed wheel and declare the functions that return no int."""
    path = importlib.resources.files("pyloader") / "lib" / "libbpf.so.1"
    library = ctypes.CDLL(str(path), use_errno=True)
    for name in (
        "bpf_object__open_file",
        "bpf_object__find_map_by_name",
        "bpf_object__find_program_by_name",
        "pyloader_ring__new",
        "pyloader_perf__new",
    ):
        getattr(library, name).restype = ctypes.c_void_p
    for name in ("oldest", "position", "pending"):
        getattr(library, f"pyloader_ring__{name}").restype = ctypes.c_uint64
    return library


def _fill(read: Callable[[_Batch], int], capacity: int, max_records: int) -> tuple[list[bytes], int]:
    """Return the records of one read and what it returned; nothing past the room that there is may be touched."""
    buffer = ctypes.create_string_buffer(b"\xee" * (capacity + LONGEST), capacity + LONGEST)
    ends = (ctypes.c_uint32 * (max_records + 1))(*[0xEEEEEEEE] * (max_records + 1))
    batch = _Batch(ctypes.addressof(buffer), ctypes.addressof(ends), capacity, max_records)
    more = read(batch)
    assert more >= 0, os.strerror(-more)
    assert buffer.raw[batch.size :] == b"\xee" * (capacity + LONGEST - batch.size)
    assert list(ends[batch.count :]) == [0xEEEEEEEE] * (max_records + 1 - batch.count)
    found = list(ends[: batch.count])
    assert batch.size == (found[-1] if found else 0)
    return [buffer.raw[begin:end] for begin, end in zip([0, *found], found, strict=False)], more


class Reader:
    """A reader of a ring."""

    def __init__(self, library: ctypes.CDLL, map_fd: int, size: int = RING) -> None:
        """Map the ring."""
        self._library = library
        self._ring = ctypes.c_void_p(library.pyloader_ring__new(map_fd, size))
        assert self._ring, os.strerror(ctypes.get_errno())

    def read(self, horizon: int = NEVER, capacity: int = 4096, max_records: int = 64) -> list[bytes]:
        """Return the records of one read."""
        return self.fill(horizon, capacity, max_records)[0]

    def fill(self, horizon: int = NEVER, capacity: int = 4096, max_records: int = 64) -> tuple[list[bytes], int]:
        """Return the records of one read, and whether it stopped for want of room."""
        limit = ctypes.c_uint64(horizon)
        return _fill(
            lambda batch: int(self._library.pyloader_ring__read(self._ring, ctypes.byref(batch), limit)),
            capacity,
            max_records,
        )

    def oldest(self) -> int:
        """Return the stamp of the next record."""
        return int(self._library.pyloader_ring__oldest(self._ring))

    def position(self) -> int:
        """Return up to where was read."""
        return int(self._library.pyloader_ring__position(self._ring))

    def seek(self, position: int) -> None:
        """Go on at a position."""
        self._library.pyloader_ring__seek(self._ring, ctypes.c_uint64(position))

    def acknowledge(self) -> None:
        """Give back what was read."""
        self._library.pyloader_ring__acknowledge(self._ring)

    def pending(self) -> int:
        """Return the bytes that wait."""
        return int(self._library.pyloader_ring__pending(self._ring))

    def close(self) -> None:
        """Unmap the ring."""
        self._library.pyloader_ring__free(self._ring)


class Drawn:
    """A ring in memory, laid out as the kernel lays out its own: what no program can be made to do can be drawn."""

    def __init__(self, library: ctypes.CDLL, size: int = PAGE) -> None:
        """Make an empty ring."""
        self._library = library
        self.size = size
        self.fd = os.memfd_create("ring", os.MFD_CLOEXEC)
        os.truncate(self.fd, 2 * PAGE + 2 * size)
        self._producer = 0
        self._readers: list[Reader] = []

    def begin_at(self, position: int) -> None:
        """Let both positions be far on already."""
        self._producer = position
        self._write(0, position.to_bytes(8, "little"))
        self._write(PAGE, position.to_bytes(8, "little"))

    def put(self, record: bytes, flags: int = 0) -> int:
        """Append a record and return its position."""
        position = self._producer
        content = (len(record) | flags).to_bytes(4, "little") + b"\xab" * 4 + record
        for at, byte in enumerate(content):
            for copy in (0, self.size):
                self._write(2 * PAGE + copy + (position + at) % self.size, bytes([byte]))
        self._producer += (len(content) + 7) // 8 * 8
        self._write(PAGE, self._producer.to_bytes(8, "little"))
        return position

    def commit(self, position: int, length: int) -> None:
        """Let a record that was being written be there."""
        for copy in (0, self.size):
            self._write(2 * PAGE + copy + position % self.size, length.to_bytes(4, "little"))

    def consumed(self) -> int:
        """Return the position of the consumer."""
        return int.from_bytes(os.pread(self.fd, 8, 0), "little")

    def reader(self) -> Reader:
        """Open a reader; it is closed with the ring."""
        self._readers.append(Reader(self._library, self.fd, self.size))
        return self._readers[-1]

    def close(self) -> None:
        """Close the readers and the memory."""
        for reader in self._readers:
            reader.close()
        os.close(self.fd)

    def _write(self, offset: int, content: bytes) -> None:
        os.pwrite(self.fd, content, offset)


@pytest.fixture(name="drawn")
def _drawn() -> Iterator[Drawn]:
    """Return an empty ring of one page."""
    drawn = Drawn(_library())
    yield drawn
    drawn.close()


def stamped(stamp: int, length: int = 14) -> bytes:
    """Return a record with a timestamp, as far as a ring looks at it."""
    return (b"\xdc\x00\x02\xcc\x01\xcf" + stamp.to_bytes(8, "big")).ljust(length, b"\x07")


def test_record_that_is_being_written(drawn: Drawn) -> None:
    """A record that a program has reserved and not finished holds back those behind it, until it is there."""
    first, second, third = stamped(1), stamped(2), stamped(3)
    drawn.put(first)
    position = drawn.put(second, BUSY)
    drawn.put(third)
    reader = drawn.reader()

    assert reader.read() == [first]
    assert (reader.read(), reader.oldest()) == ([], NEVER)
    drawn.commit(position, len(second))
    assert reader.oldest() == 2
    assert reader.read() == [second, third]


def test_record_that_was_thrown_away(drawn: Drawn) -> None:
    """A record that its program threw away is passed over, and its room is given back with that of the others."""
    drawn.put(stamped(9), DISCARDED)
    drawn.put(stamped(1))
    drawn.put(stamped(0, LONGEST), DISCARDED)
    reader = drawn.reader()

    assert reader.oldest() == 1
    assert reader.read() == [stamped(1)]
    reader.acknowledge()
    assert (reader.pending(), drawn.consumed()) == (0, 24 + 24 + 72)


def test_horizon(drawn: Drawn) -> None:
    """A read ends before the first record that was stamped after the horizon, and goes on there later."""
    for stamp in (5, 6, 9, 7):
        drawn.put(stamped(stamp))
    reader = drawn.reader()

    assert reader.fill(4) == ([], 0)
    assert reader.fill(6) == ([stamped(5), stamped(6)], 0)
    assert (reader.oldest(), reader.read(8)) == (9, [])
    assert reader.read(9) == [stamped(9), stamped(7)]
    assert reader.oldest() == NEVER


@pytest.mark.parametrize("stamp", [0, 1, 1 << 32, (1 << 63) + 1, NEVER])
def test_any_stamp(drawn: Drawn, stamp: int) -> None:
    """A timestamp is read in all its 64 bits."""
    drawn.put(stamped(stamp))
    reader = drawn.reader()

    assert reader.oldest() == stamp
    assert reader.read(stamp - 1) == [] if stamp else True
    assert reader.read(stamp) == [stamped(stamp)]


@pytest.mark.parametrize("length", [0, 1, 6, 13])
def test_record_too_short_for_a_stamp(drawn: Drawn, length: int) -> None:
    """A record without room for a timestamp waits for nothing: it goes on as it is."""
    drawn.put(b"\xff" * length)
    reader = drawn.reader()

    assert reader.oldest() == 0
    assert reader.read(0) == [b"\xff" * length]


def test_wrap_around(drawn: Drawn) -> None:
    """A record that runs over the end of the ring is read whole, at any place of the end."""
    reader = drawn.reader()
    for number in range(500):
        record = stamped(number, 14 + number * 11 % 300)
        drawn.put(record)
        assert reader.read(capacity=512) == [record]
        reader.acknowledge()

    assert drawn.consumed() > 10 * drawn.size


def test_positions_beyond_32_bits(drawn: Drawn) -> None:
    """Positions only grow, and go on beyond 32 bits."""
    drawn.begin_at((1 << 32) - 40)
    reader = drawn.reader()
    for number in range(4):
        drawn.put(stamped(number))

    assert reader.read() == [stamped(number) for number in range(4)]
    reader.acknowledge()
    assert drawn.consumed() == (1 << 32) - 40 + 4 * 24


def test_room_of_a_batch(drawn: Drawn) -> None:
    """A read that stops for want of bytes or of ends says so, takes no part of a record, and goes on there later."""
    records = [stamped(number, 40) for number in range(4)]
    for record in records:
        drawn.put(record)
    reader = drawn.reader()

    assert reader.fill(capacity=39) == ([], 1)
    assert reader.fill(capacity=119) == (records[:2], 1)
    assert reader.fill(max_records=1) == (records[2:3], 1)
    assert reader.fill(capacity=40, max_records=1) == (records[3:], 0)
    assert reader.fill(capacity=0, max_records=0) == ([], 0)


def test_full_batch_before_the_horizon(drawn: Drawn) -> None:
    """What is not due does not count as more to read, however little room there is."""
    drawn.put(stamped(1))
    drawn.put(stamped(9))
    reader = drawn.reader()

    assert reader.fill(5, max_records=1) == ([stamped(1)], 0)


def test_next_reader(drawn: Drawn) -> None:
    """What was acknowledged is not read again by the next reader, and all that was only read is."""
    records = [stamped(number) for number in range(3)]
    for record in records:
        drawn.put(record)
    first = drawn.reader()
    first.read(0)
    first.acknowledge()
    first.read(1)

    assert drawn.reader().read() == records[1:]
    assert drawn.consumed() == 24


def test_positions(drawn: Drawn) -> None:
    """The next reader goes on at a position that it is told, if that is still in the ring."""
    records = [stamped(number) for number in range(3)]
    for record in records:
        drawn.put(record)
    first = drawn.reader()
    first.read(1)
    second = drawn.reader()
    second.seek(first.position())
    assert second.read() == records[2:]
    second.acknowledge()

    for position in (0, 3 * 24 + 8, NEVER):
        third = drawn.reader()
        third.seek(position)
        assert (third.position(), third.read()) == (3 * 24, [])


class Sample:
    """The sample program with its ring and its perf buffer: writes by BPF_PROG_RUN."""

    def __init__(self, library: ctypes.CDLL, loaded: ctypes.c_void_p) -> None:
        """Take the library and the loaded object."""
        self.library = library
        self._loaded = loaded
        self._readers: list[Reader] = []

    def map_fd(self, name: bytes) -> int:
        """Return the descriptor of a map."""
        found = self.library.bpf_object__find_map_by_name(self._loaded, name)
        return int(self.library.bpf_map__fd(ctypes.c_void_p(found)))

    def emit(self, length: int, fill: int = 7, stamp: int = 0) -> None:
        """Write one record of `length` bytes `fill` with a stamp."""
        assert self.run(b"emit", length, fill, int.from_bytes(stamp.to_bytes(8, "big"), "little")) == 0

    def emit_sample(self, length: int, fill: int, *, claimed: int | None = None, cpu: int | None = None) -> int:
        """Write one sample behind a length, on this CPU or on another; return the kernel's answer."""
        return self.run(b"emit_sample", length, fill, length if claimed is None else claimed, cpu=cpu)

    def run(self, program: bytes, *arguments: int, cpu: int | None = None) -> int:
        """Run a program and return its result."""
        context = (ctypes.c_uint64 * len(arguments))(*arguments)
        found = self.library.bpf_object__find_program_by_name(self._loaded, program)
        program_fd = self.library.bpf_program__fd(ctypes.c_void_p(found))
        return ctypes.c_int32(prog_run(program_fd, context=context, cpu=cpu).result).value

    def reader(self) -> Reader:
        """Open a reader of the ring; it is closed with the sample."""
        self._readers.append(Reader(self.library, self.map_fd(b"records")))
        return self._readers[-1]

    def close(self) -> None:
        """Close the readers and the object."""
        for reader in self._readers:
            reader.close()
        self.library.bpf_object__close(self._loaded)


@pytest.fixture(name="ring")
def _ring(sample: Path) -> Iterator[Sample]:
    """Return the loaded sample; without the permission to load it, skip unless kernel tests are required."""
    library = _library()
    path = str(sample / "pyloader/objects/sample_monitor.bpf.o").encode()
    loaded = ctypes.c_void_p(library.bpf_object__open_file(path, None))
    assert loaded, os.strerror(ctypes.get_errno())
    error = -library.bpf_object__load(loaded)
    if error in {errno.EPERM, errno.ENOSYS} and not os.environ.get("PYLOADER_REQUIRE_KERNEL"):
        library.bpf_object__close(loaded)
        pytest.skip(f"this user may not load BPF programs here: {os.strerror(error)}")
    assert error == 0, os.strerror(error)
    made = Sample(library, loaded)
    yield made
    made.close()


@pytest.mark.kernel
def test_empty_ring_gives_nothing(ring: Sample) -> None:
    """A read of an empty ring returns no record and does not wait."""
    reader = ring.reader()

    assert reader.fill() == ([], 0)
    assert reader.oldest() == NEVER


@pytest.mark.kernel
def test_records_keep_order_and_length(ring: Sample) -> None:
    """Records of different lengths come back whole and in the order they were written."""
    reader = ring.reader()
    lengths = (1, 8, 64, 0, 7, 33)
    for fill, length in enumerate(lengths):
        ring.emit(length, fill)

    assert [len(record) for record in reader.read()] == list(lengths)


@pytest.mark.kernel
def test_stamps_of_the_kernel(ring: Sample) -> None:
    """The horizon holds for records that a program wrote."""
    reader = ring.reader()
    for stamp in (1_000, 2_000, 3_000):
        ring.emit(LONGEST, stamp // 1_000, stamp)

    assert reader.oldest() == 1_000
    assert [record[0] for record in reader.read(2_000)] == [1, 2]
    assert [record[0] for record in reader.read(3_000)] == [3]


@pytest.mark.kernel
def test_small_buffers_lose_nothing(ring: Sample) -> None:
    """Reads with room for a few records each return all of them, none cut and none twice, round and round the ring."""
    reader = ring.reader()
    written, read = [], []
    for number in range(3_000):
        length = 14 + number % 50
        ring.emit(length, number % 251, number)
        written.append((length, number))
        if number % 300 == 299:
            more = 1
            while more:
                records, more = reader.fill(capacity=3 * LONGEST + 5)
                read += [(len(record), int.from_bytes(record[6:14], "big")) for record in records]
            reader.acknowledge()

    assert read == written


@pytest.mark.kernel
def test_discarded_records_are_skipped(ring: Sample) -> None:
    """A record that its program threw away never reaches the reader."""
    reader = ring.reader()
    ring.emit(4, 1)
    assert ring.run(b"discard", 0) == 0
    ring.emit(4, 2)

    assert [record[0] for record in reader.read()] == [1, 2]


@pytest.mark.kernel
def test_room_is_given_back_only_when_acknowledged(ring: Sample) -> None:
    """A ring whose records were read is as full as before; when they are acknowledged there is room again."""
    reader = ring.reader()
    written = 0
    while ring.run(b"emit", LONGEST, 1, 0) == 0:
        written += 1
    assert len(reader.read(capacity=RING, max_records=2_000)) == written
    assert ring.run(b"emit", LONGEST, 1, 0) < 0

    reader.acknowledge()
    assert ring.run(b"emit", LONGEST, 1, 0) == 0
    assert len(reader.read()) == 1


@pytest.mark.kernel
def test_second_reader_of_a_map(ring: Sample) -> None:
    """A second reader of the same map gets what the first did not acknowledge, and nothing else."""
    first = ring.reader()
    for stamp in (1, 2, 3):
        ring.emit(LONGEST, stamp, stamp)
    first.read(1)
    first.acknowledge()
    first.read(2)

    assert [record[0] for record in ring.reader().read()] == [2, 3]


@pytest.mark.kernel
def test_pending_counts_what_waits(ring: Sample) -> None:
    """The bytes that wait grow with each record, headers included, until they are acknowledged."""
    reader = ring.reader()
    assert reader.pending() == 0

    ring.emit(4, 1)
    reader.read()
    assert reader.pending() == 16

    reader.acknowledge()
    assert reader.pending() == 0


@pytest.mark.kernel
def test_descriptor_polls_readable(ring: Sample) -> None:
    """The map's descriptor is readable while records are not acknowledged, and only then."""
    reader, descriptor = ring.reader(), ring.map_fd(b"records")
    assert select.select([descriptor], [], [], 0)[0] == []

    ring.emit(4, 1)
    assert select.select([descriptor], [], [], 0)[0] == [descriptor]

    reader.read()
    reader.acknowledge()
    assert select.select([descriptor], [], [], 0)[0] == []


@pytest.mark.kernel
def test_map_of_another_size(ring: Sample) -> None:
    """A reader is refused for a size that the ring does not have."""
    assert ring.library.pyloader_ring__new(ring.map_fd(b"records"), 2 * RING) is None
    assert ctypes.get_errno() in {errno.EINVAL, errno.EPERM}


def test_descriptor_that_is_no_ring() -> None:
    """A reader is refused on a descriptor that cannot be mapped, with the system's reason."""
    library = _library()
    read, write = os.pipe()
    assert library.pyloader_ring__new(read, RING) is None
    assert ctypes.get_errno() in {errno.ENODEV, errno.EACCES}
    os.close(read)
    os.close(write)
    assert library.pyloader_ring__new(-1, RING) is None
    assert ctypes.get_errno() == errno.EBADF


def test_free_takes_null() -> None:
    """Freeing nothing does nothing."""
    library = _library()
    library.pyloader_ring__free(None)
    library.pyloader_perf__free(None)


class Perf:
    """A reader of the sample's perf buffer."""

    def __init__(self, ring: Sample, bytes_per_cpu: int = 2 * PAGE) -> None:
        """Open the buffers of all CPUs."""
        self._library = ring.library
        self.bytes_per_cpu = bytes_per_cpu
        self._perf = ctypes.c_void_p(ring.library.pyloader_perf__new(ring.map_fd(b"samples"), bytes_per_cpu))
        assert self._perf, os.strerror(ctypes.get_errno())

    def fill(self, capacity: int | None = None, max_records: int = 4_096) -> tuple[list[bytes], int]:
        """Return the records of one read, and whether a CPU was left for the next."""
        return _fill(
            lambda batch: int(self._library.pyloader_perf__read(self._perf, ctypes.byref(batch))),
            self.bytes_per_cpu if capacity is None else capacity,
            max_records,
        )

    def drained(self) -> list[bytes]:
        """Return the records of all CPUs."""
        records, more = self.fill()
        while more:
            following, more = self.fill()
            records += following
        return records

    def descriptor(self) -> int:
        """Return what polls readable."""
        return int(self._library.pyloader_perf__epoll_fd(self._perf))

    def close(self) -> None:
        """Close the buffers."""
        self._library.pyloader_perf__free(self._perf)


@pytest.fixture(name="perf")
def _perf(ring: Sample) -> Iterator[Perf]:
    """Return a reader of the sample's perf buffer."""
    perf = Perf(ring)
    yield perf
    perf.close()


@pytest.mark.kernel
def test_padding_is_taken_off(ring: Sample, perf: Perf) -> None:
    """Perf pads samples; what comes back is each record in its own length and in order."""
    lengths = (1, 7, 8, 9, 0, 33, 64)
    cpu = min(os.sched_getaffinity(0))
    for fill, length in enumerate(lengths):
        assert ring.emit_sample(length, fill, cpu=cpu) == 0

    assert perf.drained() == [bytes([fill]) * length for fill, length in enumerate(lengths)]
    assert perf.drained() == []


@pytest.mark.kernel
def test_length_that_is_a_lie(ring: Sample, perf: Perf) -> None:
    """A sample that claims more than it holds goes on as it is, with all its bytes and none beyond."""
    cpu = min(os.sched_getaffinity(0))
    assert ring.emit_sample(8, 0x61, claimed=4_000, cpu=cpu) == 0
    assert ring.emit_sample(8, 0x62, claimed=4, cpu=cpu) == 0
    first, second = perf.drained()

    assert first.startswith((4_000).to_bytes(4, "little") + b"a" * 8)
    assert len(first) <= 8 + 4 + 8
    assert second == b"bbbb"


@pytest.mark.kernel
def test_all_cpus_are_read(ring: Sample, perf: Perf) -> None:
    """What was written on any CPU comes back, those of one CPU in order."""
    cpus = sorted(os.sched_getaffinity(0))
    for number in range(10):
        for cpu in cpus:
            assert ring.emit_sample(10, 16 * (cpu % 16) + number, cpu=cpu) == 0
    records = perf.drained()

    assert len(records) == 10 * len(cpus)
    for cpu in cpus:
        own = [record[0] % 16 for record in records if record[0] // 16 == cpu % 16]
        assert own == list(range(10)) or len(cpus) > 16


@pytest.mark.kernel
def test_buffer_without_room_is_left(ring: Sample, perf: Perf) -> None:
    """Where not all that a CPU may hold has room, nothing is taken, and the reader says that there is more."""
    cpu = min(os.sched_getaffinity(0))
    assert ring.emit_sample(10, 1, cpu=cpu) == 0

    assert perf.fill(capacity=perf.bytes_per_cpu - 1) == ([], 1)
    assert perf.fill(max_records=perf.bytes_per_cpu // 16 - 1) == ([], 1)
    assert perf.drained() == [b"\1" * 10]


@pytest.mark.kernel
def test_next_read_goes_on_with_the_next_cpu(ring: Sample, perf: Perf) -> None:
    """Reads with room for one CPU each come to every CPU, however much the first ones hold."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("this host has one CPU")
    seen = set()
    for _ in range(4 * (os.cpu_count() or 1)):
        for cpu in cpus:
            ring.emit_sample(LONGEST, cpu % 256, cpu=cpu)
        seen |= {record[0] for record in perf.fill()[0]}

    assert seen == {cpu % 256 for cpu in cpus}


@pytest.mark.kernel
def test_full_perf_buffer_refuses(ring: Sample, perf: Perf) -> None:
    """A full buffer refuses further samples with an error, which the programs count, and holds what it has."""
    cpu = min(os.sched_getaffinity(0))
    written = 0
    while ring.emit_sample(LONGEST, written % 256, cpu=cpu) == 0:
        written += 1
        assert written < 10_000

    assert [record[0] for record in perf.drained()] == [number % 256 for number in range(written)]
    assert ring.emit_sample(LONGEST, 1, cpu=cpu) == 0


@pytest.mark.kernel
def test_perf_descriptor_polls_readable(ring: Sample, perf: Perf) -> None:
    """The descriptor is readable when a sample was written, and not after it was read."""
    assert select.select([perf.descriptor()], [], [], 0)[0] == []
    ring.emit_sample(10, 1)
    assert select.select([perf.descriptor()], [], [], 1)[0] == [perf.descriptor()]

    perf.drained()
    assert select.select([perf.descriptor()], [], [], 0)[0] == []


@pytest.mark.kernel
@pytest.mark.parametrize("bytes_per_cpu", [0, 3 * PAGE])
def test_size_that_perf_refuses(ring: Sample, bytes_per_cpu: int) -> None:
    """A size that is no power of two of pages is refused."""
    assert ring.library.pyloader_perf__new(ring.map_fd(b"samples"), bytes_per_cpu) is None
    assert ctypes.get_errno() == errno.EINVAL
