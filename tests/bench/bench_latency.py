"""From the kernel's timestamp to the assessment in Python: milliseconds, under load of a known rate.

`spawn` creates processes at a fixed pace while this process iterates `Sensor.batches`. Each process is three events:
fork, exec and exit. The clock is read when a batch of assessments has arrived, and each event of a process of `spawn`
took from its own timestamp until then. What other processes do is assessed along with it, but not counted.

Each executed process bears its number. An exec is lost when its number was not seen; forks and exits are counted.
The sensor's own account of losses is not asked.
"""

import gc
import subprocess
import time
from array import array
from dataclasses import dataclass, field

from pyloader import Assessment, Sensor
from pyloader.records import ProcessExec, ProcessExit, ProcessFork
from tests.bench.figures import Figure, Target, at_most, figure, percentile
from tests.bench.programs import program

TITLE = "kernel to assessment"
ROUNDS = 5

RATES = (1_000, 5_000)
SECONDS = 4
EVENTS_PER_PROCESS = 3
P99_TARGETS = {5_000: at_most(1.0)}
PATIENCE = 0.1
"""Seconds after which to look whether `spawn` has ended, if no event comes."""


@dataclass
class Observed:
    """What arrived of one run of `spawn`."""

    parent: int
    latencies: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: set[int] = field(default_factory=set)
    others: int = 0
    """Forks and exits."""

    def take(self, batch: list[Assessment]) -> None:
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


def measure(rounds: int) -> list[Figure]:
    """Measure all rates in turn."""
    runs: dict[int, list[tuple[Observed, float]]] = {rate: [] for rate in RATES}
    for _ in range(rounds):
        for rate in RATES:
            runs[rate].append(_run(rate))
    return [shown for rate in RATES for shown in _figures(rate, runs[rate])]


def _figures(rate: int, runs: list[tuple[Observed, float]]) -> list[Figure]:
    def latency(percent: float, target: Target | None = None) -> Figure:
        name = "max" if percent == 100 else f"p{percent:g}"
        values = [percentile(run.latencies, percent) / 1e6 for run, _ in runs]
        return figure(f"{rate}/s, {name}", "ms", values, target)

    sent = _processes(rate)
    lost = [EVENTS_PER_PROCESS * sent - len(run.numbers) - run.others for run, _ in runs]
    return [
        latency(50),
        latency(99, P99_TARGETS.get(rate)),
        latency(100),
        figure(f"{rate}/s, reached", "events/s", [EVENTS_PER_PROCESS * sent / seconds for _, seconds in runs]),
        figure(f"{rate}/s, lost of {EVENTS_PER_PROCESS * sent}", "events", lost, at_most(0)),
    ]


def _processes(rate: int) -> int:
    return rate * SECONDS // EVENTS_PER_PROCESS


def _run(rate: int) -> tuple[Observed, float]:
    """Return what was observed and how many seconds `spawn` took."""
    pace = [str(_processes(rate)), str(rate // EVENTS_PER_PROCESS)]
    command = [str(program("spawn")), *pace, str(program("nothing"))]
    with Sensor(monitors=["process"]) as sensor:
        gc.freeze()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as spawn:
            observed = Observed(spawn.pid)
            for batch in sensor.batches(PATIENCE):
                observed.take(batch)
                if spawn.poll() is not None:
                    sensor.stop()
            assert spawn.stdout is not None
            duration = int(spawn.stdout.read()) / 1e9
        gc.unfreeze()
    return observed, duration
