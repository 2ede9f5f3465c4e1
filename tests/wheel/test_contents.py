"""The wheel holds everything that the package needs at run time, and nothing else."""

import hashlib
import io
from pathlib import Path

from elftools.elf.elffile import ELFFile

ROOT = Path(__file__).resolve().parents[2]


def test_every_program_has_its_object(files: dict[str, bytes]) -> None:
    """Each BPF program of the checkout ships as one object, and no other object ships."""
    programs = {f"pyloader/objects/{path.stem}.o" for path in (ROOT / "bpf").glob("*_monitor.bpf.c")}

    assert programs
    assert {name for name in files if name.endswith(".bpf.o")} == programs


def test_objects_fit_their_manifest(files: dict[str, bytes]) -> None:
    """The manifest in the wheel lists the checksum of every object in it."""
    lines = files["pyloader/objects/SHA256SUMS"].decode().splitlines()
    listed = {f"pyloader/objects/{name}": digest for digest, name in (line.split("  ") for line in lines)}
    shipped = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name.endswith(".bpf.o")}

    assert listed == shipped


def test_objects_carry_btf_and_no_dwarf(files: dict[str, bytes]) -> None:
    """Objects keep the type information that relocates them and lose the debug information."""
    for name, data in files.items():
        if name.endswith(".bpf.o"):
            sections = {section.name for section in ELFFile(io.BytesIO(data)).iter_sections()}

            assert {".BTF", ".BTF.ext", "license"} <= sections
            assert not [section for section in sections if ".debug_" in section]


def test_the_library_is_the_only_binary(files: dict[str, bytes]) -> None:
    """One shared library ships, and besides the BPF objects no other ELF file does."""
    binaries = {name for name, data in files.items() if data.startswith(b"\x7fELF") and not name.endswith(".bpf.o")}

    assert binaries == {"pyloader/lib/libbpf.so.1"}


def test_licences_of_all_parts_ship(files: dict[str, bytes]) -> None:
    """Our licence and those of the three libraries inside the bundled one are in the metadata."""
    shipped = {name.partition(".dist-info/licenses/")[2] for name in files if ".dist-info/licenses/" in name}

    assert shipped == {
        "LICENSE",
        "elfutils/COPYING",
        "elfutils/COPYING-GPLV2",
        "elfutils/COPYING-LGPLV3",
        "libbpf/LICENSE",
        "libbpf/LICENSE.BSD-2-Clause",
        "libbpf/LICENSE.LGPL-2.1",
        "zlib/LICENSE",
    }


def test_package_data_ships(files: dict[str, bytes]) -> None:
    """The marker of inline types and at least one sample recording are in the package."""
    assert "pyloader/py.typed" in files
    assert [name for name in files if name.startswith("pyloader/samples/") and name.endswith(".rec")]


def test_only_the_package_ships(files: dict[str, bytes]) -> None:
    """Neither tests nor kernel sources nor caches are in the wheel."""
    tops = {name.partition("/")[0] for name in files}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"pyloader"}
    assert not [name for name in files if "__pycache__" in name]


def test_the_tag_needs_no_interpreter_version(wheel: Path, files: dict[str, bytes]) -> None:
    """The metadata says what the file name says: any CPython 3, one platform, not pure."""
    (metadata,) = (data.decode() for name, data in files.items() if name.endswith(".dist-info/WHEEL"))
    tag = wheel.stem.partition("0-")[2]

    assert f"Tag: {tag}\n" in metadata + "\n"
    assert "Root-Is-Purelib: false" in metadata
