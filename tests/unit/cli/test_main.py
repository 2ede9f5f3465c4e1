"""The command line: arguments, messages, exit codes, and never a traceback."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader import Sensor
from pyloader.cli import main
from pyloader.errors import (
    BusyError,
    ClosedError,
    LoadError,
    NotPermittedError,
    PyloaderError,
    RecordingError,
    UnsupportedError,
    UsageError,
)
from pyloader.kernel import Finding
from pyloader.monitors import MONITORS, Monitor
from pyloader.testing import FakeSource
from tests.unit.examples import REVERSE_SHELL, exec_record, recording

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        *([command, "--help"] for command in ("run", "replay", "doctor", "load", "unload", "status", "config")),
    ],
)
def test_help(capsys: Output, arguments: list[str]) -> None:
    """Every command explains itself and succeeds."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 0
    assert " ".join(["usage: pyloader", *arguments[:-1]]) in capsys.readouterr().out


def test_version(capsys: Output) -> None:
    """The version is that of the installed package."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"pyloader {metadata.version('pyloader-ebpf')}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["observe"], "invalid choice: 'observe'"),
        (["replay"], "required: FILE"),
        (["replay", "x", "--format", "xml"], "invalid choice: 'xml'"),
        (["replay", "x", "--min-score", "101"], "101 is not between 0 and 100"),
        (["replay", "x", "--min-score", "-1"], "-1 is not between 0 and 100"),
        (["replay", "x", "--min-score", "nan"], "nan is not between 0 and 100"),
        (["replay", "x", "--min-score", "high"], "'high'"),
        (["replay", "x", "--alert-budget", "some"], "'some' is no budget; write a number per hour, day, week or month"),
        (["replay", "x", "--alert-budget", "0/day"], "'0/day' is no budget"),
        (["replay", "x", "--alert-budget", "1/day", "--min-score", "50"], "not allowed with"),
        (["run", "--duration", "0"], "0 is not a positive number of seconds"),
        (["run", "--duration", "-3"], "-3 is not a positive number of seconds"),
        (["run", "--duration", "inf"], "inf is not a positive number of seconds"),
        (["run", "--duration", "nan"], "nan is not a positive number of seconds"),
        (["run", "--duration", "soon"], "'soon'"),
        (["run", "--monitors", "nothing"], f"there is no monitor 'nothing'; there are: {', '.join(MONITORS)}"),
        (["run", "--monitors", "process,"], "there is no monitor ''"),
        (["run", "--monitors", ""], "there is no monitor ''"),
        (["doctor", "--events"], "unrecognized arguments: --events"),
        (["run", "--transport", "mail"], "'mail'"),
        (["run", "--ring-bytes", "65535"], "65535 is not a power of two from 65536"),
        (["run", "--ring-bytes", "32768"], "32768 is not a power of two from 65536"),
        (["run", "--ring-bytes", "2147483648"], "2147483648 is not a power of two from 65536 to 1073741824"),
        (["run", "--ring-bytes", "-65536"], "-65536 is not a power of two"),
        (["run", "--ring-bytes", "0"], "0 is not a power of two"),
        (["run", "--ring-bytes", "much"], "'much'"),
        (["load", "--ring-bytes", "100000"], "100000 is not a power of two"),
        (["run", "--instance", ""], "'' is not a name of up to 32 letters"),
        (["run", "--instance", "../etc"], "'../etc' is not a name"),
        (["run", "--instance", "a.b"], "'a.b' is not a name"),
        (["run", "--instance", "a/b"], "'a/b' is not a name"),
        (["run", "--instance", "a\n"], "is not a name"),
        (["run", "--instance", "é"], "is not a name"),
        (["status", "--instance", "x" * 33], "is not a name of up to 32 letters"),
        (["load", "nothing"], f"there is no monitor 'nothing'; there are: {', '.join(MONITORS)}"),
        (["unload", "process", "nothing"], "there is no monitor 'nothing'"),
        (["status", "--format", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_usage(capsys: Output, arguments: list[str], message: str) -> None:
    """Wrong arguments end with code 2 and name what is wrong."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def _fail(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let every command fail."""

    def findings(_btf: object) -> None:
        raise error

    monkeypatch.setattr("pyloader.kernel.findings", findings)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PyloaderError("the reason"), 1),
        (RecordingError("the reason"), 1),
        (ClosedError("the reason"), 1),
        (NotPermittedError("the reason"), 3),
        (UnsupportedError("the reason"), 3),
        (LoadError("the reason"), 3),
        (BusyError("the reason"), 3),
        (UsageError("the reason"), 2),
    ],
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, capsys: Output, error: PyloaderError, code: int) -> None:
    """An error ends with its code and its text: 2 if it makes no sense, 3 if this host cannot do it now, else 1."""
    _fail(monkeypatch, error)

    assert code == main(["doctor"])
    assert capsys.readouterr() == ("", "pyloader: the reason\n")


def test_error_of_the_system(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """An error of the system that nobody foresaw ends with code 1 and its reason."""
    _fail(monkeypatch, OSError(24, "Too many open files"))

    assert main(["doctor"]) == 1
    assert "Too many open files" in capsys.readouterr().err


def test_interruption(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """Ctrl-C is a way to end, and no failure."""
    _fail(monkeypatch, KeyboardInterrupt())

    assert main(["doctor"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["doctor"], "pyloader: the reason\npyloader: --verbose shows the whole log\n"),
        (["doctor", "--verbose"], "pyloader: the reason\nline 1\nline 2\n"),
    ],
)
def test_long_log(monkeypatch: pytest.MonkeyPatch, capsys: Output, arguments: list[str], shown: str) -> None:
    """The long story is shown if it is asked for, else how to ask."""
    _fail(monkeypatch, LoadError("the reason", log="line 1\nline 2\n"))

    assert main(arguments) == 3
    assert capsys.readouterr().err == shown


_TOKENS = [
    "run",
    "replay",
    "doctor",
    "--format",
    "json",
    "text",
    "--events",
    "--min-score",
    "--alert-budget",
    "1/day",
    "config",
    "show",
    "check",
    "--config",
    "--duration",
    "--record",
    "--monitors",
    "process",
    "memory",
    "--verbose",
    "load",
    "unload",
    "status",
    "--instance",
    "--hooks",
    "--transport",
    "--ring-bytes",
    "65536",
    "ring",
    "--btf",
    "--",
    "-",
    "-h",
    "0",
    "50",
    "/dev/null",
    "/",
]


class _NoPins:
    """Pins of a host on which nothing is pinned and nothing can be."""

    def __init__(self, monitor: Monitor, instance: str) -> None:
        self.monitor = monitor
        self.folder = Path("/sys/fs/bpf/pyloader") / instance / monitor.name

    def find(self) -> None:
        """Find none."""

    def load(self, **_options: object) -> bool:
        """Refuse."""
        message = "nothing can be pinned"
        raise UnsupportedError(message)

    def unload(self) -> bool:
        """Return that there was nothing."""
        return False


@given(st.lists(st.sampled_from(_TOKENS) | st.text(st.characters(codec="utf-8"), max_size=8), max_size=7))
def test_any_arguments(arguments: list[str]) -> None:
    """Whatever the arguments, the command ends with one of its exit codes."""

    def sensor(*_: object, min_score: float, record_to: Path | None, **_options: object) -> Sensor:
        assert record_to is None or isinstance(record_to, Path)
        return Sensor(source=FakeSource([REVERSE_SHELL]), min_score=min_score)

    quiet = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(quiet[0]),
        contextlib.redirect_stderr(quiet[1]),
    ):
        patch.setattr("pyloader.cli.run.Sensor", sensor)
        patch.setattr("pyloader.cli.run.signal.signal", lambda *_: None)
        patch.setattr("pyloader.kernel.require", lambda _btf: None)
        for module in ("load", "unload", "status"):
            patch.setattr(f"pyloader.cli.{module}.Pins", _NoPins)
        patch.setattr("pyloader.cli.run.gc.freeze", lambda: None)
        patch.setattr("pyloader.kernel.findings", lambda _btf: (Finding("x", "y", UnsupportedError("z")),))
        try:
            code = main(arguments)
        except SystemExit as end:
            assert end.code in {0, 2}  # noqa: PT017 -- argparse ends a process by itself.
        else:
            assert code in {0, 1, 2, 3}


def _is_clean(done: "subprocess.CompletedProcess[str]", codes: Iterable[int]) -> bool:
    """Return whether a command ended in order; show what it said if it did not."""
    wrong = [word for word in ("Traceback", "Exception ignored", "Warning", "Error:") if word in done.stderr]
    assert wrong == [], done.stderr
    return done.returncode in codes


def test_module_is_the_command(command: Command, intrusion: Path) -> None:
    """`python -m pyloader` is the command: alerts on standard output, the rest on standard error."""
    done = command("replay", intrusion)

    assert _is_clean(done, {0})
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["High"]
    assert done.stderr == "2 process_exec; lost: none; 1 alerts\n"


@pytest.mark.parametrize("arguments", [["replay", "--format", "json"], ["replay", "--events"]])
def test_reader_that_has_gone(command: Command, intrusion: Path, arguments: list[str]) -> None:
    """A reader that goes, as `head` does, is no failure."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        assert _is_clean(command(*arguments, intrusion, stdout=gone), {0})


@pytest.mark.parametrize("output", ["text", "json"])
def test_reader_of_the_doctor_that_has_gone(command: Command, output: str) -> None:
    """The report, too, may have no reader."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        assert _is_clean(command("doctor", "--format", output, stdout=gone), {0, 3})


@pytest.mark.parametrize("arguments", [["replay", "--format", "json"], ["replay", "--events"]])
def test_full_disk(command: Command, intrusion: Path, arguments: list[str]) -> None:
    """Output that cannot be written is a failure with its reason."""
    with Path("/dev/full").open("wb") as full:
        done = command(*arguments, intrusion, stdout=full)

    assert _is_clean(done, {1})
    assert "No space left on device" in done.stderr


def test_closed_standard_output(intrusion: Path) -> None:
    """A command without a standard output ends in order."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-P", "-m", "pyloader", "replay", intrusion],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert _is_clean(done, {0, 1})


@pytest.mark.parametrize("arguments", [["replay", "--events"], ["replay", "--format", "json", "--events"]])
def test_terminal_that_is_not_unicode(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    """A terminal that shows only ASCII shows the rest as escapes."""
    path = tmp_path / "x.rec"
    path.write_bytes(recording(exec_record(args="näive\0日本\0".encode())))
    done = command(*arguments, path, environment={**os.environ, "PYTHONIOENCODING": "ascii"})

    assert _is_clean(done, {0})
    assert done.stdout


def test_help_on_a_terminal_that_is_not_unicode(command: Command) -> None:
    """The help can be read anywhere."""
    assert _is_clean(command("run", "--help", environment={**os.environ, "PYTHONIOENCODING": "ascii"}), {0})
