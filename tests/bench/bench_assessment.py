"""From decoded records to assessments: how many a second one core makes, and what each type of record costs.

Timed: `Pipeline.assess_all` on lists of 500 records, from a new pipeline's first record to the last, for two made-up
streams (`tests/bench/streams.py`) that are in memory before. "CPU" divides by processor time and "wall" by the clock;
the assessments of a list are dropped before the next list. As in `pyloader run`, the collector leaves alone what was
there before.

The cost by type comes from a pass of its own that reads the clock around every `Pipeline.assess` and takes off what
reading the clock costs.
"""

import gc
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from pyloader.pipeline import Pipeline
from pyloader.records import AnyRecord, event_name
from pyloader.records.recording import Header
from tests.bench import streams
from tests.bench.figures import Figure, at_least, figure

TITLE = "record to assessment"
ROUNDS = 7

PROCESSES = 20_000
BATCH = 500
HEADER = Header(version=1, boot_id="bench", hostname="bench", kernel="", machine="", realtime_offset=0)


class Rate(NamedTuple):
    """Assessments a second."""

    cpu: float
    wall: float


def measure(rounds: int) -> list[Figure]:
    """Measure both streams in turn."""
    given = {"exec-heavy": streams.exec_heavy(PROCESSES), "mixed": streams.mixed(PROCESSES)}
    rates: dict[str, list[Rate]] = {name: [] for name in given}
    costs: dict[str, list[float]] = defaultdict(list)
    with _frozen():
        for _ in range(rounds):
            for name, records in given.items():
                rates[name].append(_rate(records))
                for kind, cost in _cost_by_type(records).items():
                    costs[f"{name}: {kind}"].append(cost)
    figures = []
    for name in given:
        figures += [
            figure(f"{name}, CPU", "/s", [rate.cpu for rate in rates[name]], at_least(100_000)),
            figure(f"{name}, wall", "/s", [rate.wall for rate in rates[name]]),
        ]
    return figures + [figure(name, "µs", values) for name, values in costs.items()]


@contextmanager
def _frozen() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _rate(records: list[AnyRecord]) -> Rate:
    pipeline = Pipeline(HEADER)
    batches = [records[begin : begin + BATCH] for begin in range(0, len(records), BATCH)]
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    for batch in batches:
        pipeline.assess_all(batch)
    cpu, wall = time.process_time_ns() - cpu, time.perf_counter_ns() - wall
    return Rate(cpu=len(records) / cpu * 1e9, wall=len(records) / wall * 1e9)


def _cost_by_type(records: list[AnyRecord]) -> dict[str, float]:
    """Return the mean microseconds of the types that make up the stream."""
    pipeline, clock = Pipeline(HEADER), time.perf_counter_ns
    times: dict[type[AnyRecord], list[int]] = defaultdict(list)
    for record in records:
        begin = clock()
        pipeline.assess(record)
        times[type(record)].append(clock() - begin)
    reading = statistics.median(-(clock() - clock()) for _ in range(10_000))
    return {
        event_name(kind): (statistics.fmean(measured) - reading) / 1e3
        for kind, measured in times.items()
        if len(measured) > 1
    }
