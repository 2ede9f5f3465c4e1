"""Rings that a test lays out in memory, as the kernel lays out its own."""

import ctypes
import os

from tests.build.draining import PAGE, Reader

BUSY, DISCARDED = 1 << 31, 1 << 30
"""BPF_RINGBUF_BUSY_BIT and BPF_RINGBUF_DISCARD_BIT of linux/bpf.h."""


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


def stamped(stamp: int, length: int = 14) -> bytes:
    """Return a record with a timestamp, as far as a ring looks at it."""
    return (b"\xdc\x00\x02\xcc\x01\xcf" + stamp.to_bytes(8, "big")).ljust(length, b"\x07")
