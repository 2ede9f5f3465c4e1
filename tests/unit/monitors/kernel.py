"""A kernel for monitors: it refuses what a test wants it to refuse, and knows what is loaded and attached."""

import errno
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from pyloader.errors import AttachError, LoadError, VerifierError
from pyloader.monitors import Hook, Monitor, Rung
from pyloader.monitors.ladder import none

MONITOR = Monitor(
    "sample",
    "sample.bpf.o",
    (
        Hook("exec", (Rung("fentry/a", "exec_1"), Rung("kprobe/a", "exec_2"), Rung("tp/a", "exec_3"))),
        Hook("exit", (Rung("kprobe/b", "exit_1"), Rung("tp/b", "exit_2"))),
    ),
    "sample_untyped.bpf.o",
)

RICH = Monitor(
    "rich",
    "sample.bpf.o",
    (
        Hook(
            "call",
            (
                Rung("fexit/c", "call_1", beside=("further_1",)),
                Rung("kretprobe/c", "call_2", beside=("further_2",)),
                none("calls"),
            ),
        ),
        Hook("file", (Rung("fentry/f", "file_1"), Rung("tp/f", "file_2"))),
    ),
)
"""A monitor with rungs of several programs, rungs of one family, and a hook that a host can do without."""

PROGRAMS = [
    program for monitor in (MONITOR, RICH) for hook in monitor.hooks for rung in hook.rungs for program in rung.programs
]

MAP_FD, PROGRAM_FD, LINK_FD = 1_000_000, 2_000_000, 3_000_000
"""Numbers that no descriptor of this process has."""

MAPS = [
    *("vital", "common", "vital_lanes", "common_lanes", "samples"),
    *("positions", "tallies", "reported", "charge", "told", ".rodata.settings"),
]


class FakeKernel:
    """The objects that were opened, and what is refused, by program or by an error of whatever is loaded.

    The verifier refuses programs, some cannot be attached for an `errno`, and some are of a kind that is not allowed.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"sample.bpf.o": b"typed", "sample_untyped.bpf.o": b"untyped"}
        self.refused: set[str] = set()
        self.unattachable: set[str] = set()
        self.errno = errno.ENOENT
        self.forbidden: set[str] = set()
        self.absent: set[str] = set()
        """Programs that the object file does not have."""
        self.error: BaseException | None = None
        self.made: list[FakeObject] = []

    def read_object(self, name: str) -> bytes:
        """Return an object file."""
        return self.files[name]

    def open(self, data: bytes, name: str, *, btf: Path | None = None) -> "FakeObject":
        """Open an object."""
        self.made.append(FakeObject(self, data, name, btf))
        return self.made[-1]

    @property
    def last(self) -> "FakeObject":
        """The object that was opened last."""
        return self.made[-1]


class FakeObject:
    """An object of the kernel."""

    def __init__(self, kernel: FakeKernel, data: bytes, name: str, btf: Path | None) -> None:
        self.kernel, self.data, self.name, self.btf = kernel, data, name, btf
        self.selected: list[str] = []
        self.sizes: dict[str, int] = {}
        self.left_out: list[str] = []
        self.shared: dict[str, int] = {}
        self.inner: dict[str, int] = {}
        self.constants: dict[str, bytes] = {}
        self.attached: list[str] = []
        self.closed = False

    def programs(self) -> Iterator[str]:
        """Yield the names of the programs."""
        yield from (program for program in PROGRAMS if program not in self.kernel.absent)

    def select(self, programs: Iterable[str]) -> None:
        """Note the programs to load."""
        self.selected = list(programs)
        assert set(self.selected) <= set(self.programs())

    def resize_map(self, name: str, entries: int) -> None:
        """Note the size."""
        self.sizes[name] = entries

    def hold_maps_like(self, name: str, fd: int) -> None:
        """Note the descriptor."""
        self.inner[name] = fd

    def leave_out_map(self, name: str) -> None:
        """Note the map."""
        self.left_out.append(name)

    def share_map(self, name: str, fd: int) -> None:
        """Note the descriptor."""
        self.shared[name] = fd

    def set_constants(self, name: str, values: bytes) -> None:
        """Note the values."""
        self.constants[name] = values

    def maps(self) -> Iterator[str]:
        """Yield the names of the maps."""
        yield from MAPS

    def load(self) -> None:
        """Refuse what is to be refused."""
        if self.kernel.error is not None:
            raise self.kernel.error
        for program in self.selected:
            if program in self.kernel.refused:
                message = f"the kernel's verifier refused {program}"
                raise VerifierError(message, log="the long story\n", program=program, errno=errno.EINVAL)
            if program in self.kernel.forbidden:
                message = f"the kernel refused {program}: Operation not permitted"
                raise LoadError(message, program=program, errno=errno.EPERM)

    def attach(self, program: str) -> "FakeLink":
        """Attach a program, or refuse."""
        if program in self.kernel.unattachable:
            message = f"cannot attach {program}"
            raise AttachError(message, program=program, errno=self.kernel.errno)
        self.attached.append(program)
        return FakeLink(self, program)

    def map_fd(self, name: str) -> int:
        """Return the descriptor of a shared map, and a number for each map that was not left out."""
        assert name not in self.left_out
        return self.shared.get(name, MAP_FD + MAPS.index(name))

    def program_fd(self, name: str) -> int:
        """Return a number for each program that was loaded."""
        return PROGRAM_FD + self.selected.index(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


class FakeLink:
    """An attachment that its object knows of."""

    def __init__(self, owner: FakeObject, program: str) -> None:
        self._owner, self._program = owner, program

    def fileno(self) -> int:
        """Return a number for each program."""
        return LINK_FD + self._owner.selected.index(self._program)

    def close(self) -> None:
        """Detach; further calls do nothing."""
        if self._program in self._owner.attached:
            self._owner.attached.remove(self._program)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
