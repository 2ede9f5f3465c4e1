"""Sweeps by a program for each address."""

import pytest

from pyloader.evidence.programs import Program
from pyloader.evidence.sweeps import Sweeps
from pyloader.host import Process
from tests.unit.evidence.stage import SECOND, Stage

MEDIUM = 50
HIGH = 62


@pytest.fixture(name="shell")
def _shell(stage: Stage) -> Process:
    return stage.run(["bash"])


def test_a_sweep_is_told_about_its_shell(stage: Stage, shell: Process) -> None:
    """A loop over the addresses of a network is worth a look at first, and a high alert when it goes on."""
    for host in range(1, 13):
        stage.run(["ping", "-c", "1", "-W", "1", f"10.1.2.{host}"], shell)
    assert MEDIUM <= stage.score(shell) < HIGH

    for host in range(13, 40):
        stage.run(["ping", "-c", "1", f"10.1.2.{host}"], shell)
    assert stage.score(shell) >= HIGH


def test_a_sweep_in_the_background(stage: Stage, shell: Process) -> None:
    """Copies of the shell that wait for one address each count for the shell itself."""
    for host in range(1, 40):
        copy = stage.fork(shell)
        copy.args = shell.args
        stage.run(["ping", "-c", "1", f"10.1.2.{host}"], copy)

    assert stage.score(shell) >= HIGH


def test_watching_hosts(stage: Stage, shell: Process) -> None:
    """Some hosts again and again, one host in each of many networks, and few at a time are nothing."""
    for _ in range(20):
        for host in range(1, 11):
            stage.run(["ping", "-c", "1", f"10.1.2.{host}"], shell)
    for network in range(60):
        stage.run(["ping", "-c", "1", f"10.2.{network}.1"], shell)
    for host in range(1, 60):
        stage.now += 60 * SECOND
        stage.run(["ping", "-c", "1", f"10.3.0.{host}"], shell)

    assert "host_sweep" not in stage.codes(shell)


def test_networks_are_bounded(stage: Stage, shell: Process) -> None:
    """Only so many networks are remembered, and those that were forgotten are counted."""
    sweeps = Sweeps(capacity=4)
    for network in range(10):
        argv = ("ping", f"10.0.{network}.1")
        sweeps.judge(stage.run(argv, shell), Program("ping", 0), argv, stage.now)

    assert sweeps.evicted == 6
