"""Thin sensors on this kernel: what happens is in the stream, byte by byte, whoever dies."""

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyloader import kernel
from pyloader.records import ProcessExec
from pyloader.records.codec import decode, encode
from pyloader.records.recording import RECORD_LIMIT
from tests.nats.reading import Message, contents
from tests.nats.server import NatsServer

pytestmark = pytest.mark.kernel

THIN = Path(__file__).with_name("thin.py")
INSTANCE = f"nats-test-{os.getpid()}"
MARK = f"numbered-{os.getpid()}"


@pytest.fixture(autouse=True)
def _kernel() -> None:
    """Skip where the kernel or the user cannot, but fail if the machine is meant to be able."""
    problems = [finding.problem for finding in kernel.findings() if finding.problem is not None]
    if problems and os.environ.get("PYLOADER_REQUIRE_KERNEL") == "1":
        pytest.fail(f"and yet: {problems[0]}")
    if problems:
        pytest.skip(str(problems[0]))


def _pyloader(*words: str) -> None:
    subprocess.run([sys.executable, "-P", "-m", "pyloader", *words], check=True, capture_output=True)


@pytest.fixture(name="pinned")
def _pinned() -> Iterator[None]:
    """Pin the process monitor, and remove it in the end."""
    _pyloader("load", "process", "--instance", INSTANCE)
    yield
    _pyloader("unload", "process", "--instance", INSTANCE)


@contextmanager
def _thin(server: NatsServer, spool: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a thin sensor, and stop it in good order unless it was killed."""
    command = [sys.executable, "-P", str(THIN), server.url, str(spool), INSTANCE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def _execute(numbers: range) -> None:
    for number in numbers:
        subprocess.run(["/bin/true", MARK, str(number)], check=True)


def _executions(found: list[Message]) -> list[tuple[int, Message]]:
    """Return the numbered executions of a stream."""
    executions = []
    for one in found:
        if one.subject.endswith("process.record"):
            record = decode(one.data)
            if type(record) is ProcessExec and MARK.encode() in record.args:
                executions.append((int(record.args.split(b"\0")[2]), one))
    return executions


def _until(server: NatsServer, number: int) -> None:
    """Wait until an execution is in the stream."""
    pause = threading.Event()
    while number not in dict(_executions(contents(server, "S"))):
        pause.wait(0.1)


@pytest.mark.usefixtures("pinned")
def test_thin_sensor_is_killed(nats_server: NatsServer, tmp_path: Path) -> None:
    """A thin sensor that is killed and started again has published every execution, meanwhile as well, under one id."""
    with _thin(nats_server, tmp_path / "spool") as process:
        _execute(range(100))
        _until(nats_server, 99)
        process.kill()
    _execute(range(100, 200))
    with _thin(nats_server, tmp_path / "spool"):
        _execute(range(200, 300))
        _until(nats_server, 299)
    found = contents(nats_server, "S")
    executions = _executions(found)

    assert Counter(number for number, _ in executions) == Counter(range(300))
    assert len({one.id for _, one in executions}) == 300
    assert [number for number, _ in executions] == list(range(300))
    # The kernel writes numbers at their full width, which no encoder of Python does.
    assert all(len(one.data) < RECORD_LIMIT and one.data != encode(decode(one.data)) for _, one in executions)
    assert found[0].subject.endswith("sensor.header")


@pytest.mark.usefixtures("pinned")
def test_server_is_away_while_a_sensor_watches(nats_server: NatsServer, tmp_path: Path) -> None:
    """What happens while the server is away is in the stream afterwards, once and in order."""
    with _thin(nats_server, tmp_path / "spool"):
        _execute(range(50))
        nats_server.kill()
        _execute(range(50, 100))
        nats_server.start()
        _execute(range(100, 150))
        _until(nats_server, 149)
    executions = _executions(contents(nats_server, "S"))

    assert [number for number, _ in executions] == list(range(150))
    assert len({one.id for _, one in executions}) == 150
