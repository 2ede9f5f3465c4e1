"""Whether a file can be this process's library, told before it is loaded.

The dynamic loader calls a library for another machine "not found", and one that was cut short ends the process with
SIGBUS. The header of the file tells both (`Elf64_Ehdr` in elf.h).
"""

import os
import struct
import sys
from pathlib import Path

_HEADER = struct.Struct("<4sBB10x2xH4x8x8xQ4x6xHH2x")
"""Magic, class, byte order, machine, and the offset, size and number of the section headers, which stand last."""

_CLASS_64, _LITTLE_ENDIAN = 2, 1
_MACHINES = {62: "x86_64", 183: "aarch64"}


def defect(path: Path) -> str:
    """Return why this file cannot be loaded here, as the end of a sentence about it; an empty string if it can."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return _defect(header, size)


def _defect(header: bytes, size: int) -> str:
    """Judge a header of a file of `size` bytes."""
    if len(header) < _HEADER.size or not header.startswith(b"\x7fELF"):
        return "is damaged: it is no shared library"
    _, bits, order, number, sections, section_size, section_count = _HEADER.unpack(header)
    machine = _MACHINES.get(number, f"another machine (ELF number {number})")
    if (bits, order) != (_CLASS_64, _LITTLE_ENDIAN) or machine != os.uname().machine:
        return f"is for {machine}, and this is {os.uname().machine}"
    if sys.maxsize < 1 << 32:
        return "is for 64-bit programs, and this Python is a 32-bit one"
    if sections + section_size * section_count > size:
        return f"is damaged: it was cut short after {size} bytes"
    return ""
