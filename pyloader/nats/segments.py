r"""What a file of the spool looks like: entries back to back, of which damage takes no more than it touches.

An entry is `C1 C1`, then the CRC-32 and the length (32 bits each, little-endian) of what follows: the entry as
MessagePack. Inside of an entry every byte `C1` is written as `C1 00`. So `C1 C1` stands nowhere but at a beginning,
whatever the entries hold, and reading goes on behind any damage at the next true beginning. (MessagePack itself never
uses `C1`, but text and numbers in it do.) The same idea as consistent overhead byte stuffing
(https://doi.org/10.1109/90.769765), with an escape that is found at the speed of memchr.
"""

import struct
import zlib
from typing import Final, NamedTuple

import msgspec

MARK: Final = b"\xc1\xc1"

_BYTE: Final = b"\xc1"
_ESCAPED: Final = b"\xc1\x00"
_HEAD: Final = struct.Struct("<II")


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One message that is to be published: its kind, the time it was handed over (ns since 1970), and itself."""

    kind: str
    time: int
    subject: str
    id: str
    data: bytes


class Read(NamedTuple):
    """What was read of a file.

    `ends[i]` is the offset just past entry i. `damaged` counts places where an entry must have been and is not; what
    may still be written, at the end, is not among them.
    """

    entries: list[Entry]
    ends: list[int]
    damaged: int


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Entry)


def frame(entry: Entry) -> bytes:
    """Return an entry as it stands in a file."""
    payload = _ENCODER.encode(entry)
    size = _HEAD.pack(0, len(payload))[4:]
    checksum = zlib.crc32(payload, zlib.crc32(size))
    return MARK + (_HEAD.pack(checksum, len(payload)) + payload).replace(_BYTE, _ESCAPED)


def read(data: bytes, *, at_end: bool) -> Read:
    """Return the entries in a part of a file that begins with an entry, or with damage.

    `at_end` says that nothing will follow: an entry that is cut off counts as damaged then.
    """
    entries: list[Entry] = []
    ends: list[int] = []
    if not at_end:
        # It may be the first half of a mark, and then belongs to what follows.
        data = data.rstrip(_BYTE)
    offset = data.find(MARK)
    if offset < 0:
        return Read(entries, ends, 1 if at_end and data else 0)
    damaged = int(offset > 0)
    for piece in data[offset + len(MARK) :].split(MARK):
        end = offset + len(MARK) + len(piece)
        entry, is_all = _entry(piece)
        if entry is not None:
            entries.append(entry)
            ends.append(end)
        if not is_all and (at_end or end < len(data)):
            damaged += 1
        offset = end
    return Read(entries, ends, damaged)


def _entry(piece: bytes) -> tuple[Entry | None, bool]:
    """Return the entry that a piece begins with, if it is undamaged, and whether there is nothing else in it."""
    # A byte before a mark that was changed into one of its own moves the mark; no entry begins with a bare one.
    if piece[:1] == _BYTE and piece[1:2] != b"\0":
        piece = piece[1:]
    body = piece.replace(_ESCAPED, _BYTE)
    if len(body) < _HEAD.size:
        return None, False
    checksum, size = _HEAD.unpack_from(body)
    payload = body[_HEAD.size : _HEAD.size + size]
    if len(payload) != size or zlib.crc32(payload, zlib.crc32(body[4:8])) != checksum:
        return None, False
    try:
        # A mark that is damaged leaves another entry behind this one.
        return _DECODER.decode(payload), len(body) == _HEAD.size + size
    except msgspec.DecodeError:
        return None, False
