"""Runs work in containers while a live sensor watches and keeps every record.

A run is a folder: `run.rec`, what the sensor recorded; `alerts.jsonl`, what it printed meanwhile; `journal.jsonl`, one
line for each piece of work. All of it can be judged again without running anything.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.detection.container import LIMIT_SECONDS, Containers, Done
from tests.detection.material import lay_out
from tests.detection.simulations import Case

RECORDING: Final = "run.rec"
ALERTS: Final = "alerts.jsonl"
JOURNAL: Final = "journal.jsonl"

SENSOR: Final = (str(Path(sys.executable).with_name("pyloader")), "run", "--instance", f"detection-{os.getpid()}")
"""The command of a sensor under a name of its own, so that one that watches this machine anyway is not in the way."""

_SETTLE_SECONDS: Final = 1.0


class Entry(msgspec.Struct, frozen=True):
    """A line of the journal: a case and what became of it."""

    case: Case
    done: Done


def record(
    folder: Path, cases: Iterable[Case], command: Sequence[str], *, limit: float = LIMIT_SECONDS, quiet: bool = False
) -> list[Entry]:
    """Run cases one after another, each for `limit` seconds at most, under `command`; return the journal.

    The command is `pyloader run` without what is said about its output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    watching = [*command, "--format", "json", "--record", str(folder / RECORDING)]
    prepared = folder / "prepared"
    prepared.mkdir(exist_ok=True)
    lay_out(prepared / "root")
    with (
        (folder / ALERTS).open("wb") as output,
        (folder / JOURNAL).open("wb") as journal,
        Containers(prepared) as containers,
        subprocess.Popen(watching, stdout=output, stderr=subprocess.PIPE) as sensor,
    ):
        assert sensor.stderr is not None
        said = sensor.stderr.readline()
        try:
            if b"watching" not in said:
                message = f"the sensor does not start: {(said + sensor.stderr.read()).decode(errors='replace')}"
                raise RuntimeError(message)
            for case in cases:
                if case.chosen == "excluded":
                    continue
                entry = Entry(case, containers.run(case.work, limit))
                entries.append(entry)
                journal.write(msgspec.json.encode(entry) + b"\n")
                if not quiet:
                    sys.stderr.write(f"\r{len(entries):5} {case.work.name[:70]:70}")
            time.sleep(_SETTLE_SECONDS)
        finally:
            if sensor.poll() is None:
                sensor.send_signal(2)
            rest = sensor.communicate(timeout=60)[1]
    if not quiet:
        sys.stderr.write(f"\n{rest.decode(errors='replace')[-1000:]}")
    return entries


def journal_of(folder: Path) -> list[Entry]:
    """Return the journal of a run."""
    lines = (folder / JOURNAL).read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Entry) for line in lines]
