"""`pyloader replay`."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader.cli import main
from pyloader.samples import SAMPLE
from tests.unit.examples import REVERSE_SHELL, recording

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Output = pytest.CaptureFixture[str]


def test_alerts_as_text(capsys: Output, intrusion: Path) -> None:
    """A replay prints one line per alert, and the summary apart from them."""
    assert main(["replay", str(intrusion)]) == 0
    out, err = capsys.readouterr()

    [line] = out.splitlines()
    assert line.startswith("High threat process event: pid=100 comm=bash threat=")
    assert err == "2 process_exec; lost: none; 1 alerts\n"


def test_events_as_json(capsys: Output, intrusion: Path) -> None:
    """With `--events --format json` every record is an object before its alerts, and the summary is the last."""
    assert main(["replay", "--events", "--format", "json", str(intrusion)]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [one["type"] for one in shown] == ["event", "event", "alert", "summary"]
    assert shown[-1]["records"] == {"process_exec": 2}


def test_alert_budget(capsys: Output, tmp_path: Path) -> None:
    """`--alert-budget` reports what ordinary work would make about as often as that."""
    path = tmp_path / "x.rec"
    path.write_bytes(recording(REVERSE_SHELL))
    shown = []
    for budget in ("1/day", "0.001/month"):
        assert main(["replay", "--alert-budget", budget, str(path)]) == 0
        shown.append(len(capsys.readouterr().out.splitlines()))

    assert shown == [1, 0]


@pytest.mark.parametrize(("score", "alerts"), [("0", 1), ("100", 0)])
def test_threshold(capsys: Output, tmp_path: Path, score: str, alerts: int) -> None:
    """`--min-score` is the lowest score that is reported."""
    path = tmp_path / "x.rec"
    path.write_bytes(recording(REVERSE_SHELL))
    assert main(["replay", "--min-score", score, str(path)]) == 0

    assert alerts == len(capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("damage", [b"\xc1", b"\xcf\x01", b"\x80"])
def test_damaged_recording(capsys: Output, tmp_path: Path, damage: bytes) -> None:
    """Of a damaged recording the alerts before the damage and the summary are printed, and it ends with code 1."""
    whole = recording(REVERSE_SHELL)
    path = tmp_path / "x.rec"
    path.write_bytes(whole + damage)
    assert main(["replay", str(path)]) == 1
    out, err = capsys.readouterr()

    assert len(out.splitlines()) == 1
    assert err.startswith("1 process_exec; lost: none; 1 alerts\n")
    assert f"pyloader: {path} is damaged at byte {len(whole)}: " in err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.rec", "cannot read the recording {path}: No such file or directory"),
        (".", "cannot read the recording {path}: Is a directory"),
        ("empty.rec", "{path} is not a pyloader recording"),
    ],
)
def test_unreadable_recording(capsys: Output, tmp_path: Path, name: str, message: str) -> None:
    """What cannot be read ends with code 1 and the reason."""
    (tmp_path / "empty.rec").touch()
    path = tmp_path / name

    assert main(["replay", str(path)]) == 1
    assert capsys.readouterr() == ("", f"pyloader: {message.format(path=path)}\n")


def test_file_that_fails_while_it_is_read(capsys: Output) -> None:
    """An error of the disk ends with code 1 and the reason."""
    assert main(["replay", "/proc/self/mem"]) == 1
    assert "Input/output error" in capsys.readouterr().err


def test_sample(capsys: Output) -> None:
    """The recording that ships shows alerts to whoever has nothing else to look at."""
    assert main(["replay", str(SAMPLE)]) == 0
    assert capsys.readouterr().out.startswith("High threat process event: ")


def test_state(capsys: Output, intrusion: Path, tmp_path: Path) -> None:
    """`--state-dir` makes one replay go on where the one before has ended: what was told is not told again."""
    state = tmp_path / "state"
    shown = []
    for _ in range(2):
        assert main(["replay", "--state-dir", str(state), str(intrusion)]) == 0
        shown.append(capsys.readouterr())

    assert len(shown[0].out.splitlines()) == 1
    assert shown[1].out == ""
    assert [one.err.partition(" process_exec")[0] for one in shown] == ["2", "4"]


def test_damaged_state(intrusion: Path, tmp_path: Path, command: Command) -> None:
    """What is wrong with the state is told on standard error, and the replay goes on without it."""
    (tmp_path / "snapshot").write_bytes(b"?")
    done = command("replay", "--state-dir", tmp_path, intrusion)

    assert done.returncode == 0
    assert done.stderr.startswith(f"pyloader: cannot use {tmp_path / 'snapshot'}: it is no snapshot, or it is damaged")
    assert len(done.stdout.splitlines()) == 1


def test_state_that_cannot_be(capsys: Output, intrusion: Path) -> None:
    """A state that was asked for and cannot be kept is an error."""
    assert main(["replay", "--state-dir", str(intrusion), str(intrusion)]) == 1

    assert "choose another folder with --state-dir" in capsys.readouterr().err
