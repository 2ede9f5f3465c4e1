"""Taking DWARF out of an object leaves everything that libbpf reads as it was."""

import io
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from bpf.build import elf
from bpf.build.failure import BuildError

NAME = "sample_monitor.bpf.o"


@pytest.fixture(name="raw", scope="module")
def _raw(sample: Path) -> bytes:
    """Return the object as the compiler wrote it."""
    (path,) = (sample / ".build/objects").glob(f"*/{NAME}")
    return path.read_bytes()


def _sections(image: bytes) -> dict[str, bytes]:
    return {section.name: section.data() for section in ELFFile(io.BytesIO(image)).iter_sections()}


def _relocations(image: bytes) -> dict[str, list[tuple[int, int, str]]]:
    """Return each table's relocations with the name of what they point to, which no renumbering changes."""
    file = ELFFile(io.BytesIO(image))
    found = {}
    for table in file.iter_sections():
        if not isinstance(table, RelocationSection) or table.name.startswith(".rel.debug_"):
            continue
        symbols = file.get_section(table["sh_link"])
        assert isinstance(symbols, SymbolTableSection)
        rows = []
        for row in table.iter_relocations():
            symbol = symbols.get_symbol(row["r_info_sym"])
            name = symbol.name or file.get_section(symbol["st_shndx"]).name
            rows.append((row["r_offset"], row["r_info_type"], name))
        found[file.get_section(table["sh_info"]).name] = rows
    return found


def test_no_debug_section_is_left(raw: bytes) -> None:
    """The compiler's output has DWARF, the result has none, and only DWARF and the linker's hints are gone."""
    gone = _sections(raw).keys() - _sections(elf.without_debug_sections(raw)).keys()

    assert ".debug_info" in gone
    assert all(name.startswith((".debug_", ".rel.debug_")) or name == ".llvm_addrsig" for name in gone)


def test_what_is_kept_is_unchanged(raw: bytes) -> None:
    """Programs, maps, BTF and licence have the same bytes as before."""
    before, after = _sections(raw), _sections(elf.without_debug_sections(raw))

    for name in ("raw_tp", ".maps", ".BTF", ".BTF.ext", "license", ".strtab"):
        assert before[name] == after[name]


def test_relocations_point_to_the_same_things(raw: bytes) -> None:
    """Every relocation that is kept still names the same symbol or section."""
    after = _relocations(elf.without_debug_sections(raw))

    assert _relocations(raw) == after
    assert {"raw_tp", ".BTF", ".BTF.ext"} <= after.keys()


def test_local_symbols_are_counted(raw: bytes) -> None:
    """The symbol table's count of local symbols fits the symbols that are left."""
    table = ELFFile(io.BytesIO(elf.without_debug_sections(raw))).get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    bindings = [symbol["st_info"]["bind"] for symbol in table.iter_symbols()]

    assert table["sh_info"] == bindings.count("STB_LOCAL")
    assert bindings == sorted(bindings, key="STB_LOCAL".__ne__)


def test_is_idempotent(raw: bytes) -> None:
    """An object without DWARF comes out as it went in."""
    once = elf.without_debug_sections(raw)

    assert elf.without_debug_sections(once) == once


def test_other_files_are_refused() -> None:
    """A file that is no little-endian 64-bit ELF object is an error."""
    with pytest.raises(BuildError, match="little-endian"):
        elf.without_debug_sections(b"\x7fELF\x01\x01" + bytes(100))
