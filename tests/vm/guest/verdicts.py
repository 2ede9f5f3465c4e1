"""Programs without anything to observe: does the kernel load and attach each, and what does that cost the verifier?

Attaching is part of the question: arm64 loaded fentry programs long before it could attach them.
"""

import ctypes
import re
from collections.abc import Sequence
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


def load(object_name: str, programs: Sequence[str]) -> dict[str, Verdict]:
    """Load some programs of an object and attach each. If one is refused, every one is tried by itself."""
    data = (resources.files("pyloader") / "objects" / object_name).read_bytes()
    with BpfObject.open(data, object_name.removesuffix(".bpf.o")) as opened:
        opened.select(programs)
        for program in programs:
            pointer = library().bpf_object__find_program_by_name(opened.pointer, program.encode())
            _own().bpf_program__set_log_level(ctypes.c_void_p(pointer), _LOG_STATISTICS)
        refusal = ""
        with captured_log() as log:
            try:
                library().bpf_object__load(opened.pointer)
            except OSError as error:
                refusal = f"{error.strerror}\n{_end_of_log(log)}"
        if not refusal:
            return {program: _attach(opened, program, "".join(log)) for program in programs}
    if len(programs) == 1:
        return {programs[0]: Verdict(0, refusal)}
    return {program: load(object_name, [program])[program] for program in programs}


def _attach(opened: BpfObject, program: str, log: str) -> Verdict:
    instructions = _from_kernel(opened.program_fd(program)) or _from_log(program, log)
    try:
        opened.attach(program).close()
    except LoadError as error:
        return Verdict(instructions, f"{error}\n{error.log}")
    return Verdict(instructions, "")


def _own() -> ctypes.CDLL:
    """Return the bundled library with the functions that pyloader itself does not declare."""
    return ctypes.CDLL(str(library_path()))


def _end_of_log(log: list[str]) -> str:
    """Return the verifier's last lines, or libbpf's if the verifier was not asked."""
    lines = "".join(log).splitlines()
    verifier = [line for line in lines if not line.startswith("libbpf: ")]
    return "\n".join((verifier or lines)[-_LOG_LINES:])


def _from_kernel(fd: int) -> int:
    info = ctypes.create_string_buffer(_INFO_SIZE)
    size = ctypes.c_uint32(_INFO_SIZE)
    if _own().bpf_obj_get_info_by_fd(fd, info, ctypes.byref(size)):
        return 0
    return int.from_bytes(info.raw[_VERIFIED_INSTRUCTIONS], "little")


def _from_log(program: str, log: str) -> int:
    found = re.search(rf"prog '{program}': -- BEGIN PROG LOAD LOG --.*?processed (\d+) insns", log, re.DOTALL)
    return int(found[1]) if found else 0
