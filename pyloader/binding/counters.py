"""Maps of plain numbers, and of bytes."""

import contextlib
import ctypes
import struct
from collections.abc import Iterator, Sequence

from pyloader.binding.library import library


class PerCpuArray:
    """A `BPF_MAP_TYPE_PERCPU_ARRAY` whose values are `width` 64-bit numbers; the descriptor stays with its owner."""

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

    def write(self, index: int, numbers: Sequence[int]) -> None:
        """Set the numbers at this index, those of all CPUs in a row. Raises `OSError`."""
        self._key.value = index
        self._values[:] = list(numbers)
        self._library.bpf_map_update_elem(self._fd, ctypes.byref(self._key), self._values, 0)


_LARGEST_VALUE = 4096


def read_numbers(map_fd: int, index: int, layout: str) -> tuple[int | bytes, ...]:
    """Return the value at an index of an array map, unpacked by a `struct` layout. Raises `OSError`.

    A map of another version may have longer or shorter values: what is missing is zero. None has more than 4,096 bytes.
    """
    key, value = ctypes.c_uint32(index), (ctypes.c_char * _LARGEST_VALUE)()
    library().bpf_map_lookup_elem(map_fd, ctypes.byref(key), value)
    return struct.unpack_from(layout, value.raw)


def write_numbers(map_fd: int, index: int, layout: str, *numbers: int) -> None:
    """Set the value at an index of an array map, packed by a `struct` layout. Raises `OSError`."""
    key = ctypes.c_uint32(index)
    library().bpf_map_update_elem(map_fd, ctypes.byref(key), struct.pack(layout, *numbers), 0)


def put_entry(map_fd: int, key: bytes, value: bytes) -> None:
    """Set an entry of a hash map. Raises `OSError`, for example if the map is full."""
    library().bpf_map_update_elem(map_fd, key, value, 0)


def drop_entry(map_fd: int, key: bytes) -> None:
    """Remove an entry of a hash map, if it is there. Raises `OSError`."""
    with contextlib.suppress(FileNotFoundError):
        library().bpf_map_delete_elem(map_fd, key)


def read_keys(map_fd: int, size: int) -> Iterator[bytes]:
    """Yield the keys of a hash map, of this size in bytes. Raises `OSError`.

    If entries come and go meanwhile, some may be missed or come twice.
    """
    key: ctypes.Array[ctypes.c_char] | None = None
    while True:
        following = ctypes.create_string_buffer(size)
        try:
            library().bpf_map_get_next_key(map_fd, key, following)
        except FileNotFoundError:
            return
        yield following.raw
        key = following
