"""Read records from BPF rings, or a perf buffer, in batches.

One foreign call drains what is committed into one buffer, behind room for a MessagePack array header, so that one call
of the decoder turns a batch into structs. The walk of the ring itself is done in C (`bpf/library/ring.c`): it needs
acquire loads, which Python does not have.
"""

import ctypes
from typing import NamedTuple

from pyloader.binding.counters import read_numbers, write_numbers
from pyloader.binding.handle import Handle
from pyloader.binding.library import BatchStruct, Libbpf, Pointer, library
from pyloader.binding.pins import Descriptor
from pyloader.binding.probe import MAP_RINGBUF

RECORD_LIMIT = 8_192
"""No record is longer (`RECORD_LIMIT` in bpf/workspace.bpf.h)."""

_HEADER = 5
"""Bytes of a MessagePack `array 32` header, `ARRAY_HEADER` of `pyloader.records.codec`."""

_LEAST_SAMPLE = 16
"""No sample of a perf buffer takes fewer bytes (`LEAST_SAMPLE` in bpf/library/perf.c)."""


_NOTHING = 2**64 - 1


class Batch(NamedTuple):
    """Records as they came from the kernel; valid until the next read of the same reader.

    `data` is one MessagePack array of all records: a header of 5 bytes and the records back to back. `ends[i]` is the
    offset in `data` just past record i.
    """

    data: memoryview
    ends: list[int]

    def split(self) -> list[bytes]:
        """Return a copy of each record."""
        data = bytes(self.data)
        return [data[begin:end] for begin, end in zip([_HEADER, *self.ends], self.ends, strict=False)]


class Reader:
    """The consumer of everything that a monitor writes. Closing it loses nothing that was not acknowledged."""

    def __init__(self, *, capacity: int, max_records: int) -> None:
        self._buffer = bytearray(_HEADER + capacity)
        self._ends = (ctypes.c_uint32 * max_records)()
        target = (ctypes.c_char * capacity).from_buffer(self._buffer, _HEADER)
        self._batch = BatchStruct(ctypes.addressof(target), self._ends, capacity, max_records)

    def filenos(self) -> list[int]:
        """Return descriptors that poll readable while records wait.

        They do so, too, while the oldest record is still being written: when a read then gives nothing, pause a little.
        """
        raise NotImplementedError

    def read(self, horizon: int) -> tuple[Batch | None, bool]:
        """Take in records, for rings only those stamped up to `horizon` (ns), and tell whether there is more to take.

        There is more when the buffer is full; the records so far must then be decoded before the next read.
        """
        self._batch.size = self._batch.count = 0
        more = self._fill(horizon)
        count = self._batch.count
        if not count:
            return None, more
        ends = [_HEADER + end for end in self._ends[:count]]
        self._buffer[:_HEADER] = b"\xdd" + count.to_bytes(4, "big")
        return Batch(memoryview(self._buffer)[: ends[-1]].toreadonly(), ends), more

    def oldest(self) -> int | None:
        """Return the timestamp (ns) of the oldest record that waits; `None` if there is none, or it is not known."""
        return None

    def commit(self) -> None:
        """Remember in the kernel that all records that were read are dealt with: no other reader will get them."""

    def acknowledge(self) -> None:
        """Give back the room of all records that were read."""

    def pending(self) -> int:
        """Return the bytes that are not acknowledged, with the headers of the records; 0 where that is not known."""
        return 0

    def close(self) -> None:
        """Release the rings. Further calls do nothing."""

    def _fill(self, horizon: int) -> bool:
        raise NotImplementedError


def create_ring(name: str, size: int) -> Descriptor:
    """Return a new ring of this many bytes, a power of two of pages. Raises `OSError`."""
    return Descriptor(library().bpf_map_create(MAP_RINGBUF, name.encode(), 0, 0, size, None))


class _Ring(Handle):
    """One mapped ring."""

    def __init__(self, lib: Libbpf, map_fd: int, size: int) -> None:
        super().__init__(lib, lib.pyloader_ring__new(map_fd, size))

    def _release(self, pointer: Pointer) -> None:
        self._library.pyloader_ring__free(pointer)


class RingReader(Reader):
    """Reads ring buffers, given as descriptor and size in bytes, one after the other.

    A record is there again for the next reader until it is acknowledged, or committed if there is an array map of
    positions, with one for each ring.
    """

    def __init__(
        self,
        rings: list[tuple[int, int]],
        *,
        positions_fd: int | None = None,
        capacity: int = 256 * 1024,
        max_records: int = 4_096,
    ) -> None:
        super().__init__(capacity=capacity, max_records=max_records)
        self._positions_fd = positions_fd
        self._library = library()
        self._fds = [fd for fd, _ in rings]
        self._rings: list[_Ring] = []
        try:
            for fd, size in rings:
                self._rings.append(_Ring(self._library, fd, size))
            if positions_fd is not None:
                for index, ring in enumerate(self._rings):
                    (position,) = read_numbers(positions_fd, index, "=Q")
                    self._library.pyloader_ring__seek(ring.pointer, int(position))
        except BaseException:
            self.close()
            raise

    def filenos(self) -> list[int]:
        """Return the descriptors of the maps."""
        return self._fds

    def oldest(self) -> int | None:
        """Return the timestamp (ns) of the oldest record that waits, or `None` if there is none."""
        stamp = min(self._library.pyloader_ring__oldest(ring.pointer) for ring in self._rings)
        return stamp if stamp != _NOTHING else None

    def commit(self) -> None:
        """Remember in the kernel that all records that were read are dealt with: no other reader will get them."""
        if self._positions_fd is None:
            return
        for index, ring in enumerate(self._rings):
            position = self._library.pyloader_ring__position(ring.pointer)
            write_numbers(self._positions_fd, index, "=Q", position)

    def acknowledge(self) -> None:
        """Give back the room of all records that were read."""
        for ring in self._rings:
            self._library.pyloader_ring__acknowledge(ring.pointer)

    def pending(self) -> int:
        """Return the bytes that are not acknowledged, with the headers of the records."""
        return sum(self._library.pyloader_ring__pending(ring.pointer) for ring in self._rings)

    def close(self) -> None:
        """Unmap the rings. Further calls do nothing."""
        for ring in self._rings:
            ring.close()

    def _fill(self, horizon: int) -> bool:
        full = 0
        for ring in self._rings:
            full |= self._library.pyloader_ring__read(ring.pointer, self._batch, horizon)
        return bool(full)


class _Perf(Handle):
    """The perf buffers of all CPUs."""

    def __init__(self, lib: Libbpf, map_fd: int, bytes_per_cpu: int) -> None:
        super().__init__(lib, lib.pyloader_perf__new(map_fd, bytes_per_cpu))

    def _release(self, pointer: Pointer) -> None:
        self._library.pyloader_perf__free(pointer)


class PerfReader(Reader):
    """Reads a perf event array, the transport of kernels before 5.8. What is read is acknowledged."""

    def __init__(self, map_fd: int, *, bytes_per_cpu: int = 256 * 1024) -> None:
        super().__init__(capacity=bytes_per_cpu, max_records=bytes_per_cpu // _LEAST_SAMPLE)
        self._library = library()
        self._perf = _Perf(self._library, map_fd, bytes_per_cpu)

    def filenos(self) -> list[int]:
        """Return the descriptor that covers the buffers of all CPUs."""
        return [self._library.pyloader_perf__epoll_fd(self._perf.pointer)]

    def close(self) -> None:
        """Close the buffers. Further calls do nothing."""
        self._perf.close()

    def _fill(self, horizon: int) -> bool:  # noqa: ARG002 -- a perf buffer is read whole.
        return bool(self._library.pyloader_perf__read(self._perf.pointer, self._batch))
