"""The scale of threat, 0 to 100.

A score is a return period: `S = 12.5·log10(T)`, where T is the time in seconds in which one sees evidence this strong
once by chance. Until a host has learned its own tail, T is taken as a minute times the odds that the evidence adds up
to: `T = 60·e^Λ`. So no evidence at all gives 22, once a day 62, once a month 80.
"""

import math

_POINTS_PER_DECADE = 12.5
_BASE_POINTS = _POINTS_PER_DECADE * math.log10(60.0)
_POINTS_PER_NAT = _POINTS_PER_DECADE / math.log(10.0)

MAXIMUM = 100.0


def score(nats: float) -> float:
    """Return the score, 0 to 100 with one decimal, of combined evidence in nats.

    >>> score(0.0), score(7.33), score(100.0)
    (22.2, 62.0, 100.0)
    """
    points = _BASE_POINTS + _POINTS_PER_NAT * nats
    if points >= MAXIMUM:
        return MAXIMUM
    return round(points, 1) if points > 0.0 else 0.0


def nats_for(points: float) -> float:
    """Return the evidence in nats that gives a score."""
    return (points - _BASE_POINTS) / _POINTS_PER_NAT


CALM = score(0.0)
"""The score of whatever has no evidence."""
