"""The scale of threat, 0 to 100.

A score is a return period: `S = 12.5·log10(T)`, where T is the time in seconds in which one sees evidence this strong
once by chance. So once an hour is 44, once a day 62, once a month 80. How long T is on this host is learned
(`calibration`); before anything is learned it is taken as a minute times the odds that the evidence adds up to:
`T = 60·e^Λ`.
"""

import math
from typing import Final

_POINTS_PER_DECADE: Final = 12.5
_POINTS_PER_NAT: Final = _POINTS_PER_DECADE / math.log(10.0)

PRIOR_PERIOD: Final = 60.0
"""How often, in seconds, ordinary work gives some evidence, before this host has taught that."""

MAXIMUM: Final = 100.0
DAY: Final = 86_400.0

_UNITS: Final = ((365.25 * DAY, "year"), (DAY, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def score_of(log_period: float) -> float:
    """Return the score, 0 to 100 with one decimal, of the natural logarithm of a return period in seconds.

    >>> score_of(math.log(DAY)), score_of(math.log(3_600)), score_of(1000.0), score_of(-3.0)
    (61.7, 44.5, 100.0, 0.0)
    """
    points = _POINTS_PER_NAT * log_period
    if points >= MAXIMUM:
        return MAXIMUM
    return round(points, 1) if points > 0.0 else 0.0


def score(nats: float) -> float:
    """Return the score of combined evidence in nats on a host that has taught nothing yet.

    >>> score(0.0), score(7.33), score(100.0)
    (22.2, 62.0, 100.0)
    """
    return score_of(_LOG_PRIOR_PERIOD + nats)


def nats_for(points: float) -> float:
    """Return the evidence in nats that gives a score on a host that has taught nothing yet."""
    return points / _POINTS_PER_NAT - _LOG_PRIOR_PERIOD


def threshold_for(alerts_a_day: float) -> float:
    """Return the score that ordinary work is to reach so often a day.

    >>> round(threshold_for(1.0), 1), round(threshold_for(10.0), 1)
    (61.7, 49.2)
    """
    return min(MAXIMUM, max(0.0, _POINTS_PER_DECADE * math.log10(DAY / alerts_a_day)))


def in_words(period: float) -> str:
    """Return a return period in seconds in words.

    >>> in_words(3 * DAY), in_words(90.0), in_words(1e12)
    ('about once in 3 days', 'about once a minute', 'less than once in 10 years')
    """
    largest, name = _UNITS[0]
    if period >= 10 * largest:
        return f"less than once in 10 {name}s"
    for length, name in _UNITS:
        count = math.floor(period / length + 0.25)
        if count >= 1:
            return (
                f"about once in {count} {name}s"
                if count > 1
                else f"about once {'an' if name == 'hour' else 'a'} {name}"
            )
    return "more than once a second"


_LOG_PRIOR_PERIOD: Final = math.log(PRIOR_PERIOD)

CALM: Final = score(0.0)
"""The score of whatever has no evidence."""
