"""Where the kernel's types come from."""

import struct
from pathlib import Path

import pytest

from pyloader.errors import KernelTypesError
from pyloader.kernel.types import kernel_types
from tests.unit.kernel.conftest import MakeHost

BTF = struct.pack("=HBBIIIII", 0xEB9F, 1, 0, 24, 0, 8, 8, 4) + bytes(12)


def _elf(machine: int) -> bytes:
    return b"\x7fELF" + bytes(14) + struct.pack("<H", machine) + bytes(44)


def test_types_of_the_kernel(make_host: MakeHost) -> None:
    """The kernel's own types are told with their file."""
    assert kernel_types(make_host()) == ("kernel types", "/sys/kernel/btf/vmlinux", None, "")


def test_kernel_without_types(make_host: MakeHost) -> None:
    """A kernel without BTF is named together with the option that it lacks and the option that helps."""
    problem = kernel_types(make_host({"/sys/kernel/btf/vmlinux": None})).problem

    assert isinstance(problem, KernelTypesError)
    assert "this kernel (5.4.0-custom) does not describe its types" in str(problem)
    assert "CONFIG_DEBUG_INFO_BTF=y" in str(problem)
    assert "--btf FILE" in str(problem)


@pytest.mark.parametrize("content", [BTF, _elf(62)], ids=["bare", "ELF"])
def test_types_from_a_file(make_host: MakeHost, tmp_path: Path, content: bytes) -> None:
    """A file of BTF, bare or in a kernel, does for a kernel that has none."""
    file = tmp_path / "kernel.btf"
    file.write_bytes(content)

    assert kernel_types(make_host({"/sys/kernel/btf/vmlinux": None}), file) == ("kernel types", str(file), None, "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "is damaged: it is too short to be BTF"),
        (b"words, not types, and enough", "is no BTF file"),
        (BTF[::-1], "is no BTF file"),
        (BTF[:-1], "is damaged: it was cut short"),
        (_elf(247), "is no kernel for x86_64"),
    ],
    ids=["missing", "empty", "words", "other byte order", "cut", "BPF object"],
)
def test_file_that_does_not_do(make_host: MakeHost, tmp_path: Path, content: bytes | None, reason: str) -> None:
    """A file that is not BTF for this machine is told by name, with what is wanted."""
    file = tmp_path / "kernel.btf"
    if content is not None:
        file.write_bytes(content)
    problem = kernel_types(make_host(), file).problem

    assert isinstance(problem, KernelTypesError)
    assert str(problem) == (f"{file} {reason}: give --btf a BTF file that was made for this kernel, 5.4.0-custom")
