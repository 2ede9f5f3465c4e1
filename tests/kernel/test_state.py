"""What a live sensor knows outlives it, and takes an analyst's word."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.kernel.command import PYLOADER, Running, running


def _shell_by_socket(folder: Path) -> None:
    """Run a shell that was told to open a connection as a device; nobody listens there."""
    subprocess.run(
        ["bash", "-c", "bash -i >& /dev/tcp/127.0.0.1/9 0>&1"],
        check=False,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _first_alert(sensor: Running) -> dict[str, Any]:
    """Return the first alert about the shell, once it is out."""
    for _ in range(100):
        for alert in sensor.alerts(0):
            if "/dev/tcp/127.0.0.1/9" in alert["summary"] and alert["subject"]["comm"] == "bash":
                return alert
        time.sleep(0.1)
    message = "there was no alert"
    raise AssertionError(message)


def _feedback(state: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run `pyloader feedback`."""
    command = [*PYLOADER, "feedback", *words, "--state-dir", str(state)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def test_a_label_is_learned(tmp_path: Path) -> None:
    """What was called benign weighs less when it comes again, also for the next sensor, until that is taken back."""
    state = tmp_path / "state"
    scores = []
    for words in (["benign", "--note", "a test"], ["none"], ["malicious"]):
        with running(tmp_path, "--state-dir", state, "--min-score", "0") as sensor:
            _shell_by_socket(tmp_path)
            alert = _first_alert(sensor)
            scores.append(alert["score"])
            done = _feedback(state, alert["id"], *words)
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith(f"alert {alert['id']} about bash")

    first, after_benign, after_none = scores
    assert after_benign < first
    assert after_none == first


def test_an_alert_that_nobody_remembers(tmp_path: Path) -> None:
    """A label for an unknown alert is refused with exit code 1, and one that no sensor takes waits for the next."""
    state = tmp_path / "state"
    with running(tmp_path, "--state-dir", state):
        refused = _feedback(state, "no-such-alert", "benign")
    kept = _feedback(state, "no-such-alert", "benign")
    with running(tmp_path, "--state-dir", state) as sensor:
        time.sleep(2)
    nowhere = _feedback(tmp_path / "nowhere", "no-such-alert", "benign")

    assert (refused.returncode, refused.stdout) == (1, "no alert no-such-alert is remembered\n")
    assert kept.returncode == 0
    assert "it will take the label when it runs" not in refused.stdout
    assert "take the label when it runs" in kept.stdout
    assert sensor.lines()[-1]["labels"] == {"unknown alert": 2}
    assert nowhere.returncode == 1
    assert "is it the --state-dir of a sensor" in nowhere.stderr


def test_a_killed_sensor_is_followed_by_one_that_knows(tmp_path: Path) -> None:
    """After SIGKILL the next sensor knows what the last snapshot holds, and goes on from it."""
    state = tmp_path / "state"
    with running(tmp_path, "--state-dir", state) as sensor:
        _shell_by_socket(tmp_path)
        alert = _first_alert(sensor)
        # A label is kept at once.
        assert _feedback(state, alert["id"], "malicious").returncode == 0
        sensor.process.send_signal(signal.SIGKILL)
        sensor.process.wait(timeout=10)
    with running(tmp_path, "--state-dir", state) as sensor:
        _shell_by_socket(tmp_path)
        again = _first_alert(sensor)

    assert again["score"] >= alert["score"]
    assert "malicious" in {one["label"] for one in again["similar"]}


def test_one_sensor_for_one_state(tmp_path: Path) -> None:
    """A second sensor on the state of another says who has it, and exits with 1."""
    state = tmp_path / "state"
    with running(tmp_path, "--state-dir", state) as first:
        second = subprocess.run(
            [*PYLOADER, "run", "--duration", "1", "--instance", "pyloader-test-2", "--state-dir", str(state)],
            check=False,
            capture_output=True,
            text=True,
        )

    assert second.returncode != 0
    assert str(first.process.pid) in second.stderr
    assert "Traceback" not in second.stderr


def test_state_is_whole_after_the_end(tmp_path: Path) -> None:
    """A sensor that ends leaves a snapshot that a replay can go on from."""
    state, recording = tmp_path / "state", tmp_path / "run.rec"
    with running(tmp_path, "--state-dir", state, "--record", recording):
        _shell_by_socket(tmp_path)
    done = subprocess.run(
        [*PYLOADER, "replay", "--format", "json", "--state-dir", str(state), str(recording)],
        check=True,
        capture_output=True,
    )

    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["records"]["process_exec"] > 0
    assert summary["baseline"]["days"] >= 0
