"""Beacons: a program that goes to one place again and again, as a clock does.

Rhythm by itself is no evidence: checks of health, clocks and feeds have one too. It counts in full towards a place that
was new when it began, and hardly towards one that was known (Hu and others, BAYWATCH, DSN 2016). The row belongs to the
executable and the place, so a program that is started anew for every contact is found as well.

Work is not a rhythm. A loop that makes one request after the other is as regular as its requests are; so the time
between contacts must be spent idle, and be longer than programs take to do something.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import BEACON
from pyloader.evidence.rarity import surprise
from pyloader.evidence.rhythm import Rhythm, madm, median, rhythm
from pyloader.host import Process
from pyloader.records import ConnectionClosed, ConnectionOpened

INTERVALS: Final = 31
CHECKED_AT: Final = frozenset({11, 15, 19, 23, 27, 31})
"""A row is looked at when it has so many intervals, and the latest `INTERVALS` of it again after as many contacts."""

SHORTEST_NS: Final = 50_000_000
IDLE: Final = 0.5
"""The share of the time between contacts in which nothing is connected."""

KNOWN_WEIGHT: Final = 0.3
"""What the rhythm weighs towards a place that was known when it began."""

REGULAR_SIZE: Final = 0.8
SAME_SIZE: Final = 1.0
"""Nats on top if what is sent is of one size, too: the MADM of the bytes of at least `_SIZES` connections."""

LEAST: Final = 2.0
STEP: Final = 1.0
REMINDER_NS: Final = 86_400 * 1_000_000_000
"""A rhythm is told from `LEAST` nats on, again when it has grown by `STEP`, and again after `REMINDER_NS`."""

_SIZES: Final = 8
_UNSURE: Final = 0.01
_LONG_KNOWN_NS: Final = 7 * 86_400 * 1_000_000_000
_NANOSECONDS: Final = 1e9

Place = tuple[str, bytes, int]
"""An executable, an address and a port."""


class _Row:
    """The contacts with one place: when (ns), how long the connections lasted (ns), and what they sent (bytes)."""

    __slots__ = ("began", "contacts", "durations", "novelty", "sizes", "times", "told", "told_at")

    def __init__(self, novelty: float, now: int) -> None:
        self.novelty = novelty
        self.began = now
        self.contacts = 0
        self.told = 0.0
        self.told_at = 0
        self.times: list[int] = []
        self.durations: list[int] = []
        self.sizes: list[int] = []


class Beacons:
    """Rows of contacts by place; the one that was still for longest leaves first when `capacity` is reached."""

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._rows: dict[Place, _Row] = {}

    def opened(
        self, record: ConnectionOpened, process: Process, novelty: Callable[[ConnectionOpened, Process], float]
    ) -> tuple[Evidence, ...]:
        """Judge a contact; `novelty` tells how new the place is (nats), and is asked at the first contact."""
        now = record.timestamp
        place = (process.exe or process.comm, record.remote_address, record.remote_port)
        row = self._rows.pop(place, None)
        if row is None:
            row = _Row(novelty(record, process), now)
            if len(self._rows) >= self.capacity:
                del self._rows[next(iter(self._rows))]
                self.evicted += 1
        self._rows[place] = row
        _append(row.times, now, INTERVALS + 1)
        row.contacts += 1
        intervals = row.contacts - 1
        if intervals not in CHECKED_AT and (intervals < INTERVALS or intervals % INTERVALS):
            return NOTHING
        return self._judge(row, record, process)

    def closed(self, record: ConnectionClosed, process: Process) -> None:
        """Note how long a connection lasted, and what it sent."""
        row = self._rows.get((process.exe or process.comm, record.remote_address, record.remote_port))
        if row is not None:
            _append(row.durations, record.duration, INTERVALS)
            _append(row.sizes, record.sent, INTERVALS)

    def _judge(self, row: _Row, record: ConnectionOpened, process: Process) -> tuple[Evidence, ...]:
        times = sorted(row.times)
        intervals = [float(max(1, after - before)) for before, after in pairwise(times)]
        found = rhythm(intervals)
        if found.period < SHORTEST_NS or _is_busy(row.durations, found.period):
            return NOTHING
        nats = surprise(found.chance)
        if len(row.sizes) >= _SIZES and madm(row.sizes) > REGULAR_SIZE:
            nats += SAME_SIZE
        long_known = record.timestamp - row.began > _LONG_KNOWN_NS
        nats = nats + row.novelty if row.novelty > 0 and not long_known else KNOWN_WEIGHT * nats
        now = record.timestamp
        if nats < LEAST or found.chance > _UNSURE or (nats < row.told + STEP and now - row.told_at < REMINDER_NS):
            return NOTHING
        row.told, row.told_at = nats, now
        return (BEACON.about(process, _what(record, found), min(nats, BEACON.nats)),)


def _append(values: list[int], value: int, most: int) -> None:
    """Add a value, and drop the first if there are too many: most rows stay short, and a deque begins long."""
    if len(values) >= most:
        del values[0]
    values.append(value)


def _is_busy(durations: Sequence[int], period: float) -> bool:
    """Return whether the time between contacts is mostly spent with them."""
    return len(durations) > 0 and median(durations) > (1 - IDLE) * period


def _what(record: ConnectionOpened, found: Rhythm) -> str:
    seconds = found.period / _NANOSECONDS
    return f"{record.remote}:{record.remote_port}, every {seconds:.3g} s within {found.spread:.0%}"
