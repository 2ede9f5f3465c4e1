"""Has a rate gone up? A one-sided CUSUM on the logarithm of counts.

Counts of traffic are burstier than a Poisson process, so a test that took them for one would be sure of itself at every
burst. Here the logarithm of the ratio to the usual count, z = ln((x + f) / (λ + f)), is taken for normal with a
standard deviation s that is learned. The floor f is the count that is nothing to speak of, whatever is usual. The test
for a shift by δ = ln 3 adds, for every interval,

    S <- max(0, S + min(δ·(z - δ/2) / s², MOST))

in nats. As an e-detector (Shin, Ramdas and Rinaldo, 2022) it reaches h by chance once in e^h intervals at most:
14.2 once in two weeks.
"""

import math
from typing import Final

RATIO: Final = 3.0
"""The smallest rise that is looked for."""

MOST: Final = 7.5
"""What one interval can add, in nats: one interval alone is an accident."""

HIGHEST: Final = 22.0
"""S grows no further, so that a flood that is over is soon forgotten."""

FROZEN_FROM: Final = 1.0
"""From this level on, in nats, what is usual is not learned: a flood is not to become usual."""

_SHIFT: Final = math.log(RATIO)
_NARROWEST: Final = 0.6
_WIDEST: Final = 1.5
_HALF_LIFE: Final = 3600.0
_RATE: Final = 1 - 0.5 ** (1 / _HALF_LIFE)
_FIRST: Final = 60
"""What is taken for usual at first counts as much as so many intervals."""

_GROWTH: Final = 1.5 ** (1 / 86_400)
"""The usual count can grow by half in a day: a slow ramp does not make a flood usual."""

_ROOM: Final = 1.5
_SETTLED: Final = 600
"""The bound on that growth is set after so many intervals, so much above what was usual in them."""


class LogCusum:
    """The usual count of one kind, and how far above it the counts are. Intervals are a second each.

    `level` is S in nats, `usual` is λ, `deviation` is s. The first count is taken for usual up to `trusted`: there is
    no other, and the sensor may start in a flood.
    """

    __slots__ = ("_bound", "_seen", "_variance", "deviation", "floor", "level", "trusted", "usual")

    def __init__(self, floor: float, trusted: float = 0.0) -> None:
        self.floor = floor
        self.trusted = trusted
        self.level = 0.0
        self.usual = 0.0
        self.deviation = _NARROWEST
        self._variance = _NARROWEST**2
        self._bound = 0.0
        self._seen = 0

    def count(self, number: float, *, learn: bool = True) -> float:
        """Enter the count of one interval and return the level in nats; `learn` is whether it says what is usual."""
        if not self._seen:
            self.usual = min(number, self.trusted)
            self._bound = math.inf
        ratio = math.log((number + self.floor) / (self.usual + self.floor))
        gain = _SHIFT * (ratio - _SHIFT / 2) / self._variance
        self.level = min(HIGHEST, max(0.0, self.level + min(gain, MOST)))
        if learn and self.level < MOST:
            self._learn(number, ratio)
        return self.level

    def _learn(self, number: float, ratio: float) -> None:
        """Learn the spread from bursts, too, lest every burst be a surprise; what is usual only from quiet times."""
        self._seen += 1
        self._bound = _ROOM * (self.usual + self.floor) if self._seen < _SETTLED else self._bound * _GROWTH
        weight = max(_RATE, 1 / (self._seen + _FIRST))
        if self.level < FROZEN_FROM:
            self.usual = min(self.usual + weight * (number - self.usual), self._bound)
        variance = self._variance + weight * (ratio * ratio - self._variance)
        self._variance = min(_WIDEST**2, max(_NARROWEST**2, variance))
        self.deviation = math.sqrt(self._variance)
