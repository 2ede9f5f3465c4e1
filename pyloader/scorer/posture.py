"""How alert this host is: five levels, up at once and down slowly.

A level is entered as soon as what is going on calls for it. It is left one step at a time, when what is going on has
stayed below a lower bound for a while: the distance between the bounds is a factor of ten in rarity, so that a score
at the border does not toggle (alarm management: EEMUA 191, ISA-18.2).

There are at most six changes an hour, whatever happens: a step down is put off if the steps up that could follow it
would exceed that. So the level is never lower than it ought to be.
"""

import math
from collections import deque
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

_MINUTE: Final = 60 * 1_000_000_000
_HOUR: Final = 60 * _MINUTE

CHANGES_AN_HOUR: Final = 6


class Level(IntEnum):
    """How alert this host is."""

    CALM = 0
    WATCH = 1
    GUARDED = 2
    ELEVATED = 3
    CRITICAL = 4


class _Bounds(NamedTuple):
    """The score (0-100) from which a level is entered, below which it is left, and for how long before (ns)."""

    enter: float
    leave: float
    hold: int


_BOUNDS: Final = {
    Level.WATCH: _Bounds(49.0, 37.0, 10 * _MINUTE),
    Level.GUARDED: _Bounds(62.0, 49.0, 15 * _MINUTE),
    Level.ELEVATED: _Bounds(75.0, 62.0, 30 * _MINUTE),
    Level.CRITICAL: _Bounds(90.0, 62.0, 120 * _MINUTE),
}

ALERTING: Final = 62.0
OF_HOST: Final = 8
"""So many of the worst lineages make up how the host as a whole stands."""

ALERTING_LINEAGES: Final = 2
"""So many lineages that alert at once are worth a higher level than each alone."""


class Change(NamedTuple):
    """A change of level: when (ns), to what, and the score that the host has."""

    when: int
    level: Level
    score: float


class Posture:
    """The level of this host. Time is that of the records (ns); a clock that goes back stands still instead."""

    __slots__ = ("_changes", "_loud", "_now", "level")

    def __init__(self) -> None:
        self.level = Level.CALM
        self._now = 0
        self._loud = 0
        """When the score was last too high to leave the level."""
        self._changes: deque[int] = deque(maxlen=CHANGES_AN_HOUR)

    def update(self, now: int, score: float, *, alerting: int = 0, invariant: bool = False) -> Change | None:
        """Take in how the host stands and return the change of level that follows, if one does.

        `score` is that of the whole host, `alerting` how many lineages score `ALERTING` or more, `invariant` whether
        one was broken.
        """
        now = self._now = max(now, self._now)
        wanted = warranted(score, alerting=alerting, invariant=invariant)
        if wanted > self.level:
            self._loud = now
            return self._change(wanted, score)
        if self.level is Level.CALM:
            return None
        bounds = _BOUNDS[self.level]
        if score >= bounds.leave or wanted == self.level:
            self._loud = now
            return None
        if now - self._loud < bounds.hold or not self._may_sink(self.level - 1):
            return None
        self._loud = now
        return self._change(Level(self.level - 1), score)

    def rise(self, now: int, score: float, *, invariant: bool = False) -> Change | None:
        """Take in the worst that is known so far; the level can only rise by it."""
        self._now = max(now, self._now)
        wanted = warranted(score, invariant=invariant)
        if wanted < max(self.level, Level.WATCH):
            return None
        self._loud = self._now
        return self._change(wanted, score) if wanted > self.level else None

    def acknowledge(self, now: int) -> Change | None:
        """Go back to calm by order of an analyst, who has seen what there is; `None` if it is calm, or too often."""
        now = self._now = max(now, self._now)
        if self.level is Level.CALM or not self._may_sink(Level.CALM):
            return None
        return self._change(Level.CALM, 0.0)

    def _may_sink(self, level: int) -> bool:
        """Return whether going down to a level leaves room within the hour for every step up that may follow."""
        recent = sum(self._now - when < _HOUR for when in self._changes)
        return recent + 1 + (Level.CRITICAL - level) <= CHANGES_AN_HOUR

    def _change(self, level: Level, score: float) -> Change:
        self.level = level
        self._changes.append(self._now)
        return Change(self._now, level, score)


def warranted(score: float, *, alerting: int = 0, invariant: bool = False) -> Level:
    """Return the level that a host calls for that stands like this.

    >>> warranted(61.9), warranted(62.0), warranted(62.0, alerting=2), warranted(50.0, invariant=True)
    (<Level.WATCH: 1>, <Level.GUARDED: 2>, <Level.ELEVATED: 3>, <Level.CRITICAL: 4>)
    """
    if invariant:
        return Level.CRITICAL
    level = max((level for level, bounds in _BOUNDS.items() if score >= bounds.enter), default=Level.CALM)
    return max(level, Level.ELEVATED) if alerting >= ALERTING_LINEAGES else level


def of_host(nats: Iterable[float], most: int = OF_HOST) -> float:
    """Return the evidence against a host as a whole, in nats: that any of its `most` worst lineages is an attack.

    The odds are added, so it is the logarithm of a sum of exponentials, and 0 for nobody.
    """
    worst = sorted((value for value in nats if value > 0.0), reverse=True)[:most]
    if not worst:
        return 0.0
    return worst[0] + math.log(math.fsum(math.exp(value - worst[0]) for value in worst))
