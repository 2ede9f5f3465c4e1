"""BPF_PROG_RUN: the kernel runs a loaded program as often as it is told, on what it is given, without an event."""

import ctypes
import os
from typing import Any, NamedTuple

from pyloader.binding.library import library_path

_ON_CPU = 1
"""BPF_F_TEST_RUN_ON_CPU."""


class _Options(ctypes.Structure):
    """`struct bpf_test_run_opts` of libbpf."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("data_in", ctypes.c_char_p),
        ("data_out", ctypes.c_void_p),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", ctypes.c_void_p),
        ("ctx_out", ctypes.c_void_p),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    )


class Ran(NamedTuple):
    """What a program returned, without a sign, and the nanoseconds of one run."""

    result: int
    duration: int


def prog_run(
    program_fd: int,
    *,
    frame: bytes | None = None,
    context: ctypes.Structure | ctypes.Array[Any] | None = None,
    repeat: int = 0,
    cpu: int | None = None,
) -> Ran:
    """Run a program on a frame, a context or both; of tracepoint programs a CPU may be chosen, and none is repeated."""
    options = _Options(sz=ctypes.sizeof(_Options), repeat=repeat)
    if frame is not None:
        options.data_in, options.data_size_in = frame, len(frame)
    if context is not None:
        options.ctx_in, options.ctx_size_in = ctypes.addressof(context), ctypes.sizeof(context)
    if cpu is not None:
        options.flags, options.cpu = _ON_CPU, cpu
    error = -ctypes.CDLL(str(library_path())).bpf_prog_test_run_opts(program_fd, ctypes.byref(options))
    if error:
        raise OSError(error, os.strerror(error))
    return Ran(int(options.retval), int(options.duration))
