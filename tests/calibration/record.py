"""Record benign days: the work of `worker`, watched by `pyloader run` with every monitor.

The recording comes in slices of some days each. While a slice is recorded a lock file is held, so that others who load
programs or simulate attacks on this machine can wait. Each slice is a file of its own, beside a file that tells when
each unit of work began and ended.
"""

import fcntl
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.calibration.cable import INTERFACE, cable

RING_BYTES = 1 << 24
TURN = 2.0
"""Seconds between two slices, in which others may take the lock."""

PATIENCE = 10.0
"""Seconds for the worker to end by itself."""

MONITORS = "process,memory,connection,network"


class Worker:
    """The worker as seen from outside."""

    def __init__(self, seed: int, folder: Path, corpus: Path) -> None:
        self._layers = folder / "layers"
        shutil.rmtree(self._layers, ignore_errors=True)
        self._layers.mkdir(parents=True)
        groups = _unified() / "pyloader-days"
        groups.mkdir(exist_ok=True)
        self._groups = groups
        own = [sys.executable, "-m", "tests.calibration.worker", str(seed), str(groups), str(self._layers), str(corpus)]
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", *own],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._answer()

    def day(self, number: int) -> list[str]:
        """Let a day's work be done; return what is told of its units."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Shut the host down, and remove what it wrote."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait()
        time.sleep(0.5)
        shutil.rmtree(self._layers, ignore_errors=True)
        for folder in sorted(self._groups.rglob("*"), reverse=True):
            if folder.is_dir():
                folder.rmdir()
        self._groups.rmdir()

    def _answer(self) -> list[str]:
        assert self._process.stdout is not None
        lines: list[str] = []
        for line in self._process.stdout:
            if line == "done\n":
                return lines
            lines.append(line)
        message = "the worker died"
        raise RuntimeError(message)


def record(
    folder: Path, corpus: Path, *, days: int, per_slice: int, seed: int, command: list[str], lock: Path, first: int = 0
) -> None:
    """Record so many days into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # A kill ends it as Ctrl-C does: nothing stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with cable():
        worker = Worker(seed, folder, corpus)
        try:
            for begin in range(first, days, per_slice):
                time.sleep(TURN)
                with _alone(lock), _sensor(command, folder / f"slice-{begin:03}.rec"):
                    for day in range(begin, min(begin + per_slice, days)):
                        units = worker.day(day)
                        with (folder / f"units-{begin:03}.jsonl").open("a") as file:
                            file.writelines(units)
                        sys.stderr.write(f"day {day}: {len(units)} units, {_seconds(units):.0f} s\n")
        finally:
            worker.end()


def _seconds(units: list[str]) -> float:
    return float(sum(told["end"] - told["begin"] for told in map(json.loads, units))) / 1e9


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _sensor(command: list[str], recording: Path) -> Iterator[None]:
    """Let the sensor watch this host and the cable."""
    options = ["--monitors", MONITORS, "--interface", INTERFACE, "--ring-bytes", str(RING_BYTES), "--min-score", "100"]
    options += ["--instance", "calibration", "--no-state", "--record", str(recording)]
    with (
        recording.with_suffix(".out").open("wb") as output,
        subprocess.Popen([*command, "run", *options], stdout=output, stderr=subprocess.PIPE) as sensor,
    ):
        assert sensor.stderr is not None
        said = sensor.stderr.readline()
        if b"watching" not in said:
            raise RuntimeError((said + sensor.stderr.read()).decode())
        try:
            yield
        finally:
            time.sleep(1)
            sensor.send_signal(signal.SIGINT)
            sys.stderr.write(sensor.stderr.read().decode()[-600:])
            sensor.wait()


def _unified() -> Path:
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    message = "no control groups of version 2 are mounted"
    raise RuntimeError(message)
