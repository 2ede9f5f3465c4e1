"""What libbpf prints, captured.

libbpf has one print function per process. It is replaced once, by a function that this module keeps alive (C calls it
for as long as the process runs), and its lines go to whoever is capturing at that moment, or nowhere.
"""

import ctypes
import functools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyloader.binding.library import PrintCallback, library

_LINE_LIMIT = 1 << 20
"""A verifier's log arrives as one line; libbpf's own buffer for it is 16 MiB, of which the end matters least."""

_DEBUG = 2
"""LIBBPF_DEBUG: hundreds of lines per object that tell of nothing wrong."""

_lock = threading.Lock()
_lines: list[str] | None = None


@contextmanager
def captured_log() -> Iterator[list[str]]:
    """Collect what libbpf prints inside the block; one block at a time, others wait."""
    global _lines  # noqa: PLW0603 -- libbpf's print function is global as well.
    lines: list[str] = []
    with _lock:
        _install()
        _lines = lines
        try:
            yield lines
        finally:
            _lines = None


@functools.cache
def _install() -> object:
    """Replace libbpf's print function and return what must stay alive, which the cache sees to."""
    format_into = ctypes.CDLL(None).vsnprintf
    format_into.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p)

    def collect(level: int, template: bytes, arguments: int) -> int:
        if _lines is not None and level < _DEBUG:
            buffer = ctypes.create_string_buffer(_LINE_LIMIT)
            format_into(buffer, _LINE_LIMIT, template, arguments)
            _lines.append(buffer.value.decode("utf-8", "replace"))
        return 0

    callback = PrintCallback(collect)
    library().libbpf_set_print(callback)
    return callback


def refused_program(lines: list[str]) -> str:
    """Return the name of the program that failed to load, or an empty string."""
    match = re.search(r"prog '(\w+)': (?:failed to load|BPF program load failed)", "".join(lines))
    return match[1] if match else ""


def verifier_verdict(lines: list[str]) -> str:
    """Return the line in which the verifier gives its reason, or an empty string."""
    log = "".join(lines)
    begin, end = log.rfind("-- BEGIN PROG LOAD LOG --"), log.rfind("-- END PROG LOAD LOG --")
    if begin < 0 or end < begin:
        return ""
    reasons = [
        line
        for line in log[begin:end].splitlines()[1:]
        if line.strip() and not line.startswith(("processed ", "verification time", "stack depth", "peak_states"))
    ]
    return reasons[-1].strip() if reasons else ""
