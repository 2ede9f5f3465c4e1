"""Programs and maps that are in the kernel, whoever loaded them, found by their ids (needs CAP_SYS_ADMIN)."""

import ctypes
from collections.abc import Iterator

from pyloader.binding.library import library
from pyloader.binding.pins import Descriptor, ProgramInfo, map_info

_MAPS = 64
"""No program of ours has more."""


def program_ids() -> Iterator[int]:
    """Yield the id of every program. Raises `OSError` without the right to ask."""
    number = ctypes.c_uint32()
    while True:
        try:
            library().bpf_prog_get_next_id(number.value, ctypes.byref(number))
        except FileNotFoundError:
            return
        yield number.value


def open_program(number: int) -> Descriptor:
    """Return a descriptor of the program with this id. Raises `OSError` if there is none."""
    return Descriptor(library().bpf_prog_get_fd_by_id(number))


def open_map_of(program_fd: int, name: str) -> Descriptor | None:
    """Return a descriptor of the first map of a program that has this name, of which the kernel keeps 15 letters."""
    numbers = (ctypes.c_uint32 * _MAPS)()
    info = ProgramInfo(nr_map_ids=_MAPS, map_ids=ctypes.addressof(numbers))
    size = ctypes.c_uint32(ctypes.sizeof(info))
    library().bpf_obj_get_info_by_fd(program_fd, ctypes.byref(info), ctypes.byref(size))
    for number in numbers[: min(info.nr_map_ids, _MAPS)]:
        found = Descriptor(library().bpf_map_get_fd_by_id(number))
        if map_info(found.fileno()).name.decode() == name[:15]:
            return found
        found.close()
    return None
