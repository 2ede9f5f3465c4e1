"""Where a MessagePack value ends, without decoding it.

A recording holds records back to back, and msgspec decodes only values of known extent. Of each value its marker tells
either the size, or where to find the size, or how many values follow inside it
(https://github.com/msgpack/msgpack/blob/master/spec.md).
"""

from pyloader.errors import RecordingError

_VALUE_LIMIT = 1 << 16
"""More values than any record holds; what claims more is damage."""


def _fixed_sizes() -> dict[int, int]:
    sizes = dict.fromkeys([*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3], 1)
    sizes |= {marker: 1 + (marker & 0x1F) for marker in range(0xA0, 0xC0)}
    sizes |= {0xCA: 5, 0xCB: 9}
    sizes |= {0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9}
    sizes |= {0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18}
    return sizes


_FIXED = _fixed_sizes()
_LENGTH_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4}
_EXTENSION = {0xC7, 0xC8, 0xC9}
_COUNT_BYTES = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}
_MAPS = {0xDE, 0xDF, *range(0x80, 0x90)}


class CutOffError(RecordingError):
    """The data end inside a value."""


def value_end(data: bytes | bytearray | memoryview, begin: int) -> int:
    """Return the offset just past the value that begins at `begin`.

    Raises `CutOffError` if the data end before the value does, and `RecordingError` if what stands there cannot be a
    value. Every step consumes at least one byte, so the work is bounded by the size of the data.
    """
    at, missing, size = begin, 1, len(data)
    while missing:
        if at >= size:
            raise CutOffError(_at("the data end inside a record", begin), offset=begin)
        marker = data[at]
        missing -= 1
        if (fixed := _FIXED.get(marker)) is not None:
            at += fixed
        elif (width := _LENGTH_BYTES.get(marker)) is not None:
            at += 1 + width + int.from_bytes(data[at + 1 : at + 1 + width], "big") + (marker in _EXTENSION)
        elif marker == 0xC1:  # noqa: PLR2004 -- the one marker that MessagePack never uses.
            raise RecordingError(_at("this is no record", begin), offset=begin)
        else:
            width = _COUNT_BYTES.get(marker, 0)
            count = int.from_bytes(data[at + 1 : at + 1 + width], "big") if width else marker & 0x0F
            missing += 2 * count if marker in _MAPS else count
            at += 1 + width
            if missing > _VALUE_LIMIT:
                raise RecordingError(_at("this claims to be larger than any record", begin), offset=begin)
    if at > size:
        raise CutOffError(_at("the data end inside a record", begin), offset=begin)
    return at


def _at(what: str, offset: int) -> str:
    return f"{what}, at byte {offset}"
