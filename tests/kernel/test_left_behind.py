"""However the sensor ends, the kernel is as before."""

import signal
import subprocess
from pathlib import Path

import pytest

from pyloader import Sensor
from tests.kernel.command import PYLOADER, running
from tests.kernel.observing import kernel_ids, left_behind, run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_run_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    """SIGINT and SIGTERM end the run with exit code 0 and a summary as its last line, and nothing stays behind."""
    before = kernel_ids()

    with running(tmp_path) as sensor:
        assert any(left_behind_now(before))
        sensor.process.send_signal(number)
        assert sensor.process.wait(timeout=10) == 0

    assert sensor.lines()[-1]["type"] == "summary"
    assert not any(left_behind(before).values())


def left_behind_now(before: dict[str, set[int]]) -> list[set[int]]:
    """Return what is new in the kernel at this moment."""
    return [ids - before[kind] for kind, ids in kernel_ids().items()]


def test_a_killed_run_leaves_nothing(tmp_path: Path) -> None:
    """SIGKILL leaves no program, map or link: the kernel frees them with the process."""
    before = kernel_ids()

    with running(tmp_path) as sensor:
        sensor.process.kill()
        sensor.process.wait(timeout=10)

    assert not any(left_behind(before).values())


def test_an_exception_in_a_consumer_leaves_nothing() -> None:
    """An exception raised while assessments are consumed reaches the caller and unloads everything."""
    before = kernel_ids()

    def consume() -> None:
        with Sensor() as sensor:
            run(["true"])
            for _ in sensor:
                message = "consumer"
                raise ZeroDivisionError(message)

    with pytest.raises(ZeroDivisionError):
        consume()

    assert not any(left_behind(before).values())


def test_a_reader_that_goes_away_ends_the_run() -> None:
    """When standard output is closed, as by `head`, the run ends without a traceback."""
    command = [*PYLOADER, "run", "--events", "--instance", "test-reader"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        run(["true"])
        errors = process.stderr.read()
        assert process.wait(timeout=10) == 0

    assert b"Traceback" not in errors
