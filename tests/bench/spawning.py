"""Processes at a known pace, each with a number, and what of them arrived."""

import subprocess
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyloader import Assessment
from pyloader.records import ProcessExec, ProcessExit, ProcessFork
from tests.bench.figures import Figure, Target, at_most, figure, percentile
from tests.bench.programs import program

SECONDS = 4
EVENTS_PER_PROCESS = 3


@dataclass
class Observed:
    """What arrived of one run of `spawn`, and how many seconds that took."""

    parent: int = 0
    latencies: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: set[int] = field(default_factory=set)
    others: int = 0
    """Forks and exits."""
    seconds: float = 0.0

    def take(self, *batch: Assessment) -> None:
        """Look at the clock, then at what arrived."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        for assessment in batch:
            record = assessment.record
            if not isinstance(record, ProcessExec | ProcessFork | ProcessExit) or record.ppid != self.parent:
                continue
            self.latencies.append(now - record.timestamp)
            if isinstance(record, ProcessExec):
                self.numbers.add(int(record.args.split(b"\0")[1]))
            else:
                self.others += 1


@contextmanager
def spawning(rate: int, observed: Observed) -> "Iterator[subprocess.Popen[bytes]]":
    """Run `spawn` for `SECONDS` at so many events a second; it has ended when the block has."""
    pace = [str(processes(rate)), str(rate // EVENTS_PER_PROCESS)]
    command = [str(program("spawn")), *pace, str(program("nothing"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as spawn:
        observed.parent = spawn.pid
        yield spawn
        assert spawn.stdout is not None
        observed.seconds = int(spawn.stdout.read()) / 1e9


def processes(rate: int) -> int:
    """Return how many processes there are at a rate of events."""
    return rate * SECONDS // EVENTS_PER_PROCESS


def latencies(name: str, runs: list[Observed], p99: Target | None = None) -> list[Figure]:
    """Return the median, the 99th percentile and the largest latency (ms), each with its value in every run."""

    def latency(percent: float, target: Target | None = None) -> Figure:
        what = "max" if percent == 100 else f"p{percent:g}"
        return figure(f"{name}, {what}", "ms", [percentile(run.latencies, percent) / 1e6 for run in runs], target)

    return [latency(50), latency(99, p99), latency(100)]


def losses(name: str, rate: int, runs: list[Observed]) -> Figure:
    """Return how many events did not arrive."""
    sent = EVENTS_PER_PROCESS * processes(rate)
    lost = [sent - len(run.numbers) - run.others for run in runs]
    return figure(f"{name}, lost of {sent}", "events", lost, at_most(0))
