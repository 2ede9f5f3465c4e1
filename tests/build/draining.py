"""The drains of the bundled library (drain.h) as tests call them, and the sample program, which writes for them."""

import ctypes
import errno
import importlib.resources
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kernel.prog_run import prog_run

LONGEST = 64
"""Bytes of the longest record that the sample writes."""
RING = 65_536
PAGE = mmap.PAGESIZE
NEVER = (1 << 64) - 1


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


def bundled_library() -> ctypes.CDLL:
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


@contextmanager
def loaded_sample(checkout: Path) -> Iterator[Sample]:
    """Load the sample that a checkout built; without the permission to do so, skip unless kernel tests are required."""
    library = bundled_library()
    path = str(checkout / "pyloader/objects/sample_monitor.bpf.o").encode()
    loaded = ctypes.c_void_p(library.bpf_object__open_file(path, None))
    assert loaded, os.strerror(ctypes.get_errno())
    error = -library.bpf_object__load(loaded)
    if error in {errno.EPERM, errno.ENOSYS} and not os.environ.get("PYLOADER_REQUIRE_KERNEL"):
        library.bpf_object__close(loaded)
        pytest.skip(f"this user may not load BPF programs here: {os.strerror(error)}")
    assert error == 0, os.strerror(error)
    made = Sample(library, loaded)
    try:
        yield made
    finally:
        made.close()
