"""What each part of an assessment costs, and what an attacker who fills tables or makes keys collide gains by it.

Timed, part by part, with the clock read around every call and what that costs taken off:

- `host`: the process, socket and source that a record is about
- `evidence`: the domains that judge it
- `populations`: the signature, the response to it, and what is told of that
- `ledger and verdict`: evidence entered, weighed, calibrated
- `standing`: the score of a record without evidence
- `alerts`: the policy
- `turn`: the look at the whole once a second of the records' time
- `rest`: the assessment that joins them

Each figure is the time of a part divided by all records of the stream. Streams are `mixed` (`tests/bench/streams.py`),
the ordinary one of `tests/bench/hostile.py`, in which every second record is evidence, and, if there is one, the
beginning of a recording: that of the `calibration` bench or the one that `PYLOADER_DAYS_RECORDING` names.

Then, each in a process of its own, the hostile streams beside the ordinary one: how many times longer a record takes,
and what the process keeps resident after `PYLOADER_RECORDS` records (1,000,000).
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from pyloader.pipeline import Pipeline
from pyloader.records import AnyRecord
from pyloader.records.recording import Header, RecordingReader
from tests.bench import hostile, streams
from tests.bench.bench_calibration import FOLDER
from tests.bench.figures import Figure, at_most, figure, ratios
from tests.bench.programs import ROOT

TITLE = "scoring: parts, hostile keys, memory"
ROUNDS = 3

RECORDS = 60_000
WARM_UP = 5_000
HOSTILE = 100_000
LONG_RUN = int(os.environ.get("PYLOADER_RECORDS", "1000000"))
MEBIBYTES = 150

HEADER = Header(version=1, boot_id="bench", hostname="bench", kernel="", machine="", realtime_offset=0)

PARTS = {
    "host": ("host.apply",),
    "evidence": ("_evidence.assess", "_evidence.closed"),
    "populations": ("_scorer.respond",),
    "ledger and verdict": ("_scorer.weigh",),
    "standing": ("_scorer.score",),
    "alerts": ("_policy.consider",),
    "turn": ("_scorer.turn",),
}
"""The parts of a pipeline, and the methods in which they work."""


def measure(rounds: int) -> list[Figure]:
    """Measure the parts on all streams and the hostile streams, in turn, and the long run once."""
    given = _streams()
    parts: dict[str, list[float]] = defaultdict(list)
    costs: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, records in given.items():
            for part, cost in _parts(records).items():
                parts[f"{name}: {part}"].append(cost)
        for name in hostile.STREAMS:
            costs[name].append(1e6 / _run(name, HOSTILE)["rate"])
    resident = _run("random", LONG_RUN)["after"]
    return [
        *(figure(name, "µs", values) for name, values in parts.items()),
        *(figure(f"{name} keys: a record", "µs", values) for name, values in costs.items()),
        *(
            figure(f"  {name} by ordinary", "", ratios(values, costs["ordinary"]), at_most(2))
            for name, values in costs.items()
            if name != "ordinary"
        ),
        figure(f"resident after {LONG_RUN:,} random records", "MiB", [resident], at_most(MEBIBYTES)),
    ]


def _streams() -> dict[str, list[AnyRecord]]:
    wanted = WARM_UP + RECORDS
    found: dict[str, Iterable[AnyRecord]] = {
        "mixed": streams.mixed(wanted // 2),
        "all kinds": hostile.STREAMS["ordinary"](),
    }
    given = os.environ.get("PYLOADER_DAYS_RECORDING")
    recordings = [Path(given)] if given else sorted(FOLDER.glob("*.rec"))
    if recordings:
        reader = RecordingReader.open(recordings[-1])
        found["recorded"] = (record for batch in reader.batches() for record in batch)
    return {name: list(islice(records, wanted)) for name, records in found.items()}


def _parts(records: list[AnyRecord]) -> dict[str, float]:
    """Return the mean microseconds that each part takes for a record, without the warm-up."""
    pipeline = Pipeline(HEADER)
    pipeline.assess_all(records[:WARM_UP])
    clock = time.perf_counter_ns
    reading = statistics.median(-(clock() - clock()) for _ in range(10_000))
    spent = dict.fromkeys(PARTS, 0.0)
    calls = 0

    def timed(work: Callable[..., Any], part: str) -> Callable[..., Any]:
        def run(*arguments: object, **named: object) -> object:
            nonlocal calls
            calls += 1
            begin = clock()
            result = work(*arguments, **named)
            spent[part] += clock() - begin - reading
            return result

        return run

    for part, methods in PARTS.items():
        for method in methods:
            owner, _, name = method.partition(".")
            found = getattr(pipeline, owner)
            setattr(found, name, timed(getattr(found, name), part))
    begin = clock()
    pipeline.assess_all(records[WARM_UP:])
    whole = clock() - begin - calls * 2 * reading
    spent["rest"] = whole - sum(spent.values())
    return {part: time_spent / (len(records) - WARM_UP) / 1e3 for part, time_spent in spent.items()}


def _run(name: str, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.hostile", name, str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    result: dict[str, float] = json.loads(done.stdout)
    return result
