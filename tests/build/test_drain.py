"""The ring drain of the bundled library, on a real ring of this kernel."""

import ctypes
import errno
import importlib.resources
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

LONGEST = 64


class _RunOptions(ctypes.Structure):
    """`struct bpf_test_run_opts` of libbpf."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("data_in", ctypes.c_void_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    )


def _library() -> ctypes.CDLL:
    """Load the library of the installed wheel and declare the functions that return no int."""
    path = importlib.resources.files("pyloader") / "lib" / "libbpf.so.1"
    library = ctypes.CDLL(str(path), use_errno=True)
    library.bpf_object__open_file.restype = ctypes.c_void_p
    library.bpf_object__find_map_by_name.restype = ctypes.c_void_p
    library.bpf_object__find_program_by_name.restype = ctypes.c_void_p
    library.pyloader_drain__new.restype = ctypes.c_void_p
    library.pyloader_drain__pending.restype = ctypes.c_uint64
    library.pyloader_drain__refused.restype = ctypes.c_uint64
    return library


class Ring:
    """The sample program with its ring: writes records by BPF_PROG_RUN, reads them through drains."""

    def __init__(self, library: ctypes.CDLL, loaded: ctypes.c_void_p) -> None:
        """Take the library and the loaded object."""
        self.library = library
        self._loaded = loaded
        found = library.bpf_object__find_map_by_name(loaded, b"records")
        self.map_fd: int = library.bpf_map__fd(ctypes.c_void_p(found))
        self._drains: list[ctypes.c_void_p] = []

    def emit(self, length: int, fill: int) -> None:
        """Write one record of `length` bytes `fill`."""
        assert self._run(b"emit", length, fill) == 0

    def discard(self) -> None:
        """Reserve a record and throw it away."""
        assert self._run(b"discard", 0, 0) == 0

    def drain(self, max_record: int = LONGEST) -> ctypes.c_void_p:
        """Open a drain; it is freed with the ring."""
        drain = ctypes.c_void_p(self.library.pyloader_drain__new(self.map_fd, max_record))
        assert drain, os.strerror(ctypes.get_errno())
        self._drains.append(drain)
        return drain

    def read(self, drain: ctypes.c_void_p, capacity: int = 4096, max_records: int = 64) -> list[bytes]:
        """Return the records of one read; bytes past `capacity` must stay untouched."""
        buffer = ctypes.create_string_buffer(b"\xee" * (capacity + LONGEST), capacity + LONGEST)
        ends = (ctypes.c_uint32 * max_records)()
        count = self.library.pyloader_drain__read(drain, buffer, capacity, ends, max_records)
        assert count >= 0, os.strerror(-count)
        assert buffer.raw[capacity:] == b"\xee" * LONGEST
        starts = [0, *ends[: max(count - 1, 0)]]
        return [buffer.raw[start:end] for start, end in zip(starts, ends[:count], strict=False)]

    def close(self) -> None:
        """Free the drains and the object."""
        for drain in self._drains:
            self.library.pyloader_drain__free(drain)
        self.library.bpf_object__close(self._loaded)

    def _run(self, program: bytes, *arguments: int) -> int:
        context = (ctypes.c_uint64 * len(arguments))(*arguments)
        options = _RunOptions(sz=ctypes.sizeof(_RunOptions), ctx_size_in=ctypes.sizeof(context))
        options.ctx_in = ctypes.addressof(context)
        found = self.library.bpf_object__find_program_by_name(self._loaded, program)
        program_fd = self.library.bpf_program__fd(ctypes.c_void_p(found))
        assert self.library.bpf_prog_test_run_opts(program_fd, ctypes.byref(options)) == 0
        return int(options.retval)


@pytest.fixture(name="ring")
def _ring(sample: Path) -> Iterator[Ring]:
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
    ring = Ring(library, loaded)
    yield ring
    ring.close()


def test_empty_ring_gives_nothing(ring: Ring) -> None:
    """A read of an empty ring returns no record and does not wait."""
    assert ring.read(ring.drain()) == []


def test_records_keep_order_and_length(ring: Ring) -> None:
    """Records of different lengths come back whole and in the order they were written."""
    drain = ring.drain()
    written = [bytes([fill]) * length for fill, length in enumerate((1, 8, 64, 0, 7, 33))]
    for record in written:
        ring.emit(len(record), record[0] if record else 0)

    assert ring.read(drain) == written


def test_small_buffers_lose_nothing(ring: Ring) -> None:
    """Reads with room for a few records each return all of them, none cut and none twice."""
    drain = ring.drain()
    written = [bytes([number % 251]) * (1 + number * 7 % LONGEST) for number in range(300)]
    for record in written:
        ring.emit(len(record), record[0])
    reads = iter(lambda: ring.read(drain, capacity=3 * LONGEST + 5), [])

    assert [record for batch in reads for record in batch] == written


def test_short_records_fill_the_buffer(ring: Ring) -> None:
    """One read goes on until less than the greatest record's room is left, not only until the first guess."""
    drain = ring.drain()
    for _ in range(200):
        ring.emit(4, 1)

    assert len(ring.read(drain, capacity=512, max_records=300)) == (512 - LONGEST) // 4 + 1


def test_record_limit_is_kept(ring: Ring) -> None:
    """A read returns no more records than there is room for their ends; the rest stays in the ring."""
    drain = ring.drain()
    for fill in range(5):
        ring.emit(4, fill)

    assert [record[0] for record in ring.read(drain, max_records=3)] == [0, 1, 2]
    assert [record[0] for record in ring.read(drain, max_records=3)] == [3, 4]


def test_discarded_records_are_skipped(ring: Ring) -> None:
    """A record that its program threw away never reaches the reader."""
    drain = ring.drain()
    ring.emit(4, 1)
    ring.discard()
    ring.emit(4, 2)

    assert [record[0] for record in ring.read(drain)] == [1, 2]


def test_too_long_record_is_refused(ring: Ring) -> None:
    """A record longer than promised is counted and thrown away instead of overflowing the buffer."""
    drain = ring.drain(max_record=16)
    for length in (16, 17, 8):
        ring.emit(length, length)

    assert [len(record) for record in ring.read(drain, capacity=40)] == [16, 8]
    assert ring.library.pyloader_drain__refused(drain) == 1


def test_pending_counts_what_waits(ring: Ring) -> None:
    """The bytes that wait grow with each record, headers included, and a read brings them to nothing."""
    drain = ring.drain()
    assert ring.library.pyloader_drain__pending(drain) == 0

    ring.emit(4, 1)
    assert ring.library.pyloader_drain__pending(drain) == 16

    ring.read(drain)
    assert ring.library.pyloader_drain__pending(drain) == 0


def test_descriptor_polls_readable(ring: Ring) -> None:
    """The drain's descriptor is readable while records wait, and only then."""
    drain = ring.drain()
    descriptor = ring.library.pyloader_drain__epoll_fd(drain)
    assert select.select([descriptor], [], [], 0)[0] == []

    ring.emit(4, 1)
    assert select.select([descriptor], [], [], 0)[0] == [descriptor]

    ring.read(drain)
    assert select.select([descriptor], [], [], 0)[0] == []


@pytest.mark.parametrize(("capacity", "max_records"), [(LONGEST - 1, 8), (LONGEST, 0)])
def test_read_without_room_is_an_error(ring: Ring, capacity: int, max_records: int) -> None:
    """A read that could never return a record says so instead of returning nothing for ever."""
    buffer, ends = ctypes.create_string_buffer(LONGEST), (ctypes.c_uint32 * 8)()
    result = ring.library.pyloader_drain__read(ring.drain(), buffer, capacity, ends, max_records)

    assert result == -errno.EINVAL


def test_wrong_arguments_set_errno(ring: Ring) -> None:
    """A drain is refused on a descriptor that is no ring and for records without length."""
    with Path("/dev/null").open("rb") as other:
        assert ring.library.pyloader_drain__new(other.fileno(), LONGEST) is None
        assert ctypes.get_errno() == errno.EINVAL
    assert ring.library.pyloader_drain__new(ring.map_fd, 0) is None
    assert ctypes.get_errno() == errno.EINVAL


def test_free_takes_null() -> None:
    """Freeing no drain does nothing."""
    _library().pyloader_drain__free(None)
