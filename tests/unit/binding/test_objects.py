"""Objects, their programs, and what the kernel says of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from pyloader.binding import BpfObject, Link
from pyloader.binding.library import Libbpf
from pyloader.errors import ClosedError, LoadError

VERIFIER = (
    "libbpf: prog 'one': -- BEGIN PROG LOAD LOG --\nR6 invalid mem access 'scalar'\nprocessed 2 insns\n"
    "-- END PROG LOAD LOG --\n"
)


class _FakeLibbpf:
    """A libbpf with one object of two programs and one map; `error` is what `load` and `attach` raise."""

    def __init__(self) -> None:
        self.autoload: dict[str, bool] = {}
        self.sizes: dict[int, int] = {}
        self.released: list[str] = []
        self.error: OSError | None = None
        self._programs = {"one": 1, "two": 2}

    def bpf_object__next_program(self, _handle: int, previous: int | None) -> int | None:
        """Walk through the programs."""
        return {None: 1, 1: 2}.get(previous)

    def bpf_program__name(self, program: int) -> bytes:
        """Return the name of a program."""
        return {1: b"one", 2: b"two"}[program]

    def bpf_object__find_program_by_name(self, _handle: int, name: bytes) -> int:
        """Find a program."""
        return self._programs[name.decode()]

    def bpf_object__find_map_by_name(self, _handle: int, name: bytes) -> int:
        """Find the map."""
        return {b"ring": 7}[name]

    def bpf_program__set_autoload(self, program: int, autoload: bool) -> int:  # noqa: FBT001 -- as C has it.
        """Note the choice."""
        self.autoload[self.bpf_program__name(program).decode()] = autoload
        return 0

    def bpf_map__set_max_entries(self, handle: int, entries: int) -> int:
        """Note the size."""
        self.sizes[handle] = entries
        return 0

    def bpf_map__fd(self, handle: int) -> int:
        """Return the descriptor of a map."""
        return 10 + handle

    def bpf_program__fd(self, program: int) -> int:
        """Return the descriptor of a program."""
        return 20 + program

    def bpf_object__load(self, _handle: int) -> int:
        """Load, or fail."""
        if self.error is not None:
            raise self.error
        return 0

    def bpf_program__attach(self, program: int) -> int:
        """Attach, or fail."""
        if self.error is not None:
            raise self.error
        return 100 + program

    def bpf_link__destroy(self, link: int) -> int:
        """Note it."""
        self.released.append(f"link {link}")
        return 0

    def bpf_object__close(self, handle: int) -> None:
        """Note it."""
        self.released.append(f"object {handle}")


@pytest.fixture(name="printed")
def _printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines that libbpf prints during every call."""
    lines: list[str] = []

    @contextmanager
    def captured() -> Iterator[list[str]]:
        yield lines

    monkeypatch.setattr("pyloader.binding.objects.captured_log", captured)
    return lines


@pytest.fixture(name="libbpf")
def _libbpf() -> _FakeLibbpf:
    return _FakeLibbpf()


@pytest.fixture(name="opened")
def _opened(libbpf: _FakeLibbpf, printed: list[str]) -> Iterator[BpfObject]:
    """Return the object of the fake."""
    assert printed == []
    with BpfObject(cast("Libbpf", libbpf), 4711, "sample") as opened:
        yield opened


def test_programs(opened: BpfObject) -> None:
    """The programs of an object are told in order."""
    assert list(opened.programs()) == ["one", "two"]


def test_selection(libbpf: _FakeLibbpf, opened: BpfObject) -> None:
    """Only what is selected is loaded."""
    opened.select(name for name in ("two",))

    assert libbpf.autoload == {"one": False, "two": True}


def test_maps_and_descriptors(libbpf: _FakeLibbpf, opened: BpfObject) -> None:
    """Maps can be resized, and maps and programs have descriptors."""
    opened.resize_map("ring", 65_536)

    assert libbpf.sizes == {7: 65_536}
    assert (opened.map_fd("ring"), opened.program_fd("two")) == (17, 22)


@pytest.mark.parametrize(
    ("lines", "reason"), [([VERIFIER], "R6 invalid mem access 'scalar'"), (["libbpf: x\n"], "Permission denied")]
)
def test_refused_load(
    libbpf: _FakeLibbpf, opened: BpfObject, printed: list[str], lines: list[str], reason: str
) -> None:
    """A refusal ends with the verifier's reason, or else the error's, and keeps the whole log."""
    libbpf.error = OSError(13, "Permission denied")
    printed += lines
    with pytest.raises(LoadError) as caught:
        opened.load()

    assert str(caught.value) == f"the kernel refused sample: {reason}"
    assert caught.value.log == "".join(lines)


def test_refused_attachment(libbpf: _FakeLibbpf, opened: BpfObject, printed: list[str]) -> None:
    """An attachment that fails names the program, the object and the reason."""
    libbpf.error = OSError(2, "No such file or directory")
    printed.append("libbpf: failed to determine tracepoint\n")
    with pytest.raises(LoadError) as caught:
        opened.attach("one")

    assert str(caught.value) == "cannot attach one of sample: No such file or directory"
    assert caught.value.log == "libbpf: failed to determine tracepoint\n"


def test_links_and_objects_are_released(libbpf: _FakeLibbpf, opened: BpfObject) -> None:
    """Closing a link detaches the program, closing the object unloads it, each once."""
    with opened.attach("two") as link:
        assert isinstance(link, Link)
    opened.close()
    opened.close()

    assert libbpf.released == ["link 102", "object 4711"]
    with pytest.raises(ClosedError):
        opened.load()


@pytest.mark.parametrize("data", [b"no ELF", b"\x7fELF" + bytes(60)])
def test_file_that_is_no_object(data: bytes) -> None:
    """What is no object file is refused with libbpf's own words in the log."""
    with pytest.raises(LoadError, match=r"cannot open the BPF object sample: .*; reinstall pyloader-ebpf") as caught:
        BpfObject.open(data, "sample")

    assert "libbpf: " in caught.value.log
