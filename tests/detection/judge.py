"""Whose alert is it: the highest score of each piece of work, from what the sensor said and what it recorded.

A process belongs to the piece of work in whose control group it ran. Alerts about packets belong to no
process; none are made here, since no interface is watched.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from pyloader import Sensor
from pyloader.records import ProcessExec, ProcessFork
from pyloader.records.recording import RecordingReader
from tests.detection.recorder import ALERTS, RECORDING, Entry, journal_of


class Verdict(NamedTuple):
    """A piece of work, its highest score (0 without an alert), and the summaries of its alerts."""

    entry: Entry
    score: float
    alerts: tuple[str, ...]


def owners(recording: Path) -> dict[tuple[int, int], int]:
    """Return the control group of each process of a recording by its pid and start."""
    reader = RecordingReader.open(recording)
    groups: dict[tuple[int, int], int] = {}
    for batch in reader.batches():
        groups |= {(one.pid, one.start): one.cgroup for one in batch if isinstance(one, ProcessExec | ProcessFork)}
    reader.close()
    return groups


def live(folder: Path) -> tuple[list[Verdict], list[str]]:
    """Judge a run by the alerts that were printed while it ran; also return the alerts about nobody of ours."""
    printed = [msgspec.json.decode(line) for line in (folder / ALERTS).read_bytes().splitlines()]
    return verdicts(folder, [one for one in printed if one.get("type") == "alert"])


def replayed(folder: Path, state: Path | None = None) -> tuple[list[Verdict], list[str]]:
    """Judge a run anew, from its records and what was known before."""
    with Sensor.replay(folder / RECORDING, state_dir=state) as sensor:
        alerts = [alert for one in sensor for alert in one.alerts]
    return verdicts(folder, [msgspec.to_builtins(alert) for alert in alerts])


def verdicts(folder: Path, alerts: Iterable[Mapping[str, Any]]) -> tuple[list[Verdict], list[str]]:
    """Give each alert to the piece of work whose process it names."""
    groups = owners(folder / RECORDING)
    entries = journal_of(folder)
    found: dict[int, list[tuple[float, str]]] = {entry.done.cgroup: [] for entry in entries}
    strangers = []
    for alert in alerts:
        subject = alert["subject"]
        said = (float(alert["score"]), f"{alert['score']:.0f} {alert['summary']}")
        owner = groups.get((subject.get("pid", 0), subject.get("start", 0)), 0)
        if owner in found:
            found[owner].append(said)
        else:
            strangers.append(said[1])
    return [
        Verdict(entry, max((score for score, _ in said), default=0.0), tuple(text for _, text in said))
        for entry in entries
        for said in [found[entry.done.cgroup]]
    ], strangers
