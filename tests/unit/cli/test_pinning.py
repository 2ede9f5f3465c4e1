"""`pyloader load`, `unload` and `status`, with pins that a test makes up."""

import errno
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, Self

import pytest

from pyloader.binding import ProgramInfo
from pyloader.cli import main
from pyloader.errors import NotPermittedError
from pyloader.monitors import MONITORS, Monitor, Rung, Tally
from pyloader.monitors.ladder import none

Output = pytest.CaptureFixture[str]


class _Pins:
    """Pins that are there or not, and fail if a test wants so."""

    pinned: ClassVar[bool] = False
    asked: ClassVar[list[object]] = []
    error: ClassVar[Exception | None] = None

    def __init__(self, monitor: Monitor, instance: str) -> None:
        self.monitor = monitor
        self.folder = Path("/sys/fs/bpf/pyloader") / instance / monitor.name

    def find(self) -> "_Pinned | None":
        """Return the monitor if they are there."""
        self._fail()
        return _Pinned() if self.pinned else None

    def load(self, *, ring_bytes: int, btf: Path | None = None) -> bool:
        """Note what is asked, and return whether there was anything to do."""
        self._fail()
        self.asked.extend((self.folder, ring_bytes, btf))
        return not self.pinned

    def unload(self) -> bool:
        """Note it, and return whether they were there."""
        self._fail()
        self.asked.append(self.folder)
        return self.pinned

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class _Pinned:
    """A monitor as it is found pinned, an hour after it was loaded: a hook has two programs, another none."""

    current: ClassVar[bool] = True

    def __init__(self) -> None:
        loaded = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 3_600 * 1_000_000_000
        self.rungs = {
            "exec": Rung("tp_btf/exec", "exec_btf", beside=("execat_btf", "of_another_machine")),
            "exit": Rung("tp/exit", "exit_tp", blind_to="much", cost="a look-up"),
            "open": none("files"),
        }
        self.programs = {
            "exec_btf": ProgramInfo(id=7, load_time=loaded, run_cnt=4, run_time_ns=4_100, verified_insns=900),
            "execat_btf": ProgramInfo(id=9, load_time=loaded + 1, run_cnt=1, run_time_ns=70, verified_insns=90),
            "exit_tp": ProgramInfo(id=8, load_time=loaded + 5, verified_insns=100),
        }
        self.reader = SimpleNamespace(pending=lambda: 4_096)

    def tallies(self) -> Iterator[tuple[int, list[Tally]]]:
        """Yield what two CPUs wrote and lost."""
        yield 1, [Tally(5, 0, 0), Tally(6, 2, 9)]
        yield 2, [Tally(0, 0, 0), Tally(0, 0, 0)]
        yield 3, [Tally(1, 0, 0), Tally(0, 0, 0)]

    def is_of_this_version(self) -> bool:
        """Return what the test wants."""
        return self.current

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture(name="pins", autouse=True)
def _pins(monkeypatch: pytest.MonkeyPatch) -> type[_Pins]:
    """Put the made-up pins in place; nothing is pinned."""
    for module in ("load", "unload", "status"):
        monkeypatch.setattr(f"pyloader.cli.{module}.Pins", _Pins)
    monkeypatch.setattr("pyloader.kernel.require", lambda _btf=None: None)
    monkeypatch.setattr(_Pins, "pinned", False)
    monkeypatch.setattr(_Pins, "asked", [])
    monkeypatch.setattr(_Pins, "error", None)
    monkeypatch.setattr(_Pinned, "current", True)
    return _Pins


DEFAULT = Path("/sys/fs/bpf/pyloader/default")


@pytest.mark.parametrize(("pinned", "words"), [(False, "pinned at"), (True, "already pinned at")])
def test_load(capsys: Output, pins: type[_Pins], *, pinned: bool, words: str) -> None:
    """`load` pins all monitors, and says where, or that there was nothing to do."""
    pins.pinned = pinned

    assert main(["load"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"{name}: {words} {DEFAULT / name}" for name in MONITORS]
    assert err == ""
    assert pins.asked[::3] == [DEFAULT / name for name in MONITORS]


def test_options_of_load(pins: type[_Pins]) -> None:
    """The instance, the size of the rings and the file of types are those of the options."""
    assert main(["load", "process", "--instance", "two", "--ring-bytes", "65536", "--btf", "k.btf"]) == 0
    assert pins.asked == [Path("/sys/fs/bpf/pyloader/two/process"), 65_536, Path("k.btf")]


def test_settings_of_pins(capsys: Output, pins: type[_Pins], tmp_path: Path) -> None:
    """What `run` reads by the same file is what is pinned, shown and removed."""
    file = tmp_path / "settings.toml"
    file.write_text("instance = 'two'\nring_bytes = 65536\nbtf = 'k.btf'\nmonitors = ['network']")
    folder = Path("/sys/fs/bpf/pyloader/two/process")

    assert main(["load", "process", "--config", str(file)]) == 0
    assert pins.asked == [folder, 65_536, tmp_path / "k.btf"]
    assert main(["unload", "process", "--config", str(file)]) == 0
    assert pins.asked[3:] == [folder]
    capsys.readouterr()
    assert main(["status", "--config", str(file), "--format", "json"]) == 0
    assert '"instance":"two"' in capsys.readouterr().out


def test_load_where_the_host_cannot(capsys: Output, pins: type[_Pins], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the host lacks something, nothing is pinned."""

    def require(_btf: object = None) -> None:
        message = "run as root"
        raise NotPermittedError(message)

    monkeypatch.setattr("pyloader.kernel.require", require)

    assert main(["load"]) == 3
    assert capsys.readouterr() == ("", "pyloader: run as root\n")
    assert pins.asked == []


@pytest.mark.parametrize(("pinned", "words"), [(True, "removed from"), (False, "not pinned at")])
def test_unload(capsys: Output, pins: type[_Pins], *, pinned: bool, words: str) -> None:
    """`unload` removes what is there of all monitors, and is content if there is nothing."""
    pins.pinned = pinned

    assert main(["unload"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [f"{name}: {words} {DEFAULT / name}" for name in MONITORS]
    assert err == ""
    assert pins.asked == [DEFAULT / name for name in MONITORS]


@pytest.mark.parametrize("command", ["load", "unload", "status"])
@pytest.mark.parametrize("name", MONITORS)
def test_one_monitor(capsys: Output, command: str, name: str) -> None:
    """A monitor that is named is dealt with alone."""
    assert main([command, name]) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [name]


@pytest.mark.parametrize("command", ["unload", "status"])
def test_ordinary_user(capsys: Output, pins: type[_Pins], command: str) -> None:
    """Who may not look into the folder is told to be root."""
    pins.error = PermissionError(errno.EACCES, "Permission denied")

    assert main([command, "process"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"pyloader: cannot [a-z ]+ {DEFAULT}/process: Permission denied; run as root\n", err)


def test_status_of_nothing(capsys: Output) -> None:
    """What is not pinned is told so, and that is no failure."""
    assert main(["status"]) == 0
    assert capsys.readouterr() == ("".join(f"{name}: not loaded\n" for name in MONITORS), "")


def test_status(capsys: Output, pins: type[_Pins]) -> None:
    """The state of a monitor is told with its programs and what they cost, its records, and what waits.

    Every program of a rung has a line; a hook without one is told, too. Records that there are none of are not.
    """
    pins.pinned = True

    assert main(["status", "process"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"process: loaded since \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ at {DEFAULT}/process", first)
    assert lines == [
        "  exec: tp_btf/exec (exec_btf), 900 instructions verified, 1025 ns a run in 4 runs",
        "  exec: tp_btf/exec (execat_btf), 90 instructions verified, 70 ns a run in 1 runs",
        "  exit: tp/exit (exit_tp), 100 instructions verified",
        "  open: cannot be observed here: files",
        "  process_exec: 11 written, 2 lost",
        "  process_exit: 1 written, 0 lost",
        "  4096 bytes wait for a reader",
    ]


def test_status_of_another_version(capsys: Output, pins: type[_Pins], monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of another version than the installed one are told, with what to do."""
    monkeypatch.setattr(_Pinned, "current", False)
    pins.pinned = True

    assert main(["status"]) == 0
    assert "of another version than this package; `pyloader load` upgrades it" in capsys.readouterr().out


def test_status_as_json(capsys: Output, pins: type[_Pins]) -> None:
    """The same as one JSON object, with the time of the load as a date in UTC."""
    pins.pinned = True

    assert main(["status", "process", "--format", "json", "--instance", "two"]) == 0
    shown = json.loads(capsys.readouterr().out)
    [monitor] = shown["monitors"]
    assert shown["instance"] == "two"
    assert (monitor["monitor"], monitor["loaded"]) == ("process", True)
    assert monitor["folder"] == "/sys/fs/bpf/pyloader/two/process"
    assert monitor["written"] == {"process_exec": 11, "process_fork": 0, "process_exit": 1}
    assert monitor["lost"] == {"process_exec": 2, "process_fork": 0, "process_exit": 0}
    assert monitor["waiting"] == 4_096
    assert monitor["programs"][0] == {
        "hook": "exec",
        "rung": "tp_btf/exec",
        "name": "exec_btf",
        "id": 7,
        "runs": 4,
        "run_time_ns": 4_100,
        "verified_instructions": 900,
    }
    assert [program["id"] for program in monitor["programs"]] == [7, 9, 8]
    assert monitor["unobserved"] == {"open": "files"}
    since = time.mktime(time.strptime(monitor["since"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert abs(time.time() - 3_600 - since) < 5


def test_status_of_nothing_as_json(capsys: Output) -> None:
    """A monitor that is not pinned has no more to tell than that and where it would be."""
    assert main(["status", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "instance": "default",
        "monitors": [{"monitor": name, "loaded": False, "folder": str(DEFAULT / name)} for name in MONITORS],
    }
