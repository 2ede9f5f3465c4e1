"""Numbers in maps, among them those that every CPU keeps for itself."""

import ctypes
import struct
from typing import Any

import pytest

from pyloader.binding import PerCpuArray, read_numbers, write_numbers


class _FakeLibbpf:
    """A kernel with three CPUs and a map of two entries, which holds what is written."""

    def __init__(self) -> None:
        self.values: dict[int, bytes] = {}

    def libbpf_num_possible_cpus(self) -> int:
        """Return the number of CPUs."""
        return 3

    def bpf_map_lookup_elem(self, fd: int, key: Any, value: Any) -> int:  # noqa: ANN401 -- as C has it.
        """Put as many bytes as were written into the value, or zeros."""
        written = self.values.get(self._index(fd, key), bytes(ctypes.sizeof(value)))
        assert len(written) <= ctypes.sizeof(value)
        ctypes.memmove(value, written, len(written))
        return 0

    def bpf_map_update_elem(self, fd: int, key: Any, value: Any, flags: int) -> int:  # noqa: ANN401 -- as C has it.
        """Keep the value."""
        assert flags == 0
        self.values[self._index(fd, key)] = bytes(value)
        return 0

    def _index(self, fd: int, key: Any) -> int:  # noqa: ANN401 -- a reference of ctypes.
        assert fd == 9
        index = int(key._obj.value)  # noqa: SLF001 -- what a ctypes reference refers to.
        if index > 1:
            raise OSError(2, "No such file or directory")
        return index


@pytest.fixture(name="libbpf", autouse=True)
def _libbpf(monkeypatch: pytest.MonkeyPatch) -> _FakeLibbpf:
    """Put the fake in place of the library."""
    libbpf = _FakeLibbpf()
    monkeypatch.setattr("pyloader.binding.counters.library", lambda: libbpf)
    return libbpf


def test_numbers_by_cpu(libbpf: _FakeLibbpf) -> None:
    """The numbers of an entry are read for every possible CPU; what was read before does not change."""
    array = PerCpuArray(9, width=2)
    first = array.read(1)
    libbpf.values[1] = struct.pack("=6Q", 1, 2, 3, 4, 5, (1 << 64) - 1)

    assert array.read(1) == [(1, 2), (3, 4), (5, (1 << 64) - 1)]
    assert array.read(0) == [(0, 0)] * 3
    assert first == [(0, 0)] * 3


def test_numbers_are_written() -> None:
    """What is written is there when it is read, and only at its index."""
    array = PerCpuArray(9, width=1)
    array.write(1, [7, 0, 9])

    assert array.read(1) == [(7,), (0,), (9,)]
    assert array.read(0) == [(0,)] * 3


@pytest.mark.parametrize("numbers", [[1], [1, 2, 3, 4]])
def test_wrong_number_of_numbers(numbers: list[int]) -> None:
    """Numbers for more or fewer CPUs than there are, are refused: C would read past them."""
    with pytest.raises(ValueError, match="size"):
        PerCpuArray(9, width=1).write(0, numbers)


def test_entry_that_does_not_exist() -> None:
    """An index beyond the array is an error."""
    with pytest.raises(OSError, match="No such file"):
        PerCpuArray(9, width=1).read(2)


def test_value_by_layout() -> None:
    """A value is packed and unpacked by its layout, numbers and bytes alike, each at its index."""
    write_numbers(9, 0, "=II", 3, 1)
    write_numbers(9, 1, "=Q", (1 << 64) - 1)

    assert read_numbers(9, 0, "=II") == (3, 1)
    assert read_numbers(9, 0, "=I4s") == (3, b"\1\0\0\0")
    assert read_numbers(9, 1, "=Q") == ((1 << 64) - 1,)
    with pytest.raises(OSError, match="No such file"):
        read_numbers(9, 2, "=Q")


@pytest.mark.parametrize(
    ("written", "layout", "read"),
    [
        (struct.pack("=II", 3, 1), "=I", (3,)),
        (struct.pack("=II", 3, 1), "=II4sI", (3, 1, bytes(4), 0)),
        (struct.pack("=II2s", 3, 1, b"ab"), "=II4s", (3, 1, b"ab\0\0")),
        (b"", "=Q", (0,)),
        (b"\1" * 4096, "=I", (0x01010101,)),
    ],
)
def test_value_of_another_length(
    libbpf: _FakeLibbpf, written: bytes, layout: str, read: tuple[int | bytes, ...]
) -> None:
    """Of a longer value the beginning is read, and what a shorter one lacks is zero."""
    libbpf.values[0] = written

    assert read == read_numbers(9, 0, layout)
