"""What the kernel can do, found out by trying (`libbpf_probe_*`)."""

from collections.abc import Callable

from pyloader.binding.library import library

MAP_ARRAY = 2
MAP_RINGBUF = 27
PROGRAM_SOCKET_FILTER = 1
PROGRAM_TRACEPOINT = 5
PROGRAM_TRACING = 26
HELPER_KTIME_GET_COARSE_NS = 160


def can_create_map(kind: int) -> bool | None:
    """Return whether a map of this type (`enum bpf_map_type`) can be created; `None` if that cannot be found out."""
    return _answer(lambda: library().libbpf_probe_bpf_map_type(kind, None))


def can_load_program(kind: int) -> bool | None:
    """Return whether a program of this type (`enum bpf_prog_type`) can be loaded; `None` as above."""
    return _answer(lambda: library().libbpf_probe_bpf_prog_type(kind, None))


def can_call_helper(kind: int, helper: int) -> bool | None:
    """Return whether a program of this type can call this helper (`enum bpf_func_id`); `None` as above."""
    return _answer(lambda: library().libbpf_probe_bpf_helper(kind, helper, None))


def _answer(probe: Callable[[], int]) -> bool | None:
    try:
        return bool(probe())
    except OSError:
        return None
