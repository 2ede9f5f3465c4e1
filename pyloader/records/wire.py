"""What a field looks like on the wire.

Every record is one MessagePack array ``[tag, timestamp, …]``. The kernel writes each field with a fixed width, so
that a program can fill a record with stores at constant offsets; msgspec accepts any width. The annotations below
say that width once: the decoder takes the plain Python type from them, and `pyloader.records.generate` takes the
encoding for the C side.
"""

from typing import Annotated, NamedTuple

import msgspec


class Unsigned(NamedTuple):
    """An unsigned integer of `width` bytes, big-endian, behind its MessagePack marker (`0xcc` to `0xcf`)."""

    width: int


class Padded(NamedTuple):
    """A `bin` of exactly `size` bytes, filled up with NUL bytes."""

    size: int


class Variable(NamedTuple):
    """A `bin 16` of up to `limit` bytes. Variable fields stand last, behind all fields of fixed width."""

    limit: int


U8 = Annotated[int, Unsigned(1)]
U16 = Annotated[int, Unsigned(2)]
U32 = Annotated[int, Unsigned(4)]
U64 = Annotated[int, Unsigned(8)]
Comm = Annotated[bytes, Padded(16)]
Address = Annotated[bytes, Padded(16)]
"""An IPv6 address, or an IPv4 address as `::ffff:a.b.c.d`, in network order."""
FileName = Annotated[bytes, Variable(512)]
Path = Annotated[bytes, Variable(1024)]
Counts = Annotated[bytes, Variable(2048)]
"""Numbers of one width, big-endian, in a row."""
Arguments = Annotated[bytes, Variable(4096)]


class Record(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The base of every record: `timestamp` is nanoseconds of CLOCK_BOOTTIME."""

    timestamp: U64


def text(raw: bytes) -> str:
    """Kernel bytes as text: up to the first NUL, bytes that are not UTF-8 kept as surrogate escapes."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
