"""Arrays of counters that every CPU keeps for itself."""

import ctypes

from pyloader.binding.library import library


class PerCpuCounters:
    """A `BPF_MAP_TYPE_PERCPU_ARRAY` of 64-bit counters; the map's descriptor stays with its object."""

    def __init__(self, map_fd: int) -> None:
        self._library = library()
        self._fd = map_fd
        self._key = ctypes.c_uint32()
        self._values = (ctypes.c_uint64 * self._library.libbpf_num_possible_cpus())()

    def read(self, index: int) -> list[int]:
        """Return the counter's value on each possible CPU. Raises `OSError` if there is no such index."""
        self._key.value = index
        self._library.bpf_map_lookup_elem(self._fd, ctypes.byref(self._key), self._values)
        return list(self._values)
