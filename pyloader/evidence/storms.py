"""Crash storms: what guessing an address or a canary looks like.

Each wrong guess crashes the guesser's victim, and a server that forks is there again at once with the same layout of
memory (Bittau and others, "Hacking Blind", 2014). A one-sided Poisson CUSUM asks whether crashes come five times as
often as usual:

    S <- max(0, S - λ0·(R - 1)·Δt) + ln R        R = 5

in nats, with 1/λ0 the usual time between crashes, which starts at an hour and is learned slowly, and only while S is 0.
What the crashes have in common moves the weight: one fixed spot is a bug, and not a search; the same spot in one
layout may still be the guess of a canary; varying spots are the search for an address.

Brute, a proposed Linux security module (J. Wood, 2021), decides by a moving average of the time between crashes, with
weight 7/10 on the newest, and asks for five. The average is kept to be told, and so is the five.
"""

import math
from typing import Final, NamedTuple

RATIO: Final = 5.0
"""R."""

GAIN: Final = math.log(RATIO)
SAME_SPOT: Final = 1.0
"""Nats taken from the gain of a crash at the spot of the one before, if both have one layout of memory."""

SEARCH: Final = 1.5
FACING: Final = 2.0
SURE: Final = 5
"""So many crashes it takes to be told as more than `UNSURE_NATS`."""

UNSURE_NATS: Final = 5.0
CAP: Final = 9.0
UNBOUNDED_CAP: Final = 2.5
"""The cap for a process that nobody else can crash: it faces no network and has nobody's rights but its user's."""

LEAST: Final = 2.0
STEP: Final = 0.7
"""A storm is told from `LEAST` nats on, again when it has grown by `STEP`, and again after `REMINDER_NS`."""

REMINDER_NS: Final = 600 * 1_000_000_000

_HIGHEST: Final = 20.0
"""S grows no further, so that a storm that is over is forgotten in the time that it takes to drain this."""

_MINUTE_NS: Final = 60 * 1_000_000_000
_USUAL_NS: Final = 60.0 * _MINUTE_NS
_SHORTEST_NS: Final = 5.0 * _MINUTE_NS
_LONGEST_NS: Final = 24.0 * 60 * _MINUTE_NS
_NEWEST: Final = 0.7
_SLOWLY: Final = 0.1


class Spot(NamedTuple):
    """Where a process crashed: the file behind the instruction, or nothing, and the address of the instruction."""

    file: bytes
    ip: int

    def same(self, other: "Spot", *, one_layout: bool) -> bool:
        """Return whether two crashes are at one spot.

        Another layout moves a file by whole pages; what lies in no file was named by whoever named the address.
        """
        if one_layout or not self.file or not other.file:
            return self.file == other.file and self.ip >> 12 == other.ip >> 12
        return self.file == other.file and (self.ip ^ other.ip) & 0xFFF == 0


class Storm:
    """The crashes under one key. `level` is S in nats, `count` how many crashes it has risen from."""

    __slots__ = ("count", "last", "level", "period", "searches", "spot", "told", "told_at", "usual")

    def __init__(self) -> None:
        self.count = 0
        self.level = 0.0
        self.last = 0
        self.period = 0.0
        self.usual = _USUAL_NS
        self.spot = Spot(b"", 0)
        self.searches = False
        self.told = 0.0
        self.told_at = 0

    def crashed(self, spot: Spot, now: int, *, one_layout: bool) -> None:
        """Count a crash; `one_layout` if it shares its layout of memory with the one before."""
        gain = GAIN
        if self.last:
            elapsed = max(0, now - self.last)
            self.level = max(0.0, self.level - (RATIO - 1.0) * elapsed / self.usual)
            if self.level == 0.0:
                self._over(elapsed)
            else:
                self.period = _NEWEST * elapsed + (1 - _NEWEST) * self.period if self.period else float(elapsed)
            if self.spot.same(spot, one_layout=one_layout):
                gain = GAIN - SAME_SPOT if one_layout else 0.0
            elif self.count:
                self.searches = True
        if not self.count:
            gain = GAIN
        self.count += 1
        self.level = min(self.level + gain, _HIGHEST)
        self.spot = spot
        self.last = max(self.last, now, 1)

    def nats(self, *, facing: bool, bounded: bool) -> float:
        """Return the weight of the storm; `bounded` if there is a boundary that whoever causes it might cross."""
        if self.count < 2:  # noqa: PLR2004 -- one crash is no storm.
            return 0.0
        nats = self.level + SEARCH * self.searches + FACING * facing
        return min(nats, CAP if self.count >= SURE else UNSURE_NATS, CAP if bounded else UNBOUNDED_CAP)

    def tell(self, nats: float, now: int) -> bool:
        """Return whether the storm is to be told now, and note that it is."""
        if nats < LEAST or (nats < self.told + STEP and now - self.told_at < REMINDER_NS):
            return False
        self.told = max(self.told, nats)
        self.told_at = now
        return True

    def _over(self, elapsed: int) -> None:
        """Begin anew after a quiet time, and learn from it how long it usually lasts."""
        self.usual = min(_LONGEST_NS, max(_SHORTEST_NS, (1 - _SLOWLY) * self.usual + _SLOWLY * elapsed))
        self.count = 0
        self.period = 0.0
        self.searches = False
        self.told = 0.0
        self.told_at = 0


Key = tuple[str, int, int]


class StormTable:
    """Storms by key; the one that was still for longest leaves first when `capacity` is reached."""

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._storms: dict[Key, Storm] = {}

    def at(self, key: Key) -> Storm:
        """Return the storm under a key, which is new if none is known."""
        storm = self._storms.pop(key, None)
        if storm is None:
            storm = Storm()
            if len(self._storms) >= self.capacity:
                del self._storms[next(iter(self._storms))]
                self.evicted += 1
        self._storms[key] = storm
        return storm
