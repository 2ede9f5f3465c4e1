"""Nothing is lost without being counted."""

from pathlib import Path
from typing import Any

from pyloader.monitors import PROCESS
from pyloader.records import EventLoss, ProcessExec, ProcessExit, ProcessFork, tag_of
from tests.kernel.command import running
from tests.kernel.observing import observe, run

PROCESSES = 20_000


def numbers(lines: list[dict[str, Any]], program: Path) -> list[int]:
    """Return the numbers that the executions of a program had as argument, in order."""
    return [
        int(line["args"][1])
        for line in lines
        if line.get("event") == "process_exec" and line["args"][0] == str(program) and len(line["args"]) == 2
    ]


def test_the_command_sees_every_one_of_20000_processes(programs: Path, tmp_path: Path) -> None:
    """`pyloader run` prints 20,000 processes, started as fast as the machine can, each once, and loses none."""
    nothing = programs / "nothing"

    with running(tmp_path, "--events") as sensor:
        run([programs / "flood", str(PROCESSES), nothing])
    lines = sensor.lines()

    assert list(range(PROCESSES)) == sorted(numbers(lines, nothing))
    assert lines[-1]["lost"] == {}


def test_what_a_tiny_ring_cannot_hold_is_counted(programs: Path) -> None:
    """With nobody reading and a ring of 64 KiB, received and lost together are what was produced, for each type."""
    count = 2_000

    seen = observe(lambda: run([programs / "flood", str(count), programs / "nothing"]), PROCESS, 1 << 16)

    records = [one.record for one in seen]
    for kind in (ProcessExec, ProcessFork, ProcessExit):
        received = sum(isinstance(record, kind) for record in records)
        lost = sum(one.count for one in records if isinstance(one, EventLoss) and one.lost == tag_of(kind))
        # The flood itself is one process more, and others may run on the machine meanwhile.
        assert lost > 0
        assert count < received + lost < count + 500
