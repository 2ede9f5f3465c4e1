"""Logistic regression on sparse features, learned one event at a time.

The margin is z = b + Σ w_i·x_i. The loss -ln s(±z), with s(z) = 1 / (1 + e^-z), is convex in w: there is one best w,
and gradient steps go towards it. Each weight has a step of its own (AdaGrad; Duchi, Hazan and Singer, JMLR 12, 2011):

    g_i = (s(z) - y)·x_i + λ·w_i        w_i -= η·g_i / √(ε + Σ g_i²)

So what is seen rarely still moves far, which suits literals. Weights are kept within ±`LARGEST`.
"""

import math
from collections.abc import Hashable, Mapping
from typing import Final, Generic, TypeVar

from pyloader.learners.generations import CAPACITY, Generations

LARGEST: Final = 6.0
"""No weight goes beyond, in nats for a feature of 1."""

_FIRST: Final = 0.1
_MOST: Final = 35.0

K = TypeVar("K", bound=Hashable)


def sigmoid(nats: float) -> float:
    """Return the probability of log-odds.

    >>> sigmoid(0.0), sigmoid(-1e9) < 1e-15
    (0.5, True)
    """
    return 1.0 / (1.0 + math.exp(-min(_MOST, max(-_MOST, nats))))


class LogisticRegression(Generic[K]):
    """Weights by feature, at most `capacity` in each of two generations; `evicted` counts those that were forgotten.

    `prior` gives the features named there a weight to start with, and to shrink to, instead of 0; `bias` is what the
    margin starts with.
    """

    __slots__ = ("_bias", "_weights", "prior", "rate", "shrink")

    def __init__(
        self,
        *,
        bias: float = 0.0,
        prior: Mapping[K, float] | None = None,
        rate: float = 0.3,
        shrink: float = 1e-4,
        capacity: int = CAPACITY,
    ) -> None:
        self.rate = rate
        self.shrink = shrink
        self.prior = dict(prior or {})
        self._bias = [bias, _FIRST]
        self._weights: Generations[K, list[float]] = Generations(capacity)

    @property
    def evicted(self) -> int:
        """How many weights were forgotten."""
        return self._weights.evicted

    def weight(self, feature: K) -> float:
        """Return the weight of a feature, in nats for a value of 1."""
        cell = self._weights.get(feature)
        return cell[0] if cell is not None else self.prior.get(feature, 0.0)

    def margin(self, features: Mapping[K, float]) -> float:
        """Return the log-odds, in nats, of an event with these features. Nothing changes by asking."""
        weight = self.weight
        return self._bias[0] + sum([value * weight(feature) for feature, value in features.items()])

    def learn(self, features: Mapping[K, float], *, positive: bool, weight: float = 1.0) -> None:
        """Take a step towards a label that counts `weight` times."""
        error = weight * (sigmoid(self.margin(features)) - positive)
        _step(self._bias, error, self.rate)
        for feature, value in features.items():
            start = self.prior.get(feature, 0.0)
            cell = self._weights.kept(feature)
            if cell is None:
                cell = [start, _FIRST]
                self._weights.keep(feature, cell)
            _step(cell, error * value + self.shrink * (cell[0] - start), self.rate)


def _step(cell: list[float], gradient: float, rate: float) -> None:
    """Move a weight, which stands in `cell` before the sum of its squared gradients."""
    cell[1] += gradient * gradient
    cell[0] = min(LARGEST, max(-LARGEST, cell[0] - rate * gradient / math.sqrt(cell[1])))
