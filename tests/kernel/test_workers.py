"""Four workers on this kernel come to what one comes to, and outlive each other."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyloader import Alert, Assessment, Sensor
from pyloader.monitors import lane_of
from pyloader.records import AnalystLabel, ProcessExec, WorkerGap, text
from pyloader.scorer import Label
from pyloader.workers.pool import Pool
from tests.kernel.observing import kernel_ids, left_behind

WORKERS = 4
SESSIONS = 8
PROCESSES = 250
MANY = 1_000

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def _shell_by_socket() -> int:
    """Run a shell in a session of its own that was told to open a connection as a device; return its session."""
    command = ["bash", "-c", "bash -i >& /dev/tcp/127.0.0.1/9 0>&1"]
    with subprocess.Popen(command, start_new_session=True, **QUIET) as process:  # type: ignore[call-overload]
        process.wait(timeout=30)
    return int(process.pid)


def _pids(sensor: Sensor) -> list[int]:
    """Return the ids of the workers of a sensor."""
    engine = sensor._engine  # noqa: SLF001 -- whom to kill.
    assert isinstance(engine, Pool)
    return [place.pid for place in engine._places if place.pid]  # noqa: SLF001 -- likewise.


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(sensor: Sensor, done: Callable[[list[Assessment]], bool], patience: float = 60.0) -> list[Assessment]:
    """Return what is told until something holds of it."""
    seen: list[Assessment] = []
    deadline = time.monotonic() + patience
    for batch in sensor.batches(0.1):
        seen += batch
        if done(seen):
            return seen
        assert time.monotonic() < deadline, sensor.summary()
    pytest.fail("the sensor ended")


def _about_the_shell(told: list[Assessment]) -> list[Alert]:
    """Return the alerts about the shell, the lowest first."""
    alerts = [alert for one in told for alert in one.alerts if "/dev/tcp/127.0.0.1/9" in alert.summary]
    return sorted(alerts, key=lambda alert: alert.score)


@contextmanager
def _floods(
    program: Path, nothing: Path, number: int, sessions: int = SESSIONS
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Run programs that start others as fast as they can, each in a session of its own."""
    # The sensor has to come to something beside them.
    command = ["nice", "-n", "10", str(program), str(number), str(nothing)]
    floods = [
        subprocess.Popen(command, start_new_session=True, **QUIET)  # type: ignore[call-overload]
        for _ in range(sessions)
    ]
    try:
        yield floods
    finally:
        for flood in floods:
            flood.kill()
            flood.wait()


@pytest.mark.parametrize("workers", [1, 2, WORKERS])
def test_every_process_is_assessed_once(programs: Path, workers: int) -> None:
    """Of processes in many sessions each is told once, by however many workers, and none is lost."""
    nothing = (programs / "nothing").resolve()
    with Sensor(["process"], workers=workers, events=True) as sensor:
        with _floods(programs / "flood", nothing, PROCESSES) as floods:
            for flood in floods:
                flood.wait()
        sensor.stop()
        told = list(sensor)
        summary = sensor.summary()

    executions = [
        (one.record.cgroup, one.record.session, text(one.record.args.replace(b"\0", b" ")).split()[1])
        for one in told
        if isinstance(one.record, ProcessExec) and text(one.record.exe) == str(nothing)
    ]
    assert len(executions) == SESSIONS * PROCESSES
    assert len(set(executions)) == len(executions)
    assert len({session for _, session, _ in executions}) == SESSIONS
    assert summary.records["process_exec"] == sum(isinstance(one.record, ProcessExec) for one in told)
    assert summary.lost == {}
    assert [one.lost for one in summary.workers] == [0] * len(summary.workers)
    busy = {lane_of(cgroup, session, workers) for cgroup, session, _ in executions}
    assert workers == 1 or all(summary.workers[lane].records > PROCESSES for lane in busy)


def test_attack_has_the_score_that_one_process_gives_it() -> None:
    """An attack raises its alert from one of four workers, with the score that it has without workers."""
    found = []
    for workers in (1, WORKERS):
        with Sensor(["process", "connection"], min_score=0.0, workers=workers) as sensor:
            _shell_by_socket()
            sensor.stop()
            found.append(_about_the_shell(list(sensor)))
            assert sensor.summary().alerts > 0

    alone, together = found
    assert together[-1].score == alone[-1].score
    assert [one.code for one in together[-1].evidence] == [one.code for one in alone[-1].evidence]


def test_killed_worker_is_replaced_under_load(programs: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that is killed while all have work is replaced, the gap is announced, and a later attack is seen."""
    nothing = programs / "nothing"
    with (
        Sensor(["process", "connection"], min_score=0.0, workers=WORKERS) as sensor,
        _floods(programs / "flood", nothing, 1_000_000, sessions=2),
    ):
        _until(sensor, lambda _: any(one.records > MANY for one in sensor.summary().workers))
        killed = _pids(sensor)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        _until(sensor, lambda told: len({one.record.worker for one in told if isinstance(one.record, WorkerGap)}) == 4)
        _shell_by_socket()
        seen = _until(sensor, lambda told: bool(_about_the_shell(told)))
        # Workers report once a second.
        _until(sensor, lambda _: sensor.summary().records.get("worker_gap") == WORKERS)
        summary = sensor.summary()
        assert not any(map(_is_alive, killed))

    assert _about_the_shell(seen)
    assert [one.restarts for one in summary.workers] == [1] * WORKERS
    assert max(one.gap for one in summary.workers) > MANY
    assert caplog.text.count("has ended: it was killed by signal 9") == WORKERS


def test_label_of_an_alert_is_answered() -> None:
    """What an analyst says of an alert reaches the worker that raised it, and is answered once."""
    with Sensor(["process", "connection"], min_score=0.0, workers=WORKERS) as sensor:
        _shell_by_socket()
        seen = _until(sensor, lambda told: bool(_about_the_shell(told)))
        sensor.feedback(_about_the_shell(seen)[-1].id, Label.BENIGN, "a test")
        answered = _until(sensor, lambda told: any(one.answer for one in told))
        sensor.stop()
        answered += list(sensor)

    [answer] = [one.answer for one in answered if isinstance(one.record, AnalystLabel)]
    assert answer.endswith("benign from now on")


_PARENT = """
from pyloader import Sensor
with Sensor(["process", "memory", "connection"], workers=4, instance=None) as sensor:
    print(*[place.pid for place in sensor._engine._places], flush=True)
    for _ in sensor.batches(1.0):
        pass
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_a_parent_that_dies(number: signal.Signals) -> None:
    """When a parent dies, however, no worker is left, and nothing is left attached."""
    before = kernel_ids()
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == WORKERS
        assert all(map(_is_alive, pids))
        parent.send_signal(number)

    assert not any(left_behind(before).values())
    assert not any(map(_is_alive, pids))


def test_two_sensors_with_workers(programs: Path) -> None:
    """Two sensors with workers, in one process and at once, see the same processes, each for itself."""
    nothing = (programs / "nothing").resolve()
    with (
        Sensor(["process"], workers=2, events=True) as one,
        Sensor(["process"], workers=3, events=True) as two,
    ):
        for _ in range(20):
            subprocess.run([nothing], check=True, start_new_session=True)
        one.stop()
        two.stop()
        seen = [
            {
                told.record.pid
                for told in sensor
                if isinstance(told.record, ProcessExec) and text(told.record.exe) == str(nothing)
            }
            for sensor in (one, two)
        ]

    assert len(seen[0]) == 20
    assert seen[0] == seen[1]


def test_async_for_with_workers() -> None:
    """In an event loop, too, alerts come from the workers as they raise them."""

    async def watch() -> list[Assessment]:
        told: list[Assessment] = []
        async with Sensor(["process", "connection"], min_score=0.0, workers=2) as sensor:
            attack = asyncio.create_task(asyncio.to_thread(_shell_by_socket))
            async for assessment in sensor:
                told.append(assessment)
                if _about_the_shell(told):
                    sensor.stop()
            await attack
        return told

    assert _about_the_shell(asyncio.run(watch()))
