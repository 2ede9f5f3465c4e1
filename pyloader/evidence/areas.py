"""Addresses, areas of memory and sizes in words."""

from typing import Final

from pyloader.records import Area, Protection

_NAMES: Final[dict[int, str]] = {
    Area.NONE: "unmapped memory",
    Area.ANONYMOUS: "anonymous memory",
    Area.HEAP: "the heap",
    Area.STACK: "the stack",
    Area.THREAD_STACK: "the stack of a thread",
    Area.SIGNAL_STACK: "a stack for signals",
    Area.FILE: "a file",
    Area.MEMFD: "an anonymous memory file",
    Area.SHARED_MEMORY: "shared memory",
    Area.KERNEL: "a mapping of the kernel",
}

_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_STEP: Final = 1_024


def area_name(area: int) -> str:
    """Name an `Area`; a number that is none is plain memory."""
    return _NAMES.get(area, _NAMES[Area.ANONYMOUS])


def place(address: int, area: int, protection: int | None = None) -> str:
    """Name a place in memory: `the heap (rw-) at 0x5581c0`."""
    allows = f" ({_letters(protection)})" if protection is not None and area != Area.NONE else ""
    return f"{area_name(area)}{allows} at {address:#x}"


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that it has one of: `4 KiB`."""
    value, unit = float(count), 0
    while value >= _STEP and unit < len(_UNITS) - 1:
        value /= _STEP
        unit += 1
    return f"{value:.3g} {_UNITS[unit]}"


def _letters(protection: int) -> str:
    letters = ((Protection.READ, "r"), (Protection.WRITE, "w"), (Protection.EXECUTE, "x"))
    return "".join(letter if protection & bit else "-" for bit, letter in letters)
