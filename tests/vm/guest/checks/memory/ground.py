"""What the checks of the memory monitor stand on: protections, memory to take, and what is known of this process."""

import ctypes
import mmap
import os
from pathlib import Path

from pyloader.records import Protection
from tests.vm.guest.comparing import own_comm
from tests.vm.guest.deeds import Deed

MIB = 1 << 20
PAGE = mmap.PAGESIZE

CGROUPS = Path("/sys/fs/cgroup")

GROWN = 80 * MIB
"""More resident memory than that from which usage is told."""
MEANWHILE = 0.1
"""Seconds that a process rests, so that it leaves the CPU."""

R, RW, RX = Protection.READ, Protection.READ | Protection.WRITE, Protection.READ | Protection.EXECUTE
RWX, SHARED, NEW = RW | RX, Protection.SHARED, Protection(0)

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.sbrk.restype = LIBC.mmap.restype = ctypes.c_void_p


def map_memory(protection: Protection, size: int, more: int = 0) -> int:
    """Return the address of new memory."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | more
    address: int = LIBC.mmap(None, ctypes.c_size_t(size), int(protection), flags, -1, ctypes.c_long(0))
    return address


def take(size: int) -> None:
    """Take memory, and use all of it."""
    map_memory(RW, size, mmap.MAP_POPULATE)


def only(deed: Deed, *names: str) -> dict[str, object]:
    """Return what a deed told under some names."""
    return {name: deed.told[name] for name in names}


def of_copy() -> dict[str, object]:
    """Return what a record of a copy of this process must say."""
    return {"ppid": os.getpid(), "uid": 0, "count": 1, "comm": own_comm()}


def cgroup() -> int:
    """Return the number of the control group that everything is in."""
    return CGROUPS.stat().st_ino
