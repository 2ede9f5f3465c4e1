"""Objects, their programs, and what the kernel says of them."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from pyloader.binding import BpfObject, Link, MapInfo
from pyloader.binding.library import Libbpf
from pyloader.errors import AttachError, ClosedError, LoadError, VerifierError

VERIFIER = (
    "libbpf: prog 'one': BPF program load failed: Permission denied\n"
    "libbpf: prog 'one': -- BEGIN PROG LOAD LOG --\nR6 invalid mem access 'scalar'\nprocessed 2 insns\n"
    "-- END PROG LOAD LOG --\n"
)


class _FakeLibbpf:
    """A libbpf with one object of two programs, a ring and constants; `error` is what `load` and `attach` raise."""

    def __init__(self) -> None:
        self.autoload: dict[str, bool] = {}
        self.sizes: dict[int, int] = {}
        self.shared: dict[int, int] = {}
        self.created: dict[int, bool] = {}
        self.constants = ctypes.create_string_buffer(b"\xee" * 8, 8)
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
        """Find a map."""
        return {b"ring": 7, b".rodata.settings": 8}[name]

    def bpf_object__next_map(self, _handle: int, previous: int | None) -> int | None:
        """Walk through the maps."""
        return {None: 7, 7: 8}.get(previous)

    def bpf_map__name(self, handle: int) -> bytes:
        """Return the name of a map."""
        return {7: b"ring", 8: b".rodata.settings"}[handle]

    def bpf_map__reuse_fd(self, handle: int, fd: int) -> int:
        """Note the descriptor."""
        self.shared[handle] = fd
        return 0

    def bpf_map__set_autocreate(self, handle: int, autocreate: bool) -> int:  # noqa: FBT001 -- as C has it.
        """Note the choice."""
        self.created[handle] = autocreate
        return 0

    def bpf_map__initial_value(self, handle: int, size: Any) -> int:  # noqa: ANN401 -- a reference of ctypes.
        """Return where the constants are."""
        assert handle == 8
        size._obj.value = ctypes.sizeof(self.constants)  # noqa: SLF001 -- what a ctypes reference refers to.
        return ctypes.addressof(self.constants)

    def bpf_map__key_size(self, handle: int) -> int:
        """Return 4, except for a ring, which has no keys."""
        return {7: 0, 8: 4}[handle]

    def bpf_map__value_size(self, handle: int) -> int:
        """Return 8, except for a ring, which has no values."""
        return {7: 0, 8: 8}[handle]

    def bpf_link__fd(self, link: int) -> int:
        """Return the descriptor of a link."""
        return 200 + link

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


def test_maps_are_told_and_chosen(libbpf: _FakeLibbpf, opened: BpfObject) -> None:
    """The maps of an object are told, and each can be left out."""
    opened.leave_out_map("ring")

    assert list(opened.maps()) == ["ring", ".rodata.settings"]
    assert libbpf.created == {7: False}


@pytest.mark.parametrize(("name", "key", "value"), [("ring", 0, 0), (".rodata.settings", 4, 8)])
def test_shared_map(
    libbpf: _FakeLibbpf, opened: BpfObject, monkeypatch: pytest.MonkeyPatch, name: str, key: int, value: int
) -> None:
    """A map that exists and has the same form stands in for the object's own."""
    monkeypatch.setattr("pyloader.binding.objects.map_info", lambda _: MapInfo(key_size=key, value_size=value))
    opened.share_map(name, 33)

    assert list(libbpf.shared.values()) == [33]


@pytest.mark.parametrize(("key", "value"), [(4, 16), (8, 8)])
def test_map_of_another_form(
    libbpf: _FakeLibbpf, opened: BpfObject, monkeypatch: pytest.MonkeyPatch, key: int, value: int
) -> None:
    """A map whose keys or values have another size than the programs expect is refused, with what to do."""
    monkeypatch.setattr("pyloader.binding.objects.map_info", lambda _: MapInfo(key_size=key, value_size=value))
    with pytest.raises(LoadError, match=r"map \.rodata\.settings has another form .* of sample: unload it first"):
        opened.share_map(".rodata.settings", 33)

    assert libbpf.shared == {}


def test_constants(libbpf: _FakeLibbpf, opened: BpfObject) -> None:
    """Constants are set from the beginning of their section, and what lies behind them stays."""
    opened.set_constants(".rodata.settings", b"12345")
    assert libbpf.constants.raw == b"12345\xee\xee\xee"

    opened.set_constants(".rodata.settings", b"12345678")
    assert libbpf.constants.raw == b"12345678"


def test_constants_that_are_too_long(libbpf: _FakeLibbpf, opened: BpfObject) -> None:
    """Constants that do not fit into their section are refused, and nothing is overwritten."""
    with pytest.raises(ValueError, match=r"\.rodata\.settings of sample has 8 bytes, not 9"):
        opened.set_constants(".rodata.settings", bytes(9))
    assert libbpf.constants.raw == b"\xee" * 8


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (
            [VERIFIER],
            VerifierError("the kernel's verifier refused one of sample: R6 invalid mem access 'scalar'", program="one"),
        ),
        (
            ["libbpf: prog 'two': failed to load: -13\n"],
            LoadError("the kernel refused two of sample: Permission denied", program="two"),
        ),
        (["libbpf: x\n"], LoadError("the kernel refused the maps of sample: Permission denied")),
    ],
)
def test_refused_load(
    libbpf: _FakeLibbpf, opened: BpfObject, printed: list[str], lines: list[str], refused: LoadError
) -> None:
    """A refusal ends with the verifier's reason, or else the error's, names the program, and keeps the whole log."""
    libbpf.error = OSError(13, "Permission denied")
    printed += lines
    with pytest.raises(LoadError) as caught:
        opened.load()

    error = caught.value
    assert (type(error), str(error), error.program) == (type(refused), str(refused), refused.program)
    assert (error.errno, error.log) == (13, "".join(lines))


def test_refused_attachment(libbpf: _FakeLibbpf, opened: BpfObject, printed: list[str]) -> None:
    """An attachment that fails names the program, the object and the reason."""
    libbpf.error = OSError(2, "No such file or directory")
    printed.append("libbpf: failed to determine tracepoint\n")
    with pytest.raises(AttachError) as caught:
        opened.attach("one")

    assert str(caught.value) == "cannot attach one of sample: No such file or directory"
    assert (caught.value.program, caught.value.errno) == ("one", 2)
    assert caught.value.log == "libbpf: failed to determine tracepoint\n"


def test_links_and_objects_are_released(libbpf: _FakeLibbpf, opened: BpfObject) -> None:
    """Closing a link detaches the program, closing the object unloads it, each once."""
    with opened.attach("two") as link:
        assert isinstance(link, Link)
        assert link.fileno() == 302
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


def test_file_of_types_that_is_missing(root: Path) -> None:
    """An object opens with a file that describes the kernel's types; only the load will look into that file."""
    data = (root / "pyloader" / "objects" / "process_monitor.bpf.o").read_bytes()
    with BpfObject.open(data, "process_monitor", btf=Path("/nonexistent/kernel.btf")) as opened:
        assert {"exec_btf", "exec_tp"} <= set(opened.programs())
        assert {"vital", "common", ".rodata.settings"} <= set(opened.maps())
