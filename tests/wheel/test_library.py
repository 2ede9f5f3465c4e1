"""The bundled library runs on every glibc since 2.17 and shows only what is meant to be used."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.sections import SymbolTableSection

LIBC_FAMILY = ("libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1")
PUBLIC = (
    *("bpf_", "btf__", "btf_dump__", "btf_ext__", "libbpf_", "perf_buffer__"),
    *("ring__", "ring_buffer__", "user_ring_buffer__", "pyloader_"),
    # The names of the versions themselves.
    *("LIBBPF_", "PYLOADER_"),
)


@pytest.fixture(name="library", scope="module")
def _library(files: dict[str, bytes]) -> ELFFile:
    """Return the bundled library of the wheel."""
    return ELFFile(io.BytesIO(files["pyloader/lib/libbpf.so.1"]))


def _exported(library: ELFFile) -> set[str]:
    table = library.get_section_by_name(".dynsym")
    assert isinstance(table, SymbolTableSection)
    return {symbol.name for symbol in table.iter_symbols() if symbol["st_shndx"] != "SHN_UNDEF" and symbol.name}


def test_built_for_the_architecture_of_the_tag(wheel: Path, library: ELFFile) -> None:
    """The library's machine is the one in the wheel's file name."""
    machine = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64"}[library["e_machine"]]

    assert wheel.stem.endswith(machine)


def test_needs_only_the_c_library(library: ELFFile) -> None:
    """No library outside the libc family is needed, so nothing has to be installed for it."""
    dynamic = library.get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    needed = {getattr(tag, "needed", None) for tag in dynamic.iter_tags("DT_NEEDED")}

    assert needed <= set(LIBC_FAMILY)


def test_needs_no_newer_glibc(library: ELFFile) -> None:
    """No symbol of glibc after version 2.17 is used."""
    section = library.get_section_by_name(".gnu.version_r")
    assert isinstance(section, GNUVerNeedSection)
    versions = {aux.name for _, names in section.iter_versions() for aux in names}
    newest = max(tuple(map(int, version.removeprefix("GLIBC_").split("."))) for version in versions)

    assert newest <= (2, 17)


def test_exports_only_public_names(library: ELFFile) -> None:
    """The drain and all of libbpf's interface are visible, libelf and zlib are not."""
    exported = _exported(library)

    assert {"bpf_object__open_file", "ring_buffer__consume_n", "pyloader_ring__read"} <= exported
    assert [name for name in exported if not name.startswith(PUBLIC)] == []


def test_auditwheel_agrees(wheel: Path) -> None:
    """`auditwheel` finds the wheel fit for the platform that its tag promises."""
    command = [sys.executable, "-m", "auditwheel", "show", str(wheel)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    machine = wheel.stem.rpartition("manylinux2014_")[2]

    assert f'platform tag: "manylinux_2_17_{machine}"' in " ".join(shown.split())
