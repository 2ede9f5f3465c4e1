"""How surprising is something new, given how often this program does something new?

The probability that the next thing is one never seen before is about the share of things seen only once among all that
were seen (Good 1953; the escape of Witten and Bell, 1991):

    p = (N1 + 1) / (N + 2)

So a program that has talked to one peer ten thousand times is expected to go on, and a browser is expected to meet new
peers all day. As evidence a probability becomes -ln 2 - ½·ln p nats, which is a calibrated bet against chance
(Vovk and Wang, 2021).
"""

import math
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

LEAST_SEEN: Final = 20
"""Before so many things were seen nothing is surprising."""

SURPRISING: Final = 0.01
CAP: Final = 4.0
"""Whatever is merely new weighs at most that, in nats."""

SYMBOLS: Final = 256
_HALVED_AT: Final = 10_000

K = TypeVar("K", bound=Hashable)
S = TypeVar("S", bound=Hashable)


def surprise(probability: float) -> float:
    """Return the weight in nats, 0 to `CAP`, of what happens with this probability (0 to 1).

    >>> round(surprise(1e-4), 2), surprise(0.5)
    (3.91, 0.0)
    """
    return min(CAP, max(0.0, -math.log(2) - 0.5 * math.log(probability)))


class Experience(Generic[S]):
    """What one context has shown: at most `SYMBOLS` different things, of which the oldest single one leaves first."""

    __slots__ = ("_counts", "_singles", "seen")

    def __init__(self) -> None:
        self._counts: dict[S, int] = {}
        self._singles = 0
        self.seen = 0

    def __contains__(self, symbol: S) -> bool:
        return symbol in self._counts

    def of(self, symbol: S) -> int:
        """Return how often something was seen."""
        return self._counts.get(symbol, 0)

    def new(self) -> float:
        """Return the probability (0 to 1) that the next thing is a new one."""
        return (self._singles + 1) / (self.seen + 2)

    def weight(self, symbol: S) -> float:
        """Return how surprising something is now, in nats from 0 to `CAP`; 0 for what was seen before."""
        if symbol in self._counts or self.seen < LEAST_SEEN:
            return 0.0
        probability = self.new()
        return surprise(probability) if probability < SURPRISING else 0.0

    def learn(self, symbol: S) -> None:
        """Count something that was seen."""
        count = self._counts.get(symbol, 0)
        if count == 0:
            if len(self._counts) >= SYMBOLS:
                self._forget()
            self._singles += 1
        elif count == 1:
            self._singles -= 1
        self._counts[symbol] = count + 1
        self.seen += 1
        if self.seen >= _HALVED_AT:
            self._halve()

    def _forget(self) -> None:
        """Let go of the oldest among the things that were seen least. It stays in `seen`: something was seen."""
        victim = min(self._counts, key=self._counts.__getitem__)
        self._singles -= self._counts.pop(victim) == 1

    def _halve(self) -> None:
        """Let older things count half, so that what a program did long ago does not rule for ever."""
        self._counts = {symbol: (count + 1) // 2 for symbol, count in self._counts.items()}
        self._singles = sum(count == 1 for count in self._counts.values())
        self.seen //= 2


class Experiences(Generic[K, S]):
    """Experiences by context, in two generations of `capacity` each; `evicted` counts those that were forgotten."""

    def __init__(self, capacity: int = 2_048) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._young: dict[K, Experience[S]] = {}
        self._old: dict[K, Experience[S]] = {}

    def of(self, context: K) -> Experience[S]:
        """Return the experience of a context, which is empty if it is new."""
        known = self._young.get(context)
        if known is None:
            known = self._old.pop(context, None) or Experience()
            if len(self._young) >= self.capacity:
                self.evicted += len(self._old)
                self._old, self._young = self._young, {}
            self._young[context] = known
        return known
