"""BPF objects: from the bytes of an object file to programs and maps in the kernel."""

import ctypes
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from pyloader.binding.handle import Handle
from pyloader.binding.library import Libbpf, Pointer, library
from pyloader.binding.log import captured_log, refused_program, verifier_verdict
from pyloader.binding.pins import map_info
from pyloader.errors import AttachError, LoadError, VerifierError


class _OpenOptions(ctypes.Structure):
    """The beginning of `struct bpf_object_open_opts` (libbpf.h); libbpf takes the size for the version."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("object_name", ctypes.c_char_p),
        ("relaxed_maps", ctypes.c_bool),
        ("pin_root_path", ctypes.c_char_p),
        ("_unused", ctypes.c_uint32),
        ("kconfig", ctypes.c_char_p),
        ("btf_custom_path", ctypes.c_char_p),
    )


class Link(Handle):
    """The attachment of a program to a hook. Closing it detaches the program, unless the link is pinned."""

    def fileno(self) -> int:
        """Return the descriptor of the link; it belongs to the link."""
        return self._library.bpf_link__fd(self.pointer)

    def _release(self, pointer: Pointer) -> None:
        self._library.bpf_link__destroy(pointer)


class BpfObject(Handle):
    """An object file, opened and, after `load`, in the kernel. Closing it unloads what nobody else holds."""

    def __init__(self, library: Libbpf, pointer: Pointer, name: str) -> None:
        super().__init__(library, pointer)
        self.name = name

    @classmethod
    def open(cls, data: bytes, name: str, *, btf: Path | None = None) -> Self:
        """Parse an object file; `btf` describes the kernel's types in place of the kernel. Raises `LoadError`."""
        lib = library()
        options = _OpenOptions(ctypes.sizeof(_OpenOptions), name.encode())
        if btf is not None:
            options.btf_custom_path = os.fsencode(btf)
        with captured_log() as log:
            try:
                return cls(lib, lib.bpf_object__open_mem(data, len(data), ctypes.byref(options)), name)
            except OSError as error:
                message = f"cannot open the BPF object {name}: {error.strerror}; reinstall pyloader-ebpf"
                raise LoadError(message, log="".join(log), errno=error.errno or 0) from error

    def programs(self) -> Iterator[str]:
        """Yield the names of all programs in the file."""
        program = self._library.bpf_object__next_program(self.pointer, None)
        while program is not None:
            yield self._library.bpf_program__name(program).decode()
            program = self._library.bpf_object__next_program(self.pointer, program)

    def select(self, programs: Iterable[str]) -> None:
        """Choose the programs that `load` shall load; all others are left out."""
        wanted = set(programs)
        for name in self.programs():
            self._library.bpf_program__set_autoload(self._program(name), name in wanted)

    def resize_map(self, name: str, entries: int) -> None:
        """Set the number of entries of a map, or the bytes of a ring, before `load`."""
        self._library.bpf_map__set_max_entries(self._map(name), entries)

    def maps(self) -> Iterator[str]:
        """Yield the names of all maps in the file."""
        handle = self._library.bpf_object__next_map(self.pointer, None)
        while handle is not None:
            yield self._library.bpf_map__name(handle).decode()
            handle = self._library.bpf_object__next_map(self.pointer, handle)

    def share_map(self, name: str, fd: int) -> None:
        """Use a map that exists instead of creating one at `load`.

        Raises `LoadError` if its keys or values have another size than the programs expect.
        """
        declared, found = self._map(name), map_info(fd)
        sizes = self._library.bpf_map__key_size(declared), self._library.bpf_map__value_size(declared)
        # A ring has neither, and says so in its own way.
        if sizes not in {(found.key_size, found.value_size), (0, 0)}:
            message = f"map {name} has another form in this version of {self.name}: unload it first, then load"
            raise LoadError(message)
        self._library.bpf_map__reuse_fd(declared, fd)

    def hold_maps_like(self, name: str, fd: int) -> None:
        """Say before `load` that a map of maps is to hold such as the one behind this descriptor."""
        self._library.bpf_map__set_inner_map_fd(self._map(name), fd)

    def leave_out_map(self, name: str) -> None:
        """Do not create a map at `load`; no program that is loaded may come to use it."""
        self._library.bpf_map__set_autocreate(self._map(name), False)  # noqa: FBT003 -- C's order.

    def set_constants(self, name: str, values: bytes) -> None:
        """Set the beginning of a section of constants before `load`. The verifier knows them then.

        Raises `ValueError` if the section is shorter.
        """
        size = ctypes.c_size_t()
        target = self._library.bpf_map__initial_value(self._map(name), ctypes.byref(size))
        if len(values) > size.value:
            message = f"{name} of {self.name} has {size.value} bytes, not {len(values)}"
            raise ValueError(message)
        ctypes.memmove(target, values, len(values))

    def load(self) -> None:
        """Create the maps and load the chosen programs.

        Raises `VerifierError` with the verifier's reason if there is one, else `LoadError`; its `log` holds everything
        that libbpf and the verifier printed.
        """
        with captured_log() as log:
            try:
                self._library.bpf_object__load(self.pointer)
            except OSError as error:
                program = refused_program(log)
                if verdict := verifier_verdict(log):
                    message = f"the kernel's verifier refused {program} of {self.name}: {verdict}"
                    raise VerifierError(message, log="".join(log), program=program, errno=error.errno or 0) from error
                message = f"the kernel refused {program or 'the maps'} of {self.name}: {error.strerror}"
                raise LoadError(message, log="".join(log), program=program, errno=error.errno or 0) from error

    def attach(self, program: str) -> Link:
        """Attach a loaded program to the hook that its section names. Raises `AttachError`."""
        with captured_log() as log:
            try:
                return Link(self._library, self._library.bpf_program__attach(self._program(program)))
            except OSError as error:
                message = f"cannot attach {program} of {self.name}: {error.strerror}"
                raise AttachError(message, log="".join(log), program=program, errno=error.errno or 0) from error

    def map_fd(self, name: str) -> int:
        """Return the descriptor of a map; it belongs to the object."""
        return self._library.bpf_map__fd(self._map(name))

    def program_fd(self, name: str) -> int:
        """Return the descriptor of a loaded program; it belongs to the object."""
        return self._library.bpf_program__fd(self._program(name))

    def _program(self, name: str) -> Pointer:
        return self._library.bpf_object__find_program_by_name(self.pointer, name.encode())

    def _map(self, name: str) -> Pointer:
        return self._library.bpf_object__find_map_by_name(self.pointer, name.encode())

    def _release(self, pointer: Pointer) -> None:
        self._library.bpf_object__close(pointer)
