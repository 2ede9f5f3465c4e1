"""From the kernel's timestamp to the assessment in Python: milliseconds, under load of a known rate.

`spawn` creates processes at a fixed pace while this process iterates `Sensor.batches`. Each process is three events:
fork, exec and exit. The clock is read when a batch of assessments has arrived, and each event of a process of `spawn`
took from its own timestamp until then. What other processes do is assessed along with it, but not counted.

Each executed process bears its number. An exec is lost when its number was not seen; forks and exits are counted.
The sensor's own account of losses is not asked.
"""

import gc

from pyloader import Sensor
from tests.bench.figures import Figure, at_most, figure
from tests.bench.spawning import EVENTS_PER_PROCESS, Observed, latencies, losses, processes, spawning

TITLE = "kernel to assessment"
ROUNDS = 5

RATES = (1_000, 5_000)
P99_TARGETS = {5_000: at_most(1.0)}
PATIENCE = 0.1
"""Seconds after which to look whether `spawn` has ended, if no event comes."""


def measure(rounds: int) -> list[Figure]:
    """Measure all rates in turn."""
    runs: dict[int, list[Observed]] = {rate: [] for rate in RATES}
    for _ in range(rounds):
        for rate in RATES:
            runs[rate].append(_run(rate))
    return [shown for rate in RATES for shown in _figures(rate, runs[rate])]


def _figures(rate: int, runs: list[Observed]) -> list[Figure]:
    sent = EVENTS_PER_PROCESS * processes(rate)
    return [
        *latencies(f"{rate}/s", runs, P99_TARGETS.get(rate)),
        figure(f"{rate}/s, reached", "events/s", [sent / run.seconds for run in runs]),
        losses(f"{rate}/s", rate, runs),
    ]


def _run(rate: int) -> Observed:
    observed = Observed()
    with Sensor(monitors=["process"]) as sensor:
        gc.freeze()
        with spawning(rate, observed) as spawn:
            for batch in sensor.batches(PATIENCE):
                observed.take(*batch)
                if spawn.poll() is not None:
                    sensor.stop()
        gc.unfreeze()
    return observed
