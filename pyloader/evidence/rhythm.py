"""How regular is a row of intervals? Two statistics, and how often chance gives the like.

    MADM  = 1 - median|x - m| / m, with m the median        1 for a clock; bears missed and extra contacts
    Moran = ln(mean x) - mean(ln x)                         0 for a clock; bears any jitter that is even

The second is the likelihood ratio statistic of a gamma distribution against an exponential one (Moran, 1951). What
chance gives was measured on a mixture in equal parts of ordinary behaviour: exponential, hyper-exponential (four in
five twenty times faster), log-normal (deviation 1.3) and gamma (shape 2) intervals, and bursts of sessions; 200,000
rows of each length.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

FEWEST: Final = 11
"""Fewer intervals are no rhythm."""

LEAST_CHANCE: Final = 1e-5
"""Beyond what was measured by a factor of ten; less is not claimed."""

_CHANCES: Final = (0.1, 0.01, 0.001, 0.0001)
_LENGTHS: Final = (11, 15, 23, 31)
_MADM: Final = (
    (0.646, 0.809, 0.889, 0.935),
    (0.603, 0.761, 0.844, 0.895),
    (0.562, 0.708, 0.786, 0.834),
    (0.544, 0.676, 0.750, 0.796),
)
_MORAN: Final = (
    (0.2126, 0.0959, 0.0531, 0.0342),
    (0.2327, 0.1176, 0.0723, 0.0492),
    (0.2494, 0.1465, 0.1023, 0.0751),
    (0.2561, 0.1619, 0.1220, 0.0944),
)
"""The values that chance reaches with each of `_CHANCES`, for each of `_LENGTHS`."""


class Rhythm(NamedTuple):
    """How regular a row is.

    `period` is its median (in the unit of the intervals), `spread` the typical deviation from it as a share of it, and
    `chance` how often ordinary behaviour looks as regular (0 to 1).
    """

    period: float
    spread: float
    chance: float


def madm(values: Sequence[float]) -> float:
    """Return one minus the median absolute deviation in units of the median; 0 where the median is 0.

    >>> madm([9.0, 10.0, 10.0, 11.0, 30.0])
    0.9
    """
    middle = median(values)
    if middle <= 0:
        return 0.0
    return 1 - median([abs(value - middle) for value in values]) / middle


def moran(values: Sequence[float]) -> float:
    """Return the logarithm of the arithmetic over the geometric mean of positive values, at least 0."""
    mean = math.fsum(values) / len(values)
    return max(0.0, math.log(mean) - math.fsum(map(math.log, values)) / len(values))


def rhythm(intervals: Sequence[float]) -> Rhythm:
    """Return how regular positive intervals are, of which there are at least `FEWEST`."""
    count = len(intervals)
    steady = madm(intervals)
    by_median = _chance([-value for value in _row(_MADM, count)], -steady)
    by_means = _chance(_row(_MORAN, count), moran(intervals))
    chance = min(1.0, max(LEAST_CHANCE, 2 * min(by_median, by_means)))
    return Rhythm(median(intervals), 1 - steady, chance)


def median(values: Sequence[float]) -> float:
    """Return the median of at least one value.

    >>> median([3.0, 1.0, 2.0]), median([1.0, 2.0])
    (2.0, 1.5)
    """
    ranked = sorted(values)
    count = len(ranked)
    return (ranked[count // 2] + ranked[(count - 1) // 2]) / 2


def _row(table: tuple[tuple[float, ...], ...], count: int) -> list[float]:
    """Return the quantiles for a length, between those that were measured."""
    if count >= _LENGTHS[-1]:
        return list(table[-1])
    upper = next(index for index, length in enumerate(_LENGTHS) if length > count)
    if upper == 0:
        return list(table[0])
    low, high = _LENGTHS[upper - 1], _LENGTHS[upper]
    share = (count - low) / (high - low)
    return [a + share * (b - a) for a, b in zip(table[upper - 1], table[upper], strict=True)]


def _chance(quantiles: Sequence[float], value: float) -> float:
    """Return how often chance gives at most `value`, by straight lines through the logarithms; 1 above the largest."""
    if value > quantiles[0]:
        return 1.0
    last = len(quantiles) - 2
    for index in range(last + 1):
        upper, lower = quantiles[index], quantiles[index + 1]
        if value >= lower or index == last:
            decades = (upper - value) / (upper - lower)
            return float(_CHANCES[index] * 0.1**decades)
    raise AssertionError
