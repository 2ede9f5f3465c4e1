"""Real exploitation of memory, harmless but for what it proves, raises an alert on the right process."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import create_connection

import pytest

from tests.kernel.acts import act, numbers, waiting
from tests.kernel.command import Running, running

CRASHES = 20
"""Within so many a brute-force attack must be known as one."""


@pytest.fixture(name="sensor")
def _sensor(tmp_path: Path) -> Iterator[Running]:
    """Return a live sensor of processes and memory that prints alerts."""
    with running(tmp_path, "--monitors", "process,memory") as sensor:
        yield sensor


def test_code_that_comes_over_the_network(sensor: Running, programs: Path) -> None:
    """A server that runs machine code it was sent, which executes another program, is itself named."""
    serve = [str(programs / "code_server"), "serve", "exec"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = numbers(server.stdout.readline())["port"]
        act([programs / "code_server", "send", str(port)])
        server.communicate(timeout=10)

    assert server.returncode == 0
    assert server.pid in sensor.alerted()


def test_an_injection_into_a_stranger(sensor: Running, programs: Path) -> None:
    """A process that attaches to another, not of its own, and sends it elsewhere is named."""
    with waiting([programs / "target"], lines=2) as target:
        injected = f"{target.told['injected']:x}"
        injector = act([programs / "reach", "inject", str(target.process.pid), injected])
        assert target.process.wait(timeout=10) == 42

    assert injector.told["error"] == 0
    assert injector.pid in sensor.alerted()


def test_an_execution_from_memory(sensor: Running) -> None:
    """A program that is put into an anonymous memory file and executed is named, with what was asked for before."""
    code = (
        "import os; fd = os.memfd_create('x'); os.write(fd, open('/bin/true', 'rb').read());"
        "os.execv(f'/proc/self/fd/{fd}', ['kworker'])"
    )
    done = act([sys.executable, "-c", code])

    assert "T1620" in sensor.alerted()[done.pid]["techniques"]


def test_a_search_for_addresses_by_force(sensor: Running, programs: Path) -> None:
    """A forking server whose children crash at guessed addresses is named within twenty crashes."""
    guesses = random.Random(1)
    with waiting([programs / "forking_server"], lines=1) as server:
        for _ in range(CRASHES):
            guess = guesses.randrange(0x5000_0000_0000, 0x7FFF_0000_0000)
            with create_connection(("127.0.0.1", server.told["port"])) as client:
                client.sendall(guess.to_bytes(8, sys.byteorder))
                assert client.recv(1) == b""
        alerts = sensor.alerted()

    assert server.process.pid in alerts


@pytest.mark.parametrize(("stack", "call"), [("executable", "exec"), ("executable", "protect"), ("heap", "exec")])
def test_a_stack_that_was_exchanged(sensor: Running, programs: Path, stack: str, call: str) -> None:
    """A process that calls the kernel with its stack pointer in executable memory or in its heap is named."""
    done = act([programs / "origin", "file", stack, call])

    assert done.status == 0
    assert done.pid in sensor.alerted()


@pytest.mark.parametrize("code", ["anonymous", "heap"])
def test_a_loader_of_machine_code(sensor: Running, programs: Path, code: str) -> None:
    """A process that executes a program by a call from memory that it has just written is named."""
    done = act([programs / "origin", code, "own", "exec"])

    assert done.status == 0
    assert done.pid in sensor.alerted()
