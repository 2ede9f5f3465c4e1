"""Read records from BPF ring buffers, or a perf buffer, in batches.

One foreign call drains what is committed into one buffer, behind room for a MessagePack array header, so that one call
of the decoder turns a batch into structs. The walk of the ring itself is done in C (`bpf/library/drain.c`): it needs
acquire loads, which Python does not have.
"""

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

from pyloader.binding.handle import Handle
from pyloader.binding.library import Pointer, library

RECORD_LIMIT = 8_192
"""No record is longer (`RECORD_LIMIT` in bpf/workspace.bpf.h)."""

_HEADER = 5
"""Bytes of a MessagePack `array 32` header, `ARRAY_HEADER` of `pyloader.records.codec`."""


_LEAST_SAMPLE = 16
"""No sample of a perf buffer takes fewer bytes (`LEAST_SAMPLE` in bpf/library/drain.c)."""


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


class Reader(Handle):
    """The consumer of what a monitor writes. `capacity` bounds the bytes of a batch, `max_records` its records."""

    def __init__(self, pointer: Pointer, *, capacity: int, max_records: int) -> None:
        super().__init__(library(), pointer)
        self._capacity = capacity
        self._max_records = max_records
        self._buffer = bytearray(_HEADER + capacity)
        self._target = (ctypes.c_char * capacity).from_buffer(self._buffer, _HEADER)
        self._ends = (ctypes.c_uint32 * max_records)()

    def fileno(self) -> int:
        """Return a descriptor that polls readable while records wait.

        It does so, too, while the oldest record is still being written: when a read then gives nothing, pause a little.
        """
        return self._library.pyloader_drain__epoll_fd(self.pointer)

    def read(self) -> Batch | None:
        """Take committed records out, at most one buffer full; `None` if there are none."""
        count = self._library.pyloader_drain__read(
            self.pointer, self._target, self._capacity, self._ends, self._max_records
        )
        if not count:
            return None
        ends = [_HEADER + end for end in self._ends[:count]]
        self._buffer[:_HEADER] = b"\xdd" + count.to_bytes(4, "big")
        return Batch(memoryview(self._buffer)[: ends[-1]].toreadonly(), ends)

    @property
    def pending(self) -> int:
        """Bytes that wait, with the headers of the records; 0 where the kernel does not tell."""
        return self._library.pyloader_drain__pending(self.pointer)

    @property
    def refused(self) -> int:
        """Records longer than `RECORD_LIMIT`, which were thrown away."""
        return self._library.pyloader_drain__refused(self.pointer)

    def _release(self, pointer: Pointer) -> None:
        self._library.pyloader_drain__free(pointer)


class RingReader(Reader):
    """Reads ring buffers: of each all that is there, in the order of the maps."""

    def __init__(self, map_fds: Sequence[int], *, capacity: int = 256 * 1024, max_records: int = 4_096) -> None:
        fds = (ctypes.c_int * len(map_fds))(*map_fds)
        pointer = library().pyloader_drain__new(fds, len(map_fds), RECORD_LIMIT)
        super().__init__(pointer, capacity=capacity, max_records=max_records)


class PerfReader(Reader):
    """Reads a perf event array, the transport of kernels before 5.8: of each CPU all that is there."""

    def __init__(self, map_fd: int, *, bytes_per_cpu: int = 256 * 1024) -> None:
        pointer = library().pyloader_drain__new_perf(map_fd, bytes_per_cpu, RECORD_LIMIT)
        super().__init__(pointer, capacity=bytes_per_cpu, max_records=bytes_per_cpu // _LEAST_SAMPLE)
