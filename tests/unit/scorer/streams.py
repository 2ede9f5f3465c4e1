"""Made-up streams of ordinary episodes, to see whether the scale means what it says."""

import math
import random
from collections.abc import Callable, Iterator

from pyloader.scorer import Tail
from pyloader.scorer.scale import score_of, threshold_for

SECOND = 1_000_000_000
DAY = 86_400
MIDNIGHT = 1_700_006_400 * SECOND
"""A midnight in UTC (wall-clock ns)."""

ALERTING = 62.0
"""From here on an episode waits a day before it is learned."""

Draw = Callable[[random.Random], float]
"""Gives the strongest evidence of an episode, in nats."""


def _mixture(chance: random.Random, rare: float, from_nats: float) -> float:
    return from_nats + chance.expovariate(1.5) if chance.random() < rare else chance.expovariate(1.0)


SHAPES: dict[str, Draw] = {
    "exponential": lambda chance: chance.expovariate(1.0),
    "light": lambda chance: chance.expovariate(2.0),
    "heavy": lambda chance: chance.expovariate(0.5),
    "gamma": lambda chance: chance.gammavariate(2.0, 0.8),
    "lognormal": lambda chance: chance.lognormvariate(0.3, 0.6),
    "long tail": lambda chance: chance.lognormvariate(0.0, 0.9),
    "two kinds": lambda chance: _mixture(chance, 0.02, 4.0),
    "a rare kind": lambda chance: _mixture(chance, 0.004, 5.0),
}

STEPS: Draw = lambda chance: chance.choices((1.0, 2.0, 3.1, 4.0, 5.0, 6.5), (50, 30, 12, 5, 2.6, 0.4))[0]  # noqa: E731
"""Strengths as a catalogue of techniques gives them: many episodes are equally strong."""


def times(rate: float, days: float, chance: random.Random, *, diurnal: bool) -> Iterator[float]:
    """Yield when episodes close, in seconds; in the afternoon there are many more than in the night, if `diurnal`."""
    now = 0.0
    while True:
        now += chance.expovariate(rate * (2.0 if diurnal else 1.0) / DAY)
        if now >= days * DAY:
            return
        if not diurnal or chance.random() < 0.5 + 0.45 * math.sin((now / DAY - 0.4) * 2.0 * math.pi):
            yield now


def alerts_a_day(
    draw: Draw, seed: int, *, rate: float, learned: int = 14, days: int = 56, diurnal: bool = False
) -> list[float]:
    """Return how often a day ordinary work would alert at ten times a day, once a day and once a week.

    So many days are learned before, and all days after are learned as they go.
    """
    chance = random.Random(seed)
    tail, last = Tail(), MIDNIGHT
    thresholds = [threshold_for(wanted) for wanted in (10.0, 1.0, 1.0 / 7.0)]
    alerts = [0, 0, 0]
    for number, seconds in enumerate(times(rate, learned + days, chance, diurnal=diurnal)):
        now, nats = MIDNIGHT + round(seconds * SECOND), draw(chance)
        tail.watched(last, now)
        last = now
        score = score_of(tail.log_period(nats))
        if seconds >= learned * DAY:
            alerts = [count + (score >= threshold) for count, threshold in zip(alerts, thresholds, strict=True)]
        if score >= ALERTING:
            tail.learn_later(str(number), nats, now)
        else:
            tail.learn_one(nats, now)
    return [count / days for count in alerts]
