"""Assessments a second by 1, 2 and 4 workers, each the lane that the kernel would give it.

Timed: from the moment on which all workers have their lane in memory, decoded, and begin, until the last one has
assessed all of it. "wall" is by the clock, on the cores that this machine has; "on cores of their own" divides by the
processor time of the worker that had most to do, and so tells what as many free cores would come to. "work" is the
processor time of all workers by that of one: what each must know of the processes of the others is done as often as
there are workers.

The streams: "services" are 64 shells, each in a session of its own, that do nothing but start processes (`streams`),
which is the worst case, since all workers must know of all processes; "recorded" is the beginning of a recording: that
of the `calibration` bench or the one that `PYLOADER_DAYS_RECORDING` names.
"""

import os
import tempfile
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.records import AnyRecord, ProcessExec, ProcessFork, ProcessSeen
from pyloader.records.recording import RecordingReader
from pyloader.workers.pool import Pool
from tests.bench import streams
from tests.bench.bench_assessment import HEADER
from tests.bench.bench_calibration import FOLDER
from tests.bench.figures import CannotMeasureError, Figure, figure, ratios
from tests.lanes import WORKER, RecordedLanes, shared_out
from tests.worker import Spent

TITLE = "assessments by several workers"
ROUNDS = 5

WORKERS = (1, 2, 4)
SERVICES = 64
PROCESSES = 40_000
RECORDED = 200_000


class Rate(NamedTuple):
    """Assessments a second, by the clock and if every worker had a core, and the processor time of all, in seconds."""

    wall: float
    cores: float
    cpu: float


def measure(rounds: int) -> list[Figure]:
    """Measure each stream with each number of workers in turn."""
    figures = []
    for name, records in _streams().items():
        rates: dict[int, list[Rate]] = {workers: [] for workers in WORKERS}
        for _ in range(rounds):
            for workers in WORKERS:
                rates[workers].append(_rate(records, workers))
        one = rates[1]
        for workers, measured in rates.items():
            walls, cores = [rate.wall for rate in measured], [rate.cores for rate in measured]
            figures += [
                figure(f"{name}, {workers} workers, wall", "/s", walls),
                figure(f"{name}, {workers} workers, on cores of their own", "/s", cores),
            ]
            if workers > 1:
                figures += [
                    figure("  wall by that of one", "", ratios(walls, [rate.wall for rate in one])),
                    figure("  on cores of their own by one", "", ratios(cores, [rate.cores for rate in one])),
                    figure(
                        "  work by that of one", "", ratios([rate.cpu for rate in measured], [rate.cpu for rate in one])
                    ),
                ]
    return figures


def _streams() -> dict[str, list[AnyRecord]]:
    found = {"services": [_of_service(record) for record in streams.mixed(PROCESSES)]}
    given = os.environ.get("PYLOADER_DAYS_RECORDING")
    recordings = [Path(given)] if given else sorted(FOLDER.glob("*.rec"))
    if recordings:
        reader = RecordingReader.open(recordings[-1])
        found["recorded"] = list(islice((record for batch in reader.batches() for record in batch), RECORDED))
        reader.close()
    return found


def _of_service(record: AnyRecord) -> AnyRecord:
    """Return a record of one of the services, by the id of its process."""
    if isinstance(record, ProcessFork | ProcessExec | ProcessSeen):
        return replace(record, session=10_000 + record.pid % SERVICES, cgroup=20_000 + record.pid % SERVICES)
    return record


def _rate(records: list[AnyRecord], workers: int) -> Rate:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.mkfifo(folder / "begin")
        # Open for both, so that it can be opened before anybody reads, and stays open for whoever comes late.
        begin = os.open(folder / "begin", os.O_RDWR | os.O_CLOEXEC)
        lanes = RecordedLanes(folder, HEADER, shared_out(records, workers))
        pool = Pool(lanes, min_score=MEDIUM_FROM, command=WORKER)
        try:
            pool.start()
            os.write(begin, bytes(workers))
            while True:
                pool.read(None)
        except EOFError:
            pass
        finally:
            pool.close()
            os.close(begin)
        spent = [msgspec.json.decode(path.read_bytes(), type=Spent) for path in folder.glob("*.spent")]
    if len(spent) != workers:
        msg = f"{workers - len(spent)} of {workers} workers did not come to the end"
        raise CannotMeasureError(msg)
    wall = max(one.end for one in spent) - min(one.begin for one in spent)
    return Rate(len(records) / wall, len(records) / max(one.cpu for one in spent), sum(one.cpu for one in spent))
