"""The bundled libbpf: where it is, and what each function of it takes and gives.

`PROTOTYPES` is the one table of foreign functions. `Libbpf` says the same to the type checker, so that a test can give
a stand-in for the kernel's refusals; another test compares the two. The library is loaded at first use, never at
import.
"""

import ctypes
import functools
import os
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from pyloader.errors import UnsupportedError

LIBRARY_VARIABLE = "PYLOADER_LIBBPF"
"""Environment variable with the path of a libbpf to use instead of the bundled one; it must hold the drain as well."""

Pointer = int
"""An address that C owns; ctypes gives `None` for NULL, which the checker of every such function refuses."""

PrintCallback = CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)


class Libbpf(Protocol):
    """The functions that pyloader calls. Each raises `OSError` where C reports an error."""

    def libbpf_version_string(self) -> bytes: ...
    def libbpf_set_print(self, callback: Any) -> Pointer | None: ...
    def libbpf_num_possible_cpus(self) -> int: ...
    def libbpf_probe_bpf_map_type(self, kind: int, options: None) -> int: ...
    def libbpf_probe_bpf_prog_type(self, kind: int, options: None) -> int: ...
    def bpf_object__open_mem(self, data: bytes, size: int, options: Any) -> Pointer: ...
    def bpf_object__load(self, handle: Pointer) -> int: ...
    def bpf_object__close(self, handle: Pointer) -> None: ...
    def bpf_object__find_program_by_name(self, handle: Pointer, name: bytes) -> Pointer: ...
    def bpf_object__find_map_by_name(self, handle: Pointer, name: bytes) -> Pointer: ...
    def bpf_object__next_program(self, handle: Pointer, previous: Pointer | None) -> Pointer | None: ...
    def bpf_program__name(self, program: Pointer) -> bytes: ...
    def bpf_program__set_autoload(self, program: Pointer, autoload: bool) -> int: ...  # noqa: FBT001 -- C's order.
    def bpf_program__fd(self, program: Pointer) -> int: ...
    def bpf_program__attach(self, program: Pointer) -> Pointer: ...
    def bpf_link__destroy(self, link: Pointer) -> int: ...
    def bpf_map__fd(self, handle: Pointer) -> int: ...
    def bpf_map__set_max_entries(self, handle: Pointer, entries: int) -> int: ...
    def bpf_map__set_autocreate(self, handle: Pointer, autocreate: bool) -> int: ...  # noqa: FBT001 -- C's order.
    def bpf_map__initial_value(self, handle: Pointer, size: Any) -> Pointer: ...
    def bpf_map_lookup_elem(self, fd: int, key: Any, value: Any) -> int: ...
    def bpf_map_update_elem(self, fd: int, key: Any, value: Any, flags: int) -> int: ...
    def pyloader_drain__new(self, map_fds: Any, count: int, max_record: int) -> Pointer: ...
    def pyloader_drain__new_perf(self, map_fd: int, bytes_per_cpu: int, max_record: int) -> Pointer: ...
    def pyloader_drain__epoll_fd(self, drain: Pointer) -> int: ...
    def pyloader_drain__read(self, drain: Pointer, buffer: Any, capacity: int, ends: Any, max_records: int) -> int: ...
    def pyloader_drain__pending(self, drain: Pointer) -> int: ...
    def pyloader_drain__refused(self, drain: Pointer) -> int: ...
    def pyloader_drain__free(self, drain: Pointer) -> None: ...


Checker = Callable[[Any, Any, Any], Any]


def _pointer(result: int | None, function: Any, _arguments: Any) -> int:
    """NULL is an error whose reason is in errno."""
    if result is None:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), function.__name__)
    return result


def _status(result: int, function: Any, _arguments: Any) -> int:
    """A negative result is an error number (libbpf 1.0 and later)."""
    if result < 0:
        raise OSError(-result, os.strerror(-result), function.__name__)
    return result


class Prototype(NamedTuple):
    """How a C function is called."""

    arguments: tuple[Any, ...]
    result: Any
    checker: Checker | None


PROTOTYPES: dict[str, Prototype] = {
    "libbpf_version_string": Prototype((), c_char_p, None),
    "libbpf_set_print": Prototype((PrintCallback,), c_void_p, None),
    "libbpf_num_possible_cpus": Prototype((), c_int, _status),
    "libbpf_probe_bpf_map_type": Prototype((c_int, c_void_p), c_int, _status),
    "libbpf_probe_bpf_prog_type": Prototype((c_int, c_void_p), c_int, _status),
    "bpf_object__open_mem": Prototype((c_char_p, c_size_t, c_void_p), c_void_p, _pointer),
    "bpf_object__load": Prototype((c_void_p,), c_int, _status),
    "bpf_object__close": Prototype((c_void_p,), None, None),
    "bpf_object__find_program_by_name": Prototype((c_void_p, c_char_p), c_void_p, _pointer),
    "bpf_object__find_map_by_name": Prototype((c_void_p, c_char_p), c_void_p, _pointer),
    "bpf_object__next_program": Prototype((c_void_p, c_void_p), c_void_p, None),
    "bpf_program__name": Prototype((c_void_p,), c_char_p, None),
    "bpf_program__set_autoload": Prototype((c_void_p, ctypes.c_bool), c_int, _status),
    "bpf_program__fd": Prototype((c_void_p,), c_int, _status),
    "bpf_program__attach": Prototype((c_void_p,), c_void_p, _pointer),
    "bpf_link__destroy": Prototype((c_void_p,), c_int, _status),
    "bpf_map__fd": Prototype((c_void_p,), c_int, _status),
    "bpf_map__set_max_entries": Prototype((c_void_p, c_uint32), c_int, _status),
    "bpf_map__set_autocreate": Prototype((c_void_p, ctypes.c_bool), c_int, _status),
    "bpf_map__initial_value": Prototype((c_void_p, POINTER(c_size_t)), c_void_p, _pointer),
    "bpf_map_lookup_elem": Prototype((c_int, c_void_p, c_void_p), c_int, _status),
    "bpf_map_update_elem": Prototype((c_int, c_void_p, c_void_p, c_uint64), c_int, _status),
    "pyloader_drain__new": Prototype((POINTER(c_int), c_uint32, c_uint32), c_void_p, _pointer),
    "pyloader_drain__new_perf": Prototype((c_int, c_uint32, c_uint32), c_void_p, _pointer),
    "pyloader_drain__epoll_fd": Prototype((c_void_p,), c_int, None),
    "pyloader_drain__read": Prototype((c_void_p, c_void_p, c_uint32, POINTER(c_uint32), c_uint32), c_int, _status),
    "pyloader_drain__pending": Prototype((c_void_p,), c_uint64, None),
    "pyloader_drain__refused": Prototype((c_void_p,), c_uint64, None),
    "pyloader_drain__free": Prototype((c_void_p,), None, None),
}


def library_path() -> Path:
    """Return where the library is loaded from."""
    override = os.environ.get(LIBRARY_VARIABLE)
    return Path(override) if override else Path(__file__).parents[1] / "lib" / "libbpf.so.1"


@functools.cache
def library() -> Libbpf:
    """Return the library with every function declared.

    Raises `UnsupportedError` if it is missing, is made for another machine, or lacks a function.
    """
    path = library_path()
    try:
        loaded = ctypes.CDLL(str(path), use_errno=True)
    except OSError as error:
        message = f"cannot load {path}: {error}; reinstall pyloader-ebpf from a wheel for this machine"
        raise UnsupportedError(message) from error
    for name, prototype in PROTOTYPES.items():
        try:
            function = getattr(loaded, name)
        except AttributeError as error:
            message = f"{path} has no function {name}; reinstall pyloader-ebpf or unset {LIBRARY_VARIABLE}"
            raise UnsupportedError(message) from error
        function.argtypes = prototype.arguments
        function.restype = prototype.result
        if prototype.checker is not None:
            function.errcheck = prototype.checker
    return cast("Libbpf", loaded)
