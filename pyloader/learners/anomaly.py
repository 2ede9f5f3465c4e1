"""How unlike all that was seen before is this dictionary? Nobody has to label anything.

Two measures are taken. Surprise: minus the log-probability of what the event shows, under a tree of dependences between
its features. Distance: the mean of |x - mean| / deviation over its numbers, which finds what is far out however rare
that region is. Each is brought to a scale of its own latest values, 0 at their median and 1 at their 98 % quantile, and

    score = surprise + min(distance, 2)

so distance can raise what is surprising, and alone it cannot drown it: numbers have heavier tails than one thinks.

Learning is staged. Of unlabelled events the 2 % with the greatest scores are withheld from the baseline, lest an attack
that repeats itself becomes usual; what is more frequent than that is learned in the end, as a change of habits should
be. Who knows an event to be benign says `learn_one(x, False)`, and it is learned in any case.

The score is 0 until something was learned and has no meaning for the first hundreds of events. What the 98 % bring with
them cannot be found: an attack that makes up a tenth of the stream is usual. Single words that are new are surprising,
so features with ever new words (names of temporary files) should be left out or generalised.
"""

import math
from collections import deque
from typing import Final, TypeGuard

from pyloader.learners.dependence import DependenceTree
from pyloader.learners.generations import Generations
from pyloader.learners.literals import Features, word

WITHHELD: Final = 0.02
BURN_IN: Final = 1_000
"""So many events are learned whatever they are."""

FARTHEST: Final = 2.0
RECENT: Final = 1_000

_HIGH: Final = 0.98
_SORTED_AFTER: Final = 50
_LARGEST_STEP: Final = 16
_LARGEST: Final = 1e6
_SLOWEST: Final = 1e-5


class _Scale:
    """A sample of the latest values of a measure: its median, and any quantile that is asked for.

    Of many events it takes one in 16, so that it spans some 16,000: a burst does not move it.
    """

    __slots__ = ("_latest", "_sorted", "_taken", "_wait")

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=RECENT)
        self._sorted: list[float] = []
        self._taken = 0
        self._wait = 0

    def add(self, value: float) -> None:
        self._wait -= 1
        if self._wait > 0:
            return
        self._latest.append(value)
        self._taken += 1
        self._wait = min(_LARGEST_STEP, self._taken // RECENT)
        if self._taken % min(_SORTED_AFTER, len(self._latest)) == 0:
            self._sorted = sorted(self._latest)

    def quantile(self, share: float) -> float:
        return self._sorted[min(len(self._sorted) - 1, int(share * len(self._sorted)))] if self._sorted else 0.0

    def of(self, value: float) -> float:
        """Return a value on the scale on which the median is 0, and the 98 % quantile 1."""
        middle = self.quantile(0.5)
        width = self.quantile(_HIGH) - middle
        return (value - middle) / max(width, 1e-9 + 0.01 * abs(middle))


class AnomalyScorer:
    """Scores dictionaries by how unlike the learned ones they are; about 0 for the usual, from 1 on for the rare.

    >>> scorer = AnomalyScorer(seed=1)
    >>> for number in range(600):
    ...     scorer.learn_one({"exe": "cron", "child": "sh" if number % 3 else "date", "sent": number % 7})
    >>> usual = scorer.score_one({"exe": "cron", "child": "date", "sent": 3})
    >>> rare = scorer.score_one({"exe": "cron", "child": "nc", "sent": 90_000})
    >>> usual < 1.5 < rare
    True
    """

    def __init__(self, *, seed: int) -> None:
        self._tree = DependenceTree(seed)
        self._numbers: Generations[str, list[float]] = Generations()
        self._surprise = _Scale()
        self._distance = _Scale()
        self._total = _Scale()
        self._learned = 0
        self.withheld = 0

    @property
    def evicted(self) -> dict[str, int]:
        """How many counts and features were forgotten, and how many events were withheld."""
        return {"counts": self._tree.evicted, "features": self._numbers.evicted, "withheld": self.withheld}

    def learn_one(self, x: Features, y: bool | None = None) -> None:  # noqa: FBT001 - the convention of river
        """Learn what is usual: all that is known to be benign, nothing known not to be, and of the rest 98 %."""
        surprise, distance = self._measures(x)
        self._surprise.add(surprise)
        self._distance.add(distance)
        total = self._combined(surprise, distance)
        self._total.add(total)
        suspicious = self._learned >= BURN_IN and total > self._total.quantile(1.0 - WITHHELD)
        if y or (y is None and suspicious):
            self.withheld += 1
            return
        self._learned += 1
        self._tree.learn({name: f"{name}={word(x[name])}" for name in sorted(x)})
        for name, value in x.items():
            if _is_number(value):
                self._learn_number(name, _bounded(value))

    def score_one(self, x: Features) -> float:
        """Return how unusual an event is; at most events 0 or little more, and greater without a bound."""
        return self._combined(*self._measures(x)) if self._learned else 0.0

    def explain_one(self, x: Features) -> list[tuple[str, float]]:
        """Return how surprising each feature is, in nats, the most surprising first."""
        found = self._tree.surprises({name: f"{name}={word(x[name])}" for name in sorted(x)})
        return sorted(found.items(), key=lambda one: (-one[1], one[0]))

    def _combined(self, surprise: float, distance: float) -> float:
        return self._surprise.of(surprise) + min(FARTHEST, self._distance.of(distance))

    def _measures(self, x: Features) -> tuple[float, float]:
        """Return the surprise, in nats, and the mean distance, in standard deviations."""
        surprises = self._tree.surprises({name: f"{name}={word(x[name])}" for name in sorted(x)})
        distances = []
        for name in sorted(x):
            value = x[name]
            known = self._numbers.get(name)
            if known is not None and _is_number(value):
                deviation = math.sqrt(known[2]) + 1e-9
                distances.append(min(_LARGEST, abs(_bounded(value) - known[1]) / deviation))
        return sum(surprises.values()), sum(distances) / len(distances) if distances else 0.0

    def _learn_number(self, name: str, value: float) -> None:
        """Move the running mean and variance of a feature (Welford 1962), later ones with a least step."""
        known = self._numbers.kept(name)
        if known is None:
            self._numbers.keep(name, [1.0, value, 0.0])
            return
        known[0] += 1.0
        step = max(1.0 / known[0], _SLOWEST)
        apart = value - known[1]
        known[1] += step * apart
        known[2] = (1.0 - step) * (known[2] + step * apart * apart)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and value == value  # noqa: PLR0124 - NaN is no number


def _bounded(value: float) -> float:
    """Return a number that can be squared, integers of any size as well."""
    return float(min(1e100, max(-1e100, value)))
