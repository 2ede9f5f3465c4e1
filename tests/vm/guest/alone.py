"""One program by itself: does the kernel load and attach it, and how many instructions did the verifier look at?

Attaching is part of the question: arm64 loads fentry programs since long before it can attach them.
"""

import ctypes
import re
from importlib import resources
from typing import NamedTuple

from pyloader.binding import BpfObject
from pyloader.binding.library import library, library_path
from pyloader.binding.log import captured_log
from pyloader.errors import LoadError

_LOG_STATISTICS = 4
"""BPF_LOG_STATS (include/linux/bpf_verifier.h)."""

_INFO_SIZE = 256
_VERIFIED_INSTRUCTIONS = slice(216, 220)
"""Where `verified_insns` is in `struct bpf_prog_info`; stays 0 before 5.16."""

_LOG_LINES = 40


class Verdict(NamedTuple):
    """The number of instructions, 0 if the verifier refused, and the end of the log of any refusal."""

    instructions: int
    refusal: str


def load(object_name: str, program: str) -> Verdict:
    """Load and attach one program of an object, and take it back."""
    data = (resources.files("pyloader") / "objects" / object_name).read_bytes()
    with BpfObject.open(data, object_name.removesuffix(".bpf.o")) as opened:
        opened.select([program])
        pointer = library().bpf_object__find_program_by_name(opened.pointer, program.encode())
        own = ctypes.CDLL(str(library_path()))
        own.bpf_program__set_log_level(ctypes.c_void_p(pointer), _LOG_STATISTICS)
        with captured_log() as log:
            try:
                library().bpf_object__load(opened.pointer)
            except OSError as error:
                return Verdict(0, f"{error.strerror}\n{_end_of_log(log)}")
        instructions = _from_kernel(own, opened.program_fd(program)) or _from_log("".join(log))
        try:
            opened.attach(program).close()
        except LoadError as error:
            return Verdict(instructions, f"{error}\n{error.log}")
        return Verdict(instructions, "")


def _end_of_log(log: list[str]) -> str:
    """Return the verifier's last lines, or libbpf's if the verifier was not asked."""
    lines = "".join(log).splitlines()
    verifier = [line for line in lines if not line.startswith("libbpf: ")]
    return "\n".join((verifier or lines)[-_LOG_LINES:])


def _from_kernel(own: ctypes.CDLL, fd: int) -> int:
    info = ctypes.create_string_buffer(_INFO_SIZE)
    size = ctypes.c_uint32(_INFO_SIZE)
    if own.bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size)):
        return 0
    return int.from_bytes(info.raw[_VERIFIED_INSTRUCTIONS], "little")


def _from_log(log: str) -> int:
    found = re.search(r"processed (\d+) insns", log)
    return int(found[1]) if found else 0
