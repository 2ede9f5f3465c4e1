"""Put the forward declarations of a BTF section into an order of their own.

Clang declares the structures that are only pointed at last, in the order in which they lie in its memory, and that
changes with the lengths of paths. Everything else comes in the order of the source. So each run of forward
declarations, and the names that came with it, are sorted by name. Format: Documentation/bpf/btf.rst in the kernel's
sources.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

_HEADER = struct.Struct("<HBBIIIII")
_WORD = struct.Struct("<I")
_TYPE_SIZE = 12

_FORWARD = 7
# What stands behind a type: the bytes of each of its entries, or of the one that it has.
_ENTRY_SIZES = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
_TRAILER_SIZES = {1: 4, 3: 12, 14: 4, 17: 4}
# Kinds whose third word is a type: pointers, names and qualifiers, functions and what they are declared as.
_REFERRING = {2, 8, 9, 10, 11, 12, 13, 14, 17, 18}
# Where in an entry, or in the trailer, a type stands.
_TYPES_IN_ENTRY = {4: (4,), 5: (4,), 13: (4,), 15: (0,)}
_TYPES_IN_TRAILER = {3: (0, 4)}
# Entries that begin with a name.
_NAMED_ENTRIES = {4, 5, 6, 13, 19}


class _Type(NamedTuple):
    """Where a type stands, its kind, and how many entries it has."""

    at: int
    kind: int
    entries: int


def with_sorted_forwards(section: bytes) -> bytes:
    """Return a `.BTF` section with each run of forward declarations sorted by name; its size stays the same."""
    data = bytearray(section)
    _, _, _, header, types_at, types_size, strings_at, _ = _HEADER.unpack_from(data)
    first, strings = header + types_at, header + strings_at
    types = list(_types(data, first, first + types_size))
    places = {number: one.at for number, one in enumerate(types, 1) if one.kind == _FORWARD}
    forwards = list(places)
    numbers = _sort_entries(data, strings, forwards, places)
    names = _sort_names(data, strings, sorted({_word(data, at) for at in places.values()}))
    for one in types:
        _refer(data, one, numbers, names)
    return bytes(data)


def _sort_entries(data: bytearray, strings: int, forwards: list[int], places: dict[int, int]) -> dict[int, int]:
    """Sort the declarations that follow each other; return the new number of each."""
    numbers: dict[int, int] = {}
    for run in _runs(forwards, lambda _: 1):
        entries = {number: bytes(data[places[number] :][:_TYPE_SIZE]) for number in run}
        order = sorted(run, key=lambda number: _name(data, strings, _word(data, places[number])))
        moved = dict(zip(order, run, strict=True))
        for old, new in moved.items():
            data[places[new] : places[new] + _TYPE_SIZE] = entries[old]
        numbers |= moved
    return numbers


def _sort_names(data: bytearray, strings: int, offsets: list[int]) -> dict[int, int]:
    """Sort the names that stand behind each other; return the new offset of each."""
    names: dict[int, int] = {}
    for run in _runs(offsets, lambda offset: len(_name(data, strings, offset)) + 1):
        ordered = sorted((_name(data, strings, offset), offset) for offset in run)
        place = run[0]
        for name, offset in ordered:
            names[offset] = place
            place += len(name) + 1
        data[strings + run[0] : strings + place] = b"".join(name + b"\0" for name, _ in ordered)
    return names


def _refer(data: bytearray, one: _Type, numbers: dict[int, int], names: dict[int, int]) -> None:
    """Let a type refer to the new numbers and names."""
    at, kind, entries = one
    _replace(data, at, names)
    if kind in _REFERRING:
        _replace(data, at + 8, numbers)
    for offset in _TYPES_IN_TRAILER.get(kind, ()):
        _replace(data, at + _TYPE_SIZE + offset, numbers)
    for entry in range(entries if kind in _ENTRY_SIZES else 0):
        start = at + _TYPE_SIZE + entry * _ENTRY_SIZES[kind]
        if kind in _NAMED_ENTRIES:
            _replace(data, start, names)
        for offset in _TYPES_IN_ENTRY.get(kind, ()):
            _replace(data, start + offset, numbers)


def _types(data: bytearray, at: int, end: int) -> Iterator[_Type]:
    """Yield the types in the order of their numbers."""
    while at < end:
        info = _word(data, at + 4)
        kind, count = info >> 24 & 0x1F, info & 0xFFFF
        yield _Type(at, kind, count)
        at += _TYPE_SIZE + _TRAILER_SIZES.get(kind, 0) + _ENTRY_SIZES.get(kind, 0) * count


def _runs(numbers: list[int], size: Callable[[int], int]) -> Iterator[list[int]]:
    """Yield the numbers that follow each other without a gap, where each takes up its size."""
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + size(run[-1]):
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _name(data: bytearray, strings: int, offset: int) -> bytes:
    start = strings + offset
    return bytes(data[start : data.index(0, start)])


def _word(data: bytearray, at: int) -> int:
    return int(_WORD.unpack_from(data, at)[0])


def _replace(data: bytearray, at: int, mapping: dict[int, int]) -> None:
    _WORD.pack_into(data, at, mapping.get(_word(data, at), _word(data, at)))
