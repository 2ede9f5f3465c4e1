"""Counters that every CPU keeps for itself."""

from typing import Any

import pytest

from pyloader.binding import PerCpuCounters


class _FakeLibbpf:
    """A kernel with three CPUs and two counters."""

    def libbpf_num_possible_cpus(self) -> int:
        """Return the number of CPUs."""
        return 3

    def bpf_map_lookup_elem(self, fd: int, key: Any, value: Any) -> int:  # noqa: ANN401 -- as C has it.
        """Return ten times the index, plus the CPU."""
        assert fd == 9
        index = key._obj.value  # noqa: SLF001 -- what a ctypes reference refers to.
        if index > 1:
            raise OSError(2, "No such file or directory")
        for cpu in range(3):
            value[cpu] = 10 * index + cpu
        return 0


@pytest.fixture(autouse=True)
def _libbpf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the fake in place of the library."""
    monkeypatch.setattr("pyloader.binding.counters.library", _FakeLibbpf)


def test_counters_by_cpu() -> None:
    """A counter is read on every possible CPU; what was read before does not change."""
    counters = PerCpuCounters(9)
    first = counters.read(0)

    assert counters.read(1) == [10, 11, 12]
    assert first == [0, 1, 2]


def test_counter_that_does_not_exist() -> None:
    """An index beyond the array is an error."""
    with pytest.raises(OSError, match="No such file"):
        PerCpuCounters(9).read(2)
