"""Pins: names in bpffs that keep programs, maps and links in the kernel when no process holds them."""

import ctypes
import os
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pyloader.binding.library import library

_Info = TypeVar("_Info", bound=ctypes.Structure)


class MapInfo(ctypes.Structure):
    """The beginning of `struct bpf_map_info` (include/uapi/linux/bpf.h)."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("key_size", ctypes.c_uint32),
        ("value_size", ctypes.c_uint32),
        ("max_entries", ctypes.c_uint32),
        ("map_flags", ctypes.c_uint32),
        ("name", ctypes.c_char * 16),
    )

    @property
    def layout(self) -> tuple[int, int, int, int, int]:
        """Everything in which two maps must agree so that one program can use either."""
        return self.type, self.key_size, self.value_size, self.max_entries, self.map_flags


class ProgramInfo(ctypes.Structure):
    """`struct bpf_prog_info` up to `verified_insns`; fields that the kernel is too old for stay 0."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("tag", ctypes.c_uint8 * 8),
        ("lengths", ctypes.c_uint32 * 2),
        ("instructions", ctypes.c_uint64 * 2),
        ("load_time", ctypes.c_uint64),
        ("created_by_uid", ctypes.c_uint32),
        ("nr_map_ids", ctypes.c_uint32),
        ("map_ids", ctypes.c_uint64),
        ("name", ctypes.c_char * 16),
        ("ifindex", ctypes.c_uint32),
        ("gpl_compatible", ctypes.c_uint32),
        ("netns", ctypes.c_uint64 * 2),
        ("jited", ctypes.c_uint32 * 2),
        ("jited_addresses", ctypes.c_uint64 * 2),
        ("btf_id", ctypes.c_uint32),
        ("func_info_rec_size", ctypes.c_uint32),
        ("func_info", ctypes.c_uint64),
        ("nr_func_info", ctypes.c_uint32),
        ("nr_line_info", ctypes.c_uint32),
        ("line_info", ctypes.c_uint64 * 2),
        ("record_sizes", ctypes.c_uint32 * 4),
        ("prog_tags", ctypes.c_uint64),
        ("run_time_ns", ctypes.c_uint64),
        ("run_cnt", ctypes.c_uint64),
        ("recursion_misses", ctypes.c_uint64),
        ("verified_insns", ctypes.c_uint32),
    )


class Descriptor:
    """A descriptor of a BPF object that this process holds; a context manager with an idempotent `close`."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """Return the descriptor; -1 after `close`."""
        return self._fd

    def close(self) -> None:
        """Give the descriptor back. Further calls do nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def pin(fd: int, path: Path) -> None:
    """Give a BPF object a name in bpffs. Raises `OSError`."""
    library().bpf_obj_pin(fd, os.fsencode(path))


def open_pinned(path: Path) -> Descriptor:
    """Return a descriptor of what is pinned there. Raises `OSError`."""
    return Descriptor(library().bpf_obj_get(os.fsencode(path)))


def map_info(fd: int) -> MapInfo:
    """Return what the kernel tells of a map. Raises `OSError`."""
    return _info(fd, MapInfo())


def program_info(fd: int) -> ProgramInfo:
    """Return what the kernel tells of a program. Raises `OSError`."""
    return _info(fd, ProgramInfo())


def _info(fd: int, info: _Info) -> _Info:
    size = ctypes.c_uint32(ctypes.sizeof(info))
    library().bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size))
    return info
