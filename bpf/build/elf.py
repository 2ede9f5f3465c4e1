"""Remove DWARF from a BPF object.

Clang makes `.BTF` from the same debug information as DWARF, so objects are compiled with `-g` and carry both,
although nothing reads the DWARF and it is most of the file. `llvm-strip` is not part of the pinned compiler, and
the objects must come out the same wherever they are built, so the sections are taken out here. Only the little-endian
64-bit relocatable files are handled that `-target bpfel` produces.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bpf.build.btf import with_sorted_forwards
from bpf.build.failure import BuildError

_FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQ")

_MAGIC = b"\x7fELF\x02\x01"
_SYMBOL_TABLE, _NO_BITS, _RELOCATIONS = 2, 8, 9
_FIRST_RESERVED_INDEX = 0xFF00

# `.llvm_addrsig` lists symbols by number for a linker; no linker follows, and the numbers change here.
_UNWANTED = (".debug_", ".rel.debug_", ".llvm_addrsig")


@dataclass(frozen=True)
class _Section:
    """A section header, field by field as in the file, and what it describes."""

    name_offset: int
    kind: int
    flags: int
    address: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int
    name: str
    content: bytes


def without_debug_sections(image: bytes) -> bytes:
    """Return the object file `image` without its DWARF sections and the symbols that stand for them."""
    header, sections = _read(image)
    kept = [index for index, section in enumerate(sections) if not section.name.startswith(_UNWANTED)]
    new_index = {old: new for new, old in enumerate(kept)}
    symbol_numbers: dict[int, dict[int, int]] = {}
    for index in kept:
        if sections[index].kind == _SYMBOL_TABLE:
            sections[index], symbol_numbers[index] = _renumber_symbols(sections[index], new_index)
    for index in kept:
        section = sections[index]
        if section.kind == _RELOCATIONS:
            sections[index] = _renumber_relocations(section, symbol_numbers[section.link], new_index)
        elif section.name == ".BTF":
            sections[index] = replace(section, content=with_sorted_forwards(section.content))
    result = [replace(sections[index], link=new_index[sections[index].link]) for index in kept]
    return _write(header, result, new_index)


def _read(image: bytes) -> tuple[tuple[int, ...], list[_Section]]:
    """Take the file apart into its header's fields and its sections."""
    if not image.startswith(_MAGIC):
        message = "the compiler did not write a little-endian 64-bit ELF file"
        raise BuildError(message)
    header = _FILE_HEADER.unpack_from(image)
    table, count, names_index = header[6], header[12], header[13]
    rows = [_SECTION_HEADER.unpack_from(image, table + i * _SECTION_HEADER.size) for i in range(count)]
    names_at = rows[names_index][4]
    sections = []
    for name, kind, flags, address, offset, size, link, info, alignment, entry_size in rows:
        start = names_at + name
        text = image[start : image.index(b"\0", start)].decode()
        content = b"" if kind == _NO_BITS else image[offset : offset + size]
        sections.append(_Section(name, kind, flags, address, size, link, info, alignment, entry_size, text, content))
    return header, sections


def _renumber_symbols(table: _Section, new_index: dict[int, int]) -> tuple[_Section, dict[int, int]]:
    """Drop the symbols of removed sections; return the table and the new number of each symbol left."""
    rows: list[bytes] = []
    numbers: dict[int, int] = {}
    local_count = 0
    for number, symbol in enumerate(_SYMBOL.iter_unpack(table.content)):
        name, info, other, section, value, size = symbol
        if section < _FIRST_RESERVED_INDEX:
            if section not in new_index:
                continue
            section = new_index[section]
        numbers[number] = len(rows)
        rows.append(_SYMBOL.pack(name, info, other, section, value, size))
        # `sh_info` of a symbol table is the number of its local symbols, which come first.
        local_count += number < table.info
    content = b"".join(rows)
    return replace(table, content=content, size=len(content), info=local_count), numbers


def _renumber_relocations(table: _Section, numbers: dict[int, int], new_index: dict[int, int]) -> _Section:
    """Point a kept section's relocations to the new symbol numbers."""
    rows = []
    for offset, info in _RELOCATION.iter_unpack(table.content):
        symbol, kind = info >> 32, info & 0xFFFFFFFF
        rows.append(_RELOCATION.pack(offset, numbers[symbol] << 32 | kind))
    return replace(table, content=b"".join(rows), info=new_index[table.info])


def _write(header: tuple[int, ...], sections: Sequence[_Section], new_index: dict[int, int]) -> bytes:
    """Put header and sections together, contents first and the section table last."""
    image = bytearray(_FILE_HEADER.size)
    rows = []
    for section in sections:
        image += bytes(-len(image) % max(section.alignment, 1))
        rows.append(
            _SECTION_HEADER.pack(
                section.name_offset,
                section.kind,
                section.flags,
                section.address,
                len(image) if section.kind else 0,
                section.size,
                section.link,
                section.info,
                section.alignment,
                section.entry_size,
            )
        )
        image += section.content
    image += bytes(-len(image) % 8)
    table = len(image)
    fields = (*header[:6], table, *header[7:12], len(sections), new_index[header[13]])
    image[: _FILE_HEADER.size] = _FILE_HEADER.pack(*fields)
    return bytes(image + b"".join(rows))
