"""A snapshot as a file: from the first byte it tells what it is, and with the last ones whether it is whole.

    magic | format (2 bytes) | size of the header (4 bytes) | header | sections | BLAKE2b of all before (32 bytes)

Numbers are big-endian and the header is MessagePack. Every later format keeps the magic, the place of its number and
the digest, so that a version which does not know it can still tell it from damage.
"""

import hashlib
from typing import Final

import msgspec

from pyloader.errors import NewerStateError, StateError

FORMAT: Final = 1

_MAGIC: Final = b"pyloader state\n"
_DIGEST: Final = 32
_BEGIN: Final = len(_MAGIC) + 6


class Snapshot(msgspec.Struct, frozen=True):
    """What a sensor knew at one moment.

    `version` is that of the package which wrote it, `boot_id` the boot that its times are of, `realtime_offset`
    CLOCK_REALTIME minus CLOCK_BOOTTIME (ns), `time` when it was taken (ns since 1970), and `sections` the contents by
    name.
    """

    version: str
    boot_id: str
    realtime_offset: int
    time: int
    sections: dict[str, bytes]


class _Header(msgspec.Struct, array_like=True, frozen=True):
    version: str
    boot_id: str
    realtime_offset: int
    time: int
    sizes: dict[str, int]


def pack(snapshot: Snapshot) -> bytes:
    """Return the contents of the file."""
    sizes = {name: len(section) for name, section in snapshot.sections.items()}
    header = msgspec.msgpack.encode(
        _Header(snapshot.version, snapshot.boot_id, snapshot.realtime_offset, snapshot.time, sizes)
    )
    head = _MAGIC + FORMAT.to_bytes(2, "big") + len(header).to_bytes(4, "big") + header
    data = b"".join([head, *snapshot.sections.values()])
    return data + _digest(data)


def unpack(data: bytes) -> Snapshot:
    """Return the snapshot in a file.

    Raises `NewerStateError` if a later version of pyloader wrote it, and `StateError` if it is none or damaged.
    """
    view = memoryview(data)
    if not data.startswith(_MAGIC) or len(data) < _BEGIN + _DIGEST or _digest(view[:-_DIGEST]) != data[-_DIGEST:]:
        message = "it is no snapshot, or it is damaged"
        raise StateError(message)
    found = int.from_bytes(data[_BEGIN - 6 : _BEGIN - 4], "big")
    if found > FORMAT:
        message = f"it has format {found}, and this version of pyloader knows none above {FORMAT}"
        raise NewerStateError(message)
    end = _BEGIN + int.from_bytes(data[_BEGIN - 4 : _BEGIN], "big")
    try:
        header = _DECODER.decode(view[_BEGIN:end])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = "its header cannot be read"
        raise StateError(message) from error
    sections = {}
    for name, size in header.sizes.items():
        sections[name] = data[end : end + size]
        end += size
    if end != len(data) - _DIGEST:
        message = "its sections have not the sizes that its header tells"
        raise StateError(message)
    return Snapshot(header.version, header.boot_id, header.realtime_offset, header.time, sections)


_DECODER: Final = msgspec.msgpack.Decoder(_Header)


def _digest(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()
