"""How much is lost when more happens than the sensor can judge: the share of records, by the rate that is offered.

`connect` makes TCP connections over loopback at a fixed pace, four records each: its outcome and its end, on either
side. The sensor watches connections with rings of their default size and judges everything. The rate goes up until
records are lost. Every record that was offered has to be either judged or told as lost: `unaccounted` is what is
neither.
"""

import gc
import subprocess
from typing import Final, NamedTuple

from pyloader import Sensor
from pyloader.records import ConnectionClosed, ConnectionOpened, EventLoss, tag_of
from tests.bench.figures import Figure, at_most, figure
from tests.bench.programs import program

TITLE = "loss over the offered rate"
ROUNDS = 3

RATES = (1_000, 2_000, 4_000, 8_000, 16_000, 0)
"""Connections a second; 0 is as fast as they go."""

SECONDS = 4
_FASTEST: Final = 25_000
_RECORDS: Final = 4
_KINDS: Final = (ConnectionOpened, ConnectionClosed)
_TAGS: Final = {tag_of(ConnectionOpened), tag_of(ConnectionClosed)}
_PATIENCE: Final = 0.1


class Run(NamedTuple):
    """What became of the records of one run."""

    offered: int
    judged: int
    lost: int
    seconds: float


def measure(rounds: int) -> list[Figure]:
    """Measure all rates in turn."""
    runs: dict[int, list[Run]] = {rate: [] for rate in RATES}
    for _ in range(rounds):
        for rate in RATES:
            runs[rate].append(_run(rate))
    return [shown for rate in RATES for shown in _figures(rate, runs[rate])]


def _figures(rate: int, runs: list[Run]) -> list[Figure]:
    name = f"{_RECORDS * rate:,}/s" if rate else "as fast as they go"
    return [
        figure(f"{name}, reached", "records/s", [run.offered / run.seconds for run in runs]),
        figure(f"{name}, lost", "%", [100 * run.lost / run.offered for run in runs]),
        figure(f"{name}, unaccounted", "records", [run.offered - run.judged - run.lost for run in runs], at_most(0)),
    ]


def _run(rate: int) -> Run:
    connections = SECONDS * (rate or _FASTEST)
    command = [str(program("connect")), str(connections), str(rate)]
    judged = lost = 0
    with Sensor(monitors=["connection"]) as sensor:
        gc.freeze()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as connect:
            for batch in sensor.batches(_PATIENCE):
                for one in batch:
                    record = one.record
                    if isinstance(record, _KINDS):
                        judged += record.pid == connect.pid
                    elif isinstance(record, EventLoss) and record.lost in _TAGS:
                        lost += record.count
                if connect.poll() is not None:
                    sensor.stop()
            assert connect.stdout is not None
            seconds = int(connect.stdout.read()) / 1e9
        gc.unfreeze()
    return Run(_RECORDS * connections, judged, lost, seconds)
