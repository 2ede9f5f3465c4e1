"""Whether a library can be loaded is told before the dynamic loader is asked."""

import os
from pathlib import Path

import pytest

from pyloader.binding import elf
from pyloader.binding.library import library_path


@pytest.fixture(name="bundled", scope="session")
def _bundled() -> bytes:
    """Return the library that ships."""
    return library_path().read_bytes()


def test_library_that_ships() -> None:
    """The bundled library has no defect."""
    assert elf.defect(library_path()) == ""


@pytest.mark.parametrize(
    ("begin", "replacement", "reason"),
    [
        (0, b"MZ", "is damaged: it is no shared library"),
        (4, b"\1", "is for "),
        (5, b"\2", "is for "),
        (18, (183).to_bytes(2, "little"), "is for aarch64, and this is x86_64"),
        (18, (243).to_bytes(2, "little"), "is for another machine (ELF number 243), and this is x86_64"),
    ],
    ids=["magic", "class", "byte order", "other machine", "unknown machine"],
)
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the expectations name the other machine")
def test_wrong_header(tmp_path: Path, bundled: bytes, begin: int, replacement: bytes, reason: str) -> None:
    """What is no library of this machine is told by what it is."""
    file = tmp_path / "libbpf.so.1"
    file.write_bytes(bundled[:begin] + replacement + bundled[begin + len(replacement) :])

    assert elf.defect(file).startswith(reason)


@pytest.mark.parametrize("part", [0.0, 0.00001, 0.0001, 0.5, 0.999])
def test_library_that_was_cut_short(tmp_path: Path, bundled: bytes, part: float) -> None:
    """However much is missing at the end, the file is damaged."""
    file = tmp_path / "libbpf.so.1"
    file.write_bytes(bundled[: int(len(bundled) * part)])

    assert elf.defect(file).startswith("is damaged: ")


@pytest.mark.parametrize(("name", "reason"), [("none", "is missing"), (".", "cannot be read: Is a directory")])
def test_library_that_cannot_be_read(tmp_path: Path, name: str, reason: str) -> None:
    """A file that is not there, or is none, is told."""
    assert reason == elf.defect(tmp_path / name)
