"""A monitor goes down its ladder until the kernel is content, and leaves nothing behind."""

from collections.abc import Iterator
from typing import ClassVar, Self

import pytest

from pyloader.errors import LoadError, UnsupportedError
from pyloader.monitors import PROCESS, Hook, LoadedMonitor, Monitor, Rung
from pyloader.records import KERNEL_RECORDS, tag_of

MONITOR = Monitor(
    "sample",
    "process_monitor.bpf.o",
    (
        Hook("exec", (Rung("best", "exec_1"), Rung("good", "exec_2"), Rung("bad", "exec_3"))),
        Hook("exit", (Rung("best", "exit_1"), Rung("good", "exit_2"))),
    ),
)


def refusal(program: str) -> str:
    """Return what libbpf prints when the kernel refuses a program."""
    return (
        f"libbpf: prog '{program}': BPF program load failed: Invalid argument\n"
        f"libbpf: prog '{program}': -- BEGIN PROG LOAD LOG --\nlast insn is not an exit or jmp\n"
        f"processed 0 insns\n-- END PROG LOAD LOG --\nlibbpf: prog '{program}': failed to load: -22\n"
        "libbpf: failed to load object 'sample'\n"
    )


class FakeObject:
    """An object of a kernel that refuses some programs and some attachments."""

    refused: ClassVar[set[str]] = set()
    unattachable: ClassVar[set[str]] = set()
    other_error: ClassVar[Exception | None] = None
    made: ClassVar[list["FakeObject"]] = []

    def __init__(self) -> None:
        self.selected: list[str] = []
        self.rings: dict[str, int] = {}
        self.attached: list[str] = []
        self.closed = False

    @classmethod
    def open(cls, data: bytes, name: str) -> Self:
        """Open the object file that ships."""
        assert data[:4] == b"\x7fELF"
        assert name == "process_monitor"
        made = cls()
        cls.made.append(made)
        return made

    def select(self, programs: Iterator[str]) -> None:
        """Note the programs to load."""
        self.selected = list(programs)

    def resize_map(self, name: str, entries: int) -> None:
        """Note the size of the ring."""
        self.rings[name] = entries

    def load(self) -> None:
        """Refuse what is to be refused."""
        if self.other_error is not None:
            raise self.other_error
        for program in self.selected:
            if program in self.refused:
                message = "the kernel refused it"
                raise LoadError(message, log=refusal(program))

    def attach(self, program: str) -> "FakeLink":
        """Attach a program, or refuse."""
        if program in self.unattachable:
            message = f"cannot attach {program}"
            raise LoadError(message)
        self.attached.append(program)
        return FakeLink(self, program)

    def map_fd(self, name: str) -> int:
        """Return a number for each map."""
        return {"ring": 3, "lost": 4}[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unload."""
        self.closed = True


class FakeLink:
    """An attachment that its object knows of."""

    def __init__(self, owner: FakeObject, program: str) -> None:
        self._owner, self._program = owner, program

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._owner.attached.remove(self._program)


class FakeRing:
    """A ring that counts how many are open."""

    open: ClassVar[int] = 0
    fails: ClassVar[bool] = False

    def __init__(self, map_fd: int) -> None:
        assert map_fd == 3
        if self.fails:
            raise LoadError("no ring")  # noqa: EM101, TRY003 -- the text is of no matter.
        FakeRing.open += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        FakeRing.open -= 1


class FakeCounters:
    """Counters that tell which of them is read."""

    def __init__(self, map_fd: int) -> None:
        assert map_fd == 4

    def read(self, index: int) -> list[int]:
        """Return the index on two CPUs."""
        return [index, 0]


@pytest.fixture(name="kernel", autouse=True)
def _kernel(monkeypatch: pytest.MonkeyPatch) -> type[FakeObject]:
    """Put the fakes in place of the kernel; by default it refuses nothing."""
    monkeypatch.setattr("pyloader.monitors.loaded.BpfObject", FakeObject)
    monkeypatch.setattr("pyloader.monitors.loaded.RingReader", FakeRing)
    monkeypatch.setattr("pyloader.monitors.loaded.PerCpuCounters", FakeCounters)
    monkeypatch.setattr(FakeObject, "refused", set())
    monkeypatch.setattr(FakeObject, "unattachable", set())
    monkeypatch.setattr(FakeObject, "other_error", None)
    monkeypatch.setattr(FakeObject, "made", [])
    monkeypatch.setattr(FakeRing, "open", 0)
    monkeypatch.setattr(FakeRing, "fails", False)
    return FakeObject


@pytest.mark.parametrize(
    ("refused", "rungs", "attempts"),
    [
        (set(), ["exec_1", "exit_1"], 1),
        ({"exec_1"}, ["exec_2", "exit_1"], 2),
        ({"exit_1"}, ["exec_1", "exit_2"], 2),
        ({"exec_1", "exec_2"}, ["exec_3", "exit_1"], 3),
        ({"exec_1", "exec_2", "exit_1"}, ["exec_3", "exit_2"], 4),
    ],
)
def test_steps_down(kernel: type[FakeObject], refused: set[str], rungs: list[str], attempts: int) -> None:
    """Each hook takes the best rung that the kernel accepts, and every attempt that failed is closed."""
    kernel.refused = refused
    with LoadedMonitor(MONITOR, ring_bytes=65_536) as loaded:
        assert rungs == [rung.program for rung in loaded.rungs.values()]
        assert rungs == kernel.made[-1].selected
        assert attempts == len(kernel.made)
        assert [one.closed for one in kernel.made] == [True] * (attempts - 1) + [False]
    assert all(one.closed for one in kernel.made)
    assert FakeRing.open == 0


@pytest.mark.parametrize("refused", [{"exit_1", "exit_2"}, {"exec_1", "exec_2", "exec_3"}])
def test_gives_up_after_the_last_rung(kernel: type[FakeObject], refused: set[str]) -> None:
    """If the kernel refuses the last rung, too, the refusal is raised with its log, and nothing stays behind."""
    kernel.refused = refused

    with pytest.raises(LoadError) as caught:
        LoadedMonitor(MONITOR, ring_bytes=65_536)

    assert "last insn is not an exit" in caught.value.log
    assert len(refused) == len(kernel.made)
    assert all(one.closed for one in kernel.made)


@pytest.mark.parametrize(
    "log", ["", "libbpf: map 'ring': failed to create: Operation not permitted\n", refusal("other")]
)
def test_refusal_that_is_no_programs_fault(kernel: type[FakeObject], log: str) -> None:
    """A refusal that names no program of the ladder ends at once: another rung would not help."""
    kernel.other_error = LoadError("no", log=log)

    with pytest.raises(LoadError):
        LoadedMonitor(MONITOR, ring_bytes=65_536)

    assert [one.closed for one in kernel.made] == [True]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(24, "Too many open files")])
def test_other_errors_close_the_attempt(kernel: type[FakeObject], error: Exception) -> None:
    """Whatever interrupts the loading, the attempt is closed."""
    kernel.other_error = error

    with pytest.raises(type(error)):
        LoadedMonitor(MONITOR, ring_bytes=65_536)

    assert [one.closed for one in kernel.made] == [True]


def test_ring_that_fails(kernel: type[FakeObject], monkeypatch: pytest.MonkeyPatch) -> None:
    """If the ring cannot be read, the object does not stay in the kernel."""
    monkeypatch.setattr(FakeRing, "fails", True)

    with pytest.raises(LoadError):
        LoadedMonitor(MONITOR, ring_bytes=65_536)

    assert [one.closed for one in kernel.made] == [True]


def test_ring_has_the_wanted_size(kernel: type[FakeObject]) -> None:
    """The ring is as large as was asked for, on every attempt."""
    kernel.refused = {"exec_1"}
    with LoadedMonitor(MONITOR, ring_bytes=131_072):
        assert [one.rings for one in kernel.made] == [{"ring": 131_072}] * 2


def test_attach_and_detach(kernel: type[FakeObject]) -> None:
    """Programs observe between `attach` and `detach`, only those of the rungs that hold, and `close` detaches, too."""
    kernel.refused = {"exit_1"}
    with LoadedMonitor(MONITOR, ring_bytes=65_536) as loaded:
        assert kernel.made[-1].attached == []
        loaded.attach()
        assert kernel.made[-1].attached == ["exec_1", "exit_2"]
        loaded.detach()
        loaded.detach()
        assert (kernel.made[-1].attached, kernel.made[-1].closed) == ([], False)
        loaded.attach()
    assert (kernel.made[-1].attached, kernel.made[-1].closed) == ([], True)
    loaded.close()


def test_attachment_that_fails(kernel: type[FakeObject]) -> None:
    """If one program cannot be attached, those before it are detached with the monitor."""
    kernel.unattachable = {"exit_1"}
    with LoadedMonitor(MONITOR, ring_bytes=65_536) as loaded, pytest.raises(LoadError, match="cannot attach exit_1"):
        loaded.attach()

    assert kernel.made[-1].attached == []


def test_losses() -> None:
    """The losses of every record type of the kernel are told by tag."""
    with LoadedMonitor(MONITOR, ring_bytes=65_536) as loaded:
        assert [(tag_of(kind), [tag_of(kind), 0]) for kind in KERNEL_RECORDS] == list(loaded.lost())


def test_object_that_is_missing() -> None:
    """A monitor whose object file is missing says what to do."""
    with pytest.raises(
        UnsupportedError, match=r"missing\.bpf\.o cannot be read: No such file.*reinstall pyloader-ebpf"
    ):
        LoadedMonitor(PROCESS._replace(object="missing.bpf.o"), ring_bytes=65_536)
