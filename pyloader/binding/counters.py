"""Arrays in which every CPU keeps numbers of its own."""

import ctypes

from pyloader.binding.library import library


class PerCpuArray:
    """A `BPF_MAP_TYPE_PERCPU_ARRAY` whose values are `width` 64-bit numbers; the descriptor stays with its object."""

    def __init__(self, map_fd: int, width: int) -> None:
        self._library = library()
        self._fd = map_fd
        self._width = width
        self._key = ctypes.c_uint32()
        self._values = (ctypes.c_uint64 * (width * self._library.libbpf_num_possible_cpus()))()

    def read(self, index: int) -> list[tuple[int, ...]]:
        """Return the numbers at this index for each possible CPU. Raises `OSError` if there is no such index."""
        self._key.value = index
        self._library.bpf_map_lookup_elem(self._fd, ctypes.byref(self._key), self._values)
        values = list(self._values)
        return [tuple(values[at : at + self._width]) for at in range(0, len(values), self._width)]
