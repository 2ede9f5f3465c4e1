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

from pyloader.binding import elf
from pyloader.errors import LibraryError

LIBRARY_VARIABLE = "PYLOADER_LIBBPF"
"""Environment variable with the path of a libbpf to use instead of the bundled one; it must hold our readers, too."""

Pointer = int
"""An address that C owns; ctypes gives `None` for NULL, which the checker of every such function refuses."""


class BatchStruct(ctypes.Structure):
    """`struct pyloader_batch` (bpf/library/drain.h)."""

    _fields_ = (
        ("bytes", c_void_p),
        ("ends", POINTER(c_uint32)),
        ("capacity", c_uint32),
        ("max_records", c_uint32),
        ("size", c_uint32),
        ("count", c_uint32),
    )


PrintCallback = CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)


class Libbpf(Protocol):
    """The functions that pyloader calls. Each raises `OSError` where C reports an error."""

    def libbpf_version_string(self) -> bytes: ...
    def libbpf_set_print(self, callback: Any) -> Pointer | None: ...
    def libbpf_num_possible_cpus(self) -> int: ...
    def libbpf_probe_bpf_map_type(self, kind: int, options: None) -> int: ...
    def libbpf_probe_bpf_prog_type(self, kind: int, options: None) -> int: ...
    def libbpf_probe_bpf_helper(self, kind: int, helper: int, options: None) -> int: ...
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
    def bpf_object__next_map(self, handle: Pointer, previous: Pointer | None) -> Pointer | None: ...
    def bpf_map__name(self, handle: Pointer) -> bytes: ...
    def bpf_map__key_size(self, handle: Pointer) -> int: ...
    def bpf_map__value_size(self, handle: Pointer) -> int: ...
    def bpf_map__fd(self, handle: Pointer) -> int: ...
    def bpf_map__set_max_entries(self, handle: Pointer, entries: int) -> int: ...
    def bpf_map__set_autocreate(self, handle: Pointer, autocreate: bool) -> int: ...  # noqa: FBT001 -- C's order.
    def bpf_map__set_inner_map_fd(self, handle: Pointer, fd: int) -> int: ...
    def bpf_map__initial_value(self, handle: Pointer, size: Any) -> Pointer: ...
    def bpf_map_create(  # noqa: PLR0917 -- C's order.
        self, kind: int, name: bytes, key_size: int, value_size: int, entries: int, options: None
    ) -> int: ...
    def bpf_map_lookup_elem(self, fd: int, key: Any, value: Any) -> int: ...
    def bpf_map_update_elem(self, fd: int, key: Any, value: Any, flags: int) -> int: ...
    def bpf_map_delete_elem(self, fd: int, key: Any) -> int: ...
    def bpf_map_get_next_key(self, fd: int, key: Any, following: Any) -> int: ...
    def bpf_map__reuse_fd(self, handle: Pointer, fd: int) -> int: ...
    def bpf_link__fd(self, link: Pointer) -> int: ...
    def bpf_obj_pin(self, fd: int, path: bytes) -> int: ...
    def bpf_obj_get(self, path: bytes) -> int: ...
    def bpf_obj_get_info_by_fd(self, fd: int, info: Any, size: Any) -> int: ...
    def bpf_prog_get_next_id(self, start: int, following: Any) -> int: ...
    def bpf_prog_get_fd_by_id(self, number: int) -> int: ...
    def bpf_map_get_fd_by_id(self, number: int) -> int: ...
    def pyloader_ring__new(self, map_fd: int, size: int) -> Pointer: ...
    def pyloader_ring__read(self, ring: Pointer, batch: Any, horizon: int) -> int: ...
    def pyloader_ring__oldest(self, ring: Pointer) -> int: ...
    def pyloader_ring__position(self, ring: Pointer) -> int: ...
    def pyloader_ring__seek(self, ring: Pointer, position: int) -> None: ...
    def pyloader_ring__acknowledge(self, ring: Pointer) -> None: ...
    def pyloader_ring__pending(self, ring: Pointer) -> int: ...
    def pyloader_ring__free(self, ring: Pointer) -> None: ...
    def pyloader_perf__new(self, map_fd: int, bytes_per_cpu: int) -> Pointer: ...
    def pyloader_perf__epoll_fd(self, perf: Pointer) -> int: ...
    def pyloader_perf__read(self, perf: Pointer, batch: Any) -> int: ...
    def pyloader_perf__free(self, perf: Pointer) -> None: ...


Checker = Callable[[Any, Any, Any], Any]


_ENOTSUPP = 524
"""The kernel's own "not supported" (include/linux/errno.h), which reaches user space by oversight and has no text."""


def _refused(number: int, function: Any) -> OSError:
    text = "not supported by this kernel" if number == _ENOTSUPP else os.strerror(number)
    return OSError(number, text, function.__name__)


def _pointer(result: int | None, function: Any, _arguments: Any) -> int:
    """NULL is an error whose reason is in errno."""
    if result is None:
        raise _refused(ctypes.get_errno(), function)
    return result


def _status(result: int, function: Any, _arguments: Any) -> int:
    """A negative result is an error number (libbpf 1.0 and later)."""
    if result < 0:
        raise _refused(-result, function)
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
    "libbpf_probe_bpf_helper": Prototype((c_int, c_int, c_void_p), c_int, _status),
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
    "bpf_object__next_map": Prototype((c_void_p, c_void_p), c_void_p, None),
    "bpf_map__name": Prototype((c_void_p,), c_char_p, None),
    "bpf_map__key_size": Prototype((c_void_p,), c_uint32, None),
    "bpf_map__value_size": Prototype((c_void_p,), c_uint32, None),
    "bpf_map__fd": Prototype((c_void_p,), c_int, _status),
    "bpf_map__set_max_entries": Prototype((c_void_p, c_uint32), c_int, _status),
    "bpf_map__set_autocreate": Prototype((c_void_p, ctypes.c_bool), c_int, _status),
    "bpf_map__set_inner_map_fd": Prototype((c_void_p, c_int), c_int, _status),
    "bpf_map__initial_value": Prototype((c_void_p, POINTER(c_size_t)), c_void_p, _pointer),
    "bpf_map_create": Prototype((c_int, c_char_p, c_uint32, c_uint32, c_uint32, c_void_p), c_int, _status),
    "bpf_map_lookup_elem": Prototype((c_int, c_void_p, c_void_p), c_int, _status),
    "bpf_map_update_elem": Prototype((c_int, c_void_p, c_void_p, c_uint64), c_int, _status),
    "bpf_map_delete_elem": Prototype((c_int, c_void_p), c_int, _status),
    "bpf_map_get_next_key": Prototype((c_int, c_void_p, c_void_p), c_int, _status),
    "bpf_map__reuse_fd": Prototype((c_void_p, c_int), c_int, _status),
    "bpf_link__fd": Prototype((c_void_p,), c_int, _status),
    "bpf_obj_pin": Prototype((c_int, c_char_p), c_int, _status),
    "bpf_obj_get": Prototype((c_char_p,), c_int, _status),
    "bpf_obj_get_info_by_fd": Prototype((c_int, c_void_p, POINTER(c_uint32)), c_int, _status),
    "bpf_prog_get_next_id": Prototype((c_uint32, POINTER(c_uint32)), c_int, _status),
    "bpf_prog_get_fd_by_id": Prototype((c_uint32,), c_int, _status),
    "bpf_map_get_fd_by_id": Prototype((c_uint32,), c_int, _status),
    "pyloader_ring__new": Prototype((c_int, c_uint32), c_void_p, _pointer),
    "pyloader_ring__read": Prototype((c_void_p, POINTER(BatchStruct), c_uint64), c_int, _status),
    "pyloader_ring__oldest": Prototype((c_void_p,), c_uint64, None),
    "pyloader_ring__position": Prototype((c_void_p,), c_uint64, None),
    "pyloader_ring__seek": Prototype((c_void_p, c_uint64), None, None),
    "pyloader_ring__acknowledge": Prototype((c_void_p,), None, None),
    "pyloader_ring__pending": Prototype((c_void_p,), c_uint64, None),
    "pyloader_ring__free": Prototype((c_void_p,), None, None),
    "pyloader_perf__new": Prototype((c_int, c_uint32), c_void_p, _pointer),
    "pyloader_perf__epoll_fd": Prototype((c_void_p,), c_int, None),
    "pyloader_perf__read": Prototype((c_void_p, POINTER(BatchStruct)), c_int, _status),
    "pyloader_perf__free": Prototype((c_void_p,), None, None),
}


def library_path() -> Path:
    """Return where the library is loaded from."""
    override = os.environ.get(LIBRARY_VARIABLE)
    return Path(override) if override else Path(__file__).parents[1] / "lib" / "libbpf.so.1"


@functools.cache
def library() -> Libbpf:
    """Return the library with every function declared.

    Raises `LibraryError` if it is missing, damaged or made for another machine, or lacks a function.
    """
    path = library_path()
    if reason := elf.defect(path):
        message = f"the library {path} {reason}; {_way_out()}"
        raise LibraryError(message)
    try:
        loaded = ctypes.CDLL(str(path), use_errno=True)
    except OSError as error:
        message = f"the library {path} cannot be loaded: {error}; {_way_out()}"
        raise LibraryError(message) from error
    for name, prototype in PROTOTYPES.items():
        try:
            function = getattr(loaded, name)
        except AttributeError as error:
            message = f"the library {path} has no function {name}; {_way_out()}"
            raise LibraryError(message) from error
        function.argtypes = prototype.arguments
        function.restype = prototype.result
        if prototype.checker is not None:
            function.errcheck = prototype.checker
    return cast("Libbpf", loaded)


def _way_out() -> str:
    if os.environ.get(LIBRARY_VARIABLE):
        return f"unset {LIBRARY_VARIABLE}, which names it, to use the one that ships"
    return "reinstall pyloader-ebpf from a wheel for this machine"
