"""What explains and weighs little: memory that is used up, and facilities that exploits like."""

import pytest

from pyloader.records import Facility, OomScope, UsageReason
from tests.unit.evidence.stage import SECOND, Stage

ALERT = 50


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({}, {"memory_burst"}),
        ({"reasons": UsageReason.MAPPED, "resident": 0}, {"memory_burst"}),
        ({"reasons": UsageReason.MAPPED, "resident": 0, "unmapped": 4 << 30}, set()),
        ({"resident": 1 << 29}, set()),
        ({"duration": 61 * SECOND}, set()),
        ({"reasons": UsageReason.FAULTS}, set()),
    ],
)
def test_burst(stage: Stage, fields: dict[str, object], codes: set[str]) -> None:
    """A GiB within a minute is told, weighs little, and a slow or small use is not told."""
    process = stage.run(["app"], exe="/opt/app")
    stage.use(process, **fields)

    assert stage.codes(process) == codes
    assert stage.score(process) < 30


def test_stress(stage: Stage) -> None:
    """A program that is there to fill memory raises no alert in any of its processes."""
    parent = stage.run(["stress-ng"])
    for _ in range(20):
        worker = stage.fork(parent)
        stage.use(worker)
        stage.starve(worker)
        assert stage.score(worker) < ALERT


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "was killed for want of memory that other (pid 200) asked for"),
        ({"scope": OomScope.CGROUP, "limit": 64 << 20}, "memory: its control group may have 64 MiB"),
    ],
)
def test_out_of_memory(stage: Stage, fields: dict[str, object], words: str) -> None:
    """A process that was killed for want of memory is told with the limit or with whose demand it fell to."""
    process = stage.run(["app"], exe="/opt/app")
    stage.starve(process, **fields)

    assert stage.last[0].text.endswith(words)
    assert stage.score(process) < 30


@pytest.mark.parametrize(
    ("fields", "low", "high"), [({}, 45, ALERT), ({"flags": 1}, 30, 40), ({"privileged": 1}, 22, 23)]
)
def test_userfaultfd(stage: Stage, fields: dict[str, object], low: int, high: int) -> None:
    """Halting the kernel at page faults without privileges is worth a look, less so in user mode only."""
    process = stage.run(["app"], exe="/opt/app")
    stage.request(process, **fields)

    assert low < stage.score(process) < high


def test_memory_file(stage: Stage) -> None:
    """An anonymous memory file is everyday."""
    process = stage.run(["app"], exe="/opt/app")
    stage.request(process, facility=Facility.MEMFD, name=b"pulseaudio")

    assert not stage.last
