"""From slices of recorded work to a recording of whole days.

What was recorded is a day's work done in a minute or two: unit after unit, with pauses of some milliseconds. The
stretched recording has each unit at its time of the timetable. Within a unit, and for a moment after it, time runs as
it was recorded; the rest of each pause is stretched to what the timetable wants. That is one monotone map f of the
boot-time clock, applied to every time t in every record, and an interval that ends at t and lasts d becomes
f(t) - f(t - d). So a daemon that lives through a thousand units becomes as old as it would, and nothing else changes.

Only what belongs to the recorded host is kept: processes in its control groups, and what came in by the cable. The
visitors' own processes, and whatever else this machine did meanwhile, are left out.

The network monitor tells its totals every second. In stretched pauses nothing was recorded, and nothing came: as many
of those seconds as `IDLE` says are filled in, which are the only records that were not recorded. They are counted
apart.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec

from pyloader.records import (
    AnyRecord,
    CallOrigin,
    CgroupSeen,
    ConnectionClosed,
    ConnectionOpened,
    EventLoss,
    MemoryUsage,
    NetworkTraffic,
    ProcessExit,
    ProcessFork,
    ProcessSeen,
)
from pyloader.records.codec import encode
from pyloader.records.recording import Header, RecordingReader, RecordingWriter
from tests.calibration.schedule import DAY

SECOND = 1_000_000_000
TICK = 10_000_000
"""The granularity of the start of a `ProcessSeen`."""

AFTER = 10_000_000
"""So long after a unit time still runs as it was recorded: daemons finish what it began."""

LEAST_PAUSE = 100_000_000
IDLE = 20
"""Idle seconds that are filled into each pause."""

MONDAY = 1_793_577_600 * SECOND
"""Day 0 begins at midnight of this date (UTC), 2026-11-02."""

HOME = b"/pyloader-days/"
VISITORS = b"/pyloader-days/visitors"

_TIMES = ("timestamp", "start", "parent_start", "target_start", "first_seen")
_INTERVALS: dict[type, str] = {
    ProcessExit: "lifetime",
    ConnectionOpened: "duration",
    ConnectionClosed: "duration",
    MemoryUsage: "duration",
    CallOrigin: "since_written",
}


Key: TypeAlias = tuple[int, int]
"""The pid and the start of a process."""


class Unit(NamedTuple):
    """A unit of work as it was done: its times on the recorded clock (ns), and when it should be."""

    day: int
    at: float
    kind: str
    way: str
    begin: int
    end: int


class Stretched(NamedTuple):
    """What became of the slices."""

    days: int
    records: int
    """Recorded records that were kept."""
    idle: int
    """Records of idle seconds that were filled in."""
    lost: int
    """Records that the kernel side could not deliver."""
    units: list[Unit]
    """With their times on the stretched clock."""


class Clock:
    """The map from the recorded to the stretched clock: straight between the given points, of slope 1 outside."""

    def __init__(self, points: list[tuple[int, int]]) -> None:
        self._from = [point[0] for point in points]
        self._to = [point[1] for point in points]

    def __call__(self, time: int) -> int:
        """Return when a moment is on the stretched clock.

        >>> clock = Clock([(0, 100), (10, 110), (20, 1110)])
        >>> clock(-5), clock(5), clock(15), clock(25)
        (95, 105, 610, 1115)
        """
        at = bisect_right(self._from, time)
        if at == 0:
            return self._to[0] + time - self._from[0]
        if at == len(self._from):
            return self._to[-1] + time - self._from[-1]
        begin, end = self._from[at - 1], self._from[at]
        begin_to, end_to = self._to[at - 1], self._to[at]
        return begin_to + (time - begin) * (end_to - begin_to) // (end - begin)


def clock_of(units: list[Unit]) -> tuple[Clock, int]:
    """Return the map for units in their order, and what midnight of day 0 is on the stretched clock."""
    midnight = units[0].begin - round(units[0].at * SECOND) - units[0].day * DAY * SECOND
    midnight += max(0, -midnight) + SECOND
    points: list[tuple[int, int]] = []
    free = 0
    for unit in units:
        begin = max(midnight + unit.day * DAY * SECOND + round(unit.at * SECOND), free)
        end = begin + unit.end + AFTER - unit.begin
        points += [(unit.begin, begin), (unit.end + AFTER, end)]
        free = end + LEAST_PAUSE
    points = [before for before, after in pairwise(points) if before[0] < after[0]] + points[-1:]
    return Clock(points), midnight


class Members:
    """Whom the processes of a slice belong to, by pid and start: found in a first pass over it."""

    def __init__(self) -> None:
        self._paths: dict[int, bytes] = {}
        self._own: set[Key] = set()
        self._visitors: set[Key] = set()
        self._seen: set[Key] = set()

    def learn(self, record: AnyRecord) -> None:
        """Take in a record of the first pass."""
        if isinstance(record, CgroupSeen):
            self._paths[record.cgroup] = record.path
            return
        who, path = _who(record), self._path(record)
        if who is None:
            return
        if path.startswith(VISITORS):
            self._visitors.add(who)
            if isinstance(record, ProcessFork):
                self._visitors.add((record.ppid, record.parent_start))
        elif path.startswith(HOME):
            (self._seen if isinstance(record, ProcessSeen) else self._own).add(who)

    def keep(self, record: AnyRecord) -> bool:
        """Return whether a record of the second pass belongs to the recorded host."""
        if isinstance(record, CgroupSeen):
            return record.path.startswith(HOME) and not record.path.startswith(VISITORS)
        who = _who(record)
        if who is None:
            return True
        pid, start = who
        if pid == 0:
            path = self._path(record)
            return path.startswith(HOME) and not path.startswith(VISITORS)
        return who not in self._visitors and (who in self._own or (pid, start // TICK * TICK) in self._seen)

    def _path(self, record: AnyRecord) -> bytes:
        return self._paths.get(getattr(record, "cgroup", 0), b"")


class Stretcher:
    """Moves records to the stretched clock, and fills idle seconds in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._exact: dict[Key, int] = {}
        self._last: NetworkTraffic | None = None
        self._until = 0
        """The timestamp of the last record."""

    def move(self, record: AnyRecord) -> AnyRecord:
        """Return a record with its times on the stretched clock."""
        clock, fields = self._clock, record.__struct_fields__
        changes: dict[str, object] = {
            name: clock(time) for name in _TIMES if name in fields and (time := getattr(record, name))
        }
        who = _who(record)
        if isinstance(record, ProcessSeen):
            # Known exactly if it was told before; a start that is only known to the tick may lie in a pause.
            start = self._exact.get((record.pid, record.start), record.start)
            changes["start"] = clock(start) // TICK * TICK
        elif isinstance(record, CgroupSeen):
            changes["path"] = b"/" + record.path.removeprefix(HOME)
        elif who is not None:
            self._exact[who[0], who[1] // TICK * TICK] = who[1]
        interval = _INTERVALS.get(type(record))
        if interval is not None and (length := getattr(record, interval)):
            changes[interval] = clock(record.timestamp) - clock(record.timestamp - length)
        return msgspec.structs.replace(record, **changes)

    def idle(self, moved: AnyRecord) -> list[NetworkTraffic]:
        """Return the seconds of the pause before a moved record in which nothing came."""
        last, since = self._last, self._until
        self._until = moved.timestamp
        if isinstance(moved, NetworkTraffic):
            self._last = moved
        if last is None:
            return []
        return [
            msgspec.structs.replace(
                last,
                timestamp=since + second * SECOND,
                interval=SECOND,
                counts=bytes(len(last.counts)),
                dispersion=bytes(len(last.dispersion)),
                peak=0,
            )
            for second in range(1, min(IDLE, (moved.timestamp - since) // SECOND - 1) + 1)
        ]


def stretch(folder: Path, into: Path) -> Stretched:
    """Turn the slices of a folder into one recording."""
    slices = [file for file in sorted(folder.glob("slice-*.rec")) if _units_file(file).exists()]
    units_of = {
        file: [Unit(**json.loads(line)) for line in _units_file(file).read_text().splitlines()] for file in slices
    }
    units = [unit for told in units_of.values() for unit in told]
    clock, midnight = clock_of(units)
    stretcher = Stretcher(clock)
    writer = RecordingWriter(into, _header(slices[0], midnight))
    counts: Counter[str] = Counter()
    try:
        for file, told_of in units_of.items():
            # What comes later belongs to a day that was interrupted, of which no unit is told.
            until = told_of[-1].end + SECOND
            members = Members()
            for record in _records(file):
                members.learn(record)
            kept = (record for record in _records(file) if record.timestamp <= until and members.keep(record))
            for records in _batched(kept, 10_000):
                moved = [stretcher.move(record) for record in records]
                told = [one for record in moved for one in (*stretcher.idle(record), record)]
                counts["records"] += len(moved)
                counts["idle"] += len(told) - len(moved)
                counts["lost"] += sum(record.count for record in moved if isinstance(record, EventLoss))
                writer.write(b"".join(map(encode, told)))
    finally:
        writer.close()
    placed = [unit._replace(begin=clock(unit.begin), end=clock(unit.end)) for unit in units]
    return Stretched(len({unit.day for unit in units}), counts["records"], counts["idle"], counts["lost"], placed)


def _who(record: AnyRecord) -> Key | None:
    """Return the pid and start of the process that a record is about, if it is about one."""
    pid: int | None = getattr(record, "pid", None)
    return None if pid is None else (pid, getattr(record, "start", 0))


def _batched(records: Iterable[AnyRecord], size: int) -> Iterator[list[AnyRecord]]:
    rest = iter(records)
    while batch := list(islice(rest, size)):
        yield batch


def _units_file(recording: Path) -> Path:
    return recording.with_name(recording.name.replace("slice-", "units-")).with_suffix(".jsonl")


def _header(first: Path, midnight: int) -> Header:
    reader = RecordingReader.open(first)
    try:
        return msgspec.structs.replace(reader.header, hostname="days", realtime_offset=MONDAY - midnight)
    finally:
        reader.close()


def _records(file: Path) -> Iterable[AnyRecord]:
    reader = RecordingReader.open(file)
    try:
        for batch in reader.batches():
            yield from batch
    finally:
        reader.close()
