"""What the kernel can do, found out by trying (`libbpf_probe_*`)."""

from collections.abc import Callable

from pyloader.binding.library import library

MAP_RINGBUF = 27
PROGRAM_TRACEPOINT = 5
PROGRAM_TRACING = 26


def can_create_map(kind: int) -> bool | None:
    """Return whether a map of this type (`enum bpf_map_type`) can be created; `None` if that cannot be found out."""
    return _answer(lambda: library().libbpf_probe_bpf_map_type(kind, None))


def can_load_program(kind: int) -> bool | None:
    """Return whether a program of this type (`enum bpf_prog_type`) can be loaded; `None` as above."""
    return _answer(lambda: library().libbpf_probe_bpf_prog_type(kind, None))


def _answer(probe: Callable[[], int]) -> bool | None:
    try:
        return bool(probe())
    except OSError:
        return None
