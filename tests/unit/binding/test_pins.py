"""Names in bpffs, and what the kernel tells of what they name."""

import ctypes
import os
from pathlib import Path
from typing import Any

import pytest

from pyloader.binding import Descriptor, MapInfo, ProgramInfo, map_info, open_pinned, pin, program_info


class _FakeLibbpf:
    """A kernel whose pins are a dictionary and that fills every description with ones."""

    def __init__(self) -> None:
        self.pinned: dict[bytes, int] = {}

    def bpf_obj_pin(self, fd: int, path: bytes) -> int:
        """Remember the name."""
        self.pinned[path] = fd
        return 0

    def bpf_obj_get(self, path: bytes) -> int:
        """Return another descriptor of what is pinned there."""
        if path not in self.pinned:
            raise OSError(2, "No such file or directory")
        return os.dup(self.pinned[path])

    def bpf_obj_get_info_by_fd(self, fd: int, info: Any, size: Any) -> int:  # noqa: ANN401 -- references of ctypes.
        """Fill as many bytes as this kernel knows: less than is asked for."""
        if fd < 0:
            raise OSError(9, "Bad file descriptor")
        known = min(size._obj.value, 32)  # noqa: SLF001 -- what a ctypes reference refers to.
        ctypes.memmove(info, b"\1" * known, known)
        return 0


@pytest.fixture(name="libbpf", autouse=True)
def _libbpf(monkeypatch: pytest.MonkeyPatch) -> _FakeLibbpf:
    """Put the fake in place of the library."""
    libbpf = _FakeLibbpf()
    monkeypatch.setattr("pyloader.binding.pins.library", lambda: libbpf)
    return libbpf


def _is_open(descriptor: int) -> bool:
    return Path(f"/proc/self/fd/{descriptor}").exists()


def test_pin_and_open(libbpf: _FakeLibbpf, tmp_path: Path) -> None:
    """What is pinned under a name, whatever its bytes, is opened by that name, and closed once."""
    path = tmp_path / "n\udcffme"
    with Path("/dev/null").open("rb") as file:
        pin(file.fileno(), path)
        opened = open_pinned(path)
    number = opened.fileno()

    assert list(libbpf.pinned) == [os.fsencode(path)]
    assert _is_open(number)
    opened.close()
    opened.close()
    assert not _is_open(number)
    assert opened.fileno() == -1


def test_name_of_nothing(tmp_path: Path) -> None:
    """A name under which nothing is pinned is an error of the system."""
    with pytest.raises(FileNotFoundError):
        open_pinned(tmp_path / "missing")


def test_context_closes() -> None:
    """Leaving the context gives the descriptor back, with an exception as well."""
    number = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(KeyError), Descriptor(number):
        raise KeyError

    assert not _is_open(number)


def test_descriptions() -> None:
    """What an older kernel does not tell stays 0; a bad descriptor is an error."""
    program = program_info(3)

    assert (program.id, program.run_cnt, program.verified_insns) == (0x01010101, 0, 0)
    assert map_info(3).layout == (0x01010101,) * 5
    with pytest.raises(OSError, match="Bad file descriptor"):
        map_info(-1)


def test_layout_leaves_out_the_identity() -> None:
    """Two maps of one form have one layout, whatever their number and their name."""
    one = MapInfo(type=27, id=1, max_entries=65_536, name=b"vital")
    other = MapInfo(type=27, id=2, max_entries=65_536, name=b"other")

    assert one.layout == other.layout
    other.max_entries *= 2
    assert one.layout != other.layout


@pytest.mark.parametrize(
    ("structure", "field", "offset"),
    [
        (MapInfo, "name", 24),
        (ProgramInfo, "load_time", 40),
        (ProgramInfo, "name", 64),
        (ProgramInfo, "btf_id", 128),
        (ProgramInfo, "run_time_ns", 192),
        (ProgramInfo, "run_cnt", 200),
        (ProgramInfo, "verified_insns", 216),
    ],
)
def test_offsets(structure: type[ctypes.Structure], field: str, offset: int) -> None:
    """The fields lie where the kernel's headers have them (`pahole bpf_map_info bpf_prog_info`)."""
    assert offset == getattr(structure, field).offset
