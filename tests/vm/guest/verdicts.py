"""Programs without anything to observe: does the kernel load, attach and pin each, and what does the verifier do?

Attaching is part of the question: arm64 loaded fentry programs long before it could attach them.
"""

import ctypes
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pyloader.binding import BpfObject, library, pin, program_info
from pyloader.binding.library import library_path
from pyloader.errors import LoadError
from pyloader.monitors import ON_INTERFACES, Monitor, Transport
from pyloader.monitors.climb import object_file
from pyloader.monitors.prepare import prepare

_LOG_STATISTICS = 4
"""BPF_LOG_STATS (include/linux/bpf_verifier.h); before 5.16 only the log tells the number of instructions."""

_LOG_BYTES = 1 << 16
_RING_BYTES = 1 << 16


class Verdict(NamedTuple):
    """The number of instructions, 0 if the verifier refused, and why the kernel refused, if it did."""

    instructions: int
    refusal: str


def load(
    monitor: Monitor, programs: Sequence[str], transport: Transport, btf: Path | None, pin_at: Path | None
) -> dict[str, Verdict]:
    """Load some programs and attach each that needs no interface, and pin the link if there is a path for it.

    A program that the kernel does not load is left out, and the others are loaded again without it.
    """
    verdicts: dict[str, Verdict] = {}
    data = object_file(monitor)
    while True:
        with BpfObject.open(data, monitor.name, btf=btf) as opened:
            existing = set(opened.programs())
            left = [program for program in programs if program in existing and program not in verdicts]
            opened.select(left)
            prepare(opened, transport=transport, ring_bytes=_RING_BYTES)
            logs = {program: _log_of(opened, program) for program in left}
            try:
                opened.load()
            except LoadError as error:
                if error.program not in left:
                    raise
                log = _text(logs[error.program])
                verdicts[error.program] = Verdict(0, f"{error}\n{log}\n{error.log}")
            else:
                judge = _counted if monitor.name in ON_INTERFACES else partial(_attach, pin_at)
                return verdicts | {program: judge(opened, program, _text(logs[program])) for program in left}


def _log_of(opened: BpfObject, program: str) -> "ctypes.Array[ctypes.c_char]":
    """Let the verifier write what it says of a program into a buffer, which must outlive the loading."""
    own = ctypes.CDLL(str(library_path()))
    pointer = ctypes.c_void_p(library().bpf_object__find_program_by_name(opened.pointer, program.encode()))
    log = ctypes.create_string_buffer(_LOG_BYTES)
    own.bpf_program__set_log_level(pointer, _LOG_STATISTICS)
    own.bpf_program__set_log_buf(pointer, log, ctypes.c_size_t(_LOG_BYTES))
    return log


def _counted(opened: BpfObject, program: str, log: str) -> Verdict:
    told = re.search(r"processed (\d+) insns", log)
    return Verdict(program_info(opened.program_fd(program)).verified_insns or int(told[1] if told else 0), "")


def _attach(pin_at: Path | None, opened: BpfObject, program: str, log: str) -> Verdict:
    counted = _counted(opened, program, log)
    try:
        with opened.attach(program) as link:
            if pin_at is not None:
                pin(link.fileno(), pin_at)
                pin_at.unlink()
    except LoadError as error:
        return counted._replace(refusal=f"{error}\n{error.log}")
    except OSError as error:
        return counted._replace(refusal=f"the link cannot be pinned: {error.strerror}")
    return counted


def _text(log: "ctypes.Array[ctypes.c_char]") -> str:
    return log.value.decode(errors="replace")
