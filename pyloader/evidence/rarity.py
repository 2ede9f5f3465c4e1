"""How surprising is something new, given how often this program does something new?

The probability that the next thing is one never seen before is about the share of things seen only once among all that
were seen (Good 1953; the escape of Witten and Bell, 1991):

    p = (N1 + 1) / (N + 2)

So a program that has talked to one peer ten thousand times is expected to go on, and a browser is expected to meet new
peers all day. As evidence a probability becomes -ln 2 - ½·ln p nats, which is a calibrated bet against chance
(Vovk and Wang, 2021). What was seen counts half after `HALF_LIFE_NS`.
"""

import math
from collections.abc import Hashable
from itertools import islice
from typing import Any, ClassVar, Final, Generic, TypeVar

LEAST_SEEN: Final = 20
"""Before so many things were seen nothing is surprising."""

SURPRISING: Final = 0.01
CAP: Final = 4.0
"""Whatever is merely new weighs at most that, in nats."""

SYMBOLS: Final = 256
HALF_LIFE_NS: Final = 14 * 86_400 * 1_000_000_000
FADES_EVERY_NS: Final = HALF_LIFE_NS // 28
"""What was seen fades in steps of half a day, each when its context is next asked for."""

_FORGOTTEN: Final = 0.05
_MAKES_ROOM_FOR: Final = SYMBOLS // 4

_EMPTY: Final[dict[Any, float]] = {}
"""Nothing is ever written into it."""

K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=Hashable)


def surprise(probability: float) -> float:
    """Return the weight in nats, 0 to `CAP`, of what happens with this probability (0 to 1).

    >>> round(surprise(1e-4), 2), surprise(0.5)
    (3.91, 0.0)
    """
    return min(CAP, max(0.0, -math.log(2) - 0.5 * math.log(probability)))


class Experience(Generic[S]):
    """What one context has shown: at most `SYMBOLS` different things, of which the oldest single ones leave first.

    `seen` is N, and `since` when it last faded (ns, wall clock). What left stays in N and, if it was single, in N1: it
    was seen, and once.
    """

    __slots__ = ("_often", "_once", "_singles", "seen", "since")

    def __init__(self, since: int = 0) -> None:
        # Most contexts have shown one thing only: what is empty has no dictionary of its own.
        self._once: dict[S, float] = _EMPTY
        self._often: dict[S, float] = _EMPTY
        self._singles = 0.0
        self.seen = 0.0
        self.since = since

    def __contains__(self, symbol: S) -> bool:
        return symbol in self._often or symbol in self._once

    def __len__(self) -> int:
        return len(self._often) + len(self._once)

    def of(self, symbol: S) -> float:
        """Return how often something was seen."""
        return self._often.get(symbol) or self._once.get(symbol, 0.0)

    def new(self) -> float:
        """Return the probability (0 to 1) that the next thing is a new one."""
        return (self._singles + 1) / (self.seen + 2)

    def weight(self, symbol: S, share: float = 1.0) -> float:
        """Return how surprising something is now, in nats from 0 to `CAP`; 0 for what was seen before.

        `share` is what else to multiply the probability by: how likely something new is as strange as this elsewhere as
        well, or in how many contexts it could have surprised.
        """
        if self.seen < LEAST_SEEN or symbol in self._often or symbol in self._once:
            return 0.0
        probability = self.new() * share
        return surprise(probability) if probability < SURPRISING else 0.0

    def again(self, symbol: S) -> bool:
        """Count something once more if it was seen before, and return whether it was."""
        often = self._often
        if symbol in often:
            self.seen += 1.0
            often[symbol] += 1.0
            return True
        return symbol in self._once and not self.learn(symbol)

    def learn(self, symbol: S, times: float = 1.0) -> bool:
        """Count something that was seen so many times; return whether it is new."""
        self.seen += times
        often, once = self._often, self._once
        if symbol in often:
            often[symbol] += times
            return False
        before = once.pop(symbol, 0.0)
        if before == 0.0 and len(often) + len(once) >= SYMBOLS:
            self._make_room()
        if before or times > 1.0:
            self._singles -= before
            if often:
                often[symbol] = before + times
            else:
                self._often = {symbol: before + times}
        else:
            self._singles += times
            if once:
                once[symbol] = times
            else:
                self._once = {symbol: times}
        return before == 0.0

    def forget(self, symbol: S) -> None:
        """Take back all that was counted of something."""
        once = self._once.pop(symbol, 0.0)
        self._singles -= once
        self.seen -= once + self._often.pop(symbol, 0.0)

    def fade(self, wall: int) -> None:
        """Let older things count less, so that what a program did long ago does not rule for ever."""
        age = wall - self.since
        if age < FADES_EVERY_NS:
            return
        factor = 0.5 ** (age / HALF_LIFE_NS)
        self.since = wall
        self.seen *= factor
        self._singles *= factor
        self._once = _faded(self._once, factor)
        self._often = _faded(self._often, factor)

    def _make_room(self) -> None:
        """Let go of a quarter: the oldest singles, or else what was seen least."""
        for symbol in list(islice(self._once, _MAKES_ROOM_FOR)):
            del self._once[symbol]
        too_many = len(self) - (SYMBOLS - _MAKES_ROOM_FOR)
        for symbol in sorted(self._often, key=self._often.__getitem__)[: max(0, too_many)]:
            del self._often[symbol]


def _faded(counts: dict[S, float], factor: float) -> dict[S, float]:
    return {symbol: count * factor for symbol, count in counts.items() if count * factor >= _FORGOTTEN} or _EMPTY


class Experiences(Generic[K, S]):
    """Experiences by context, in two generations of `capacity` contexts and `room` things each.

    `evicted` counts those that were forgotten.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"room"})

    def __init__(self, capacity: int = 2_048, room: int = 32_768) -> None:
        self.capacity = capacity
        self.room = room
        self.evicted = 0
        self._young: dict[K, Experience[S]] = {}
        self._old: dict[K, Experience[S]] = {}
        self._things = 0

    def of(self, context: K, wall: int = 0) -> Experience[S]:
        """Return the experience of a context as it stands now (ns, wall clock); it is empty if it is new."""
        known = self._young.get(context)
        if known is None:
            known = self._old.pop(context, None) or Experience(wall)
            if len(self._young) >= self.capacity or self._things >= self.room:
                self.evicted += len(self._old)
                self._old, self._young = self._young, {}
                self._things = 0
            self._young[context] = known
            self._things += len(known)
        if wall - known.since >= FADES_EVERY_NS:
            known.fade(wall)
        return known

    def learn(self, context: K, symbol: S, times: float, wall: int) -> None:
        """Count something that a context has shown so many times."""
        self._things += self.of(context, wall).learn(symbol, times)

    def add(self, known: Experience[S], symbol: S) -> None:
        """Count something that a context, of which this is the experience, has shown."""
        self._things += known.learn(symbol)
