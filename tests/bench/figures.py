"""What a bench hands over: named figures, each measured several times."""

import operator
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass


class CannotMeasureError(Exception):
    """This host lacks what a bench needs; the text says what."""


@dataclass(frozen=True)
class Target:
    """What the project wants a figure to be. It is shown beside the figure; missing it fails nothing."""

    sign: str
    bound: float

    def met_by(self, value: float) -> bool:
        """Return whether a value is good enough."""
        return _COMPARISONS[self.sign](value, self.bound)


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {"≤": operator.le, "≥": operator.ge}


def at_most(bound: float) -> Target:
    """Return the target of a figure that should be small."""
    return Target("≤", bound)


def at_least(bound: float) -> Target:
    """Return the target of a figure that should be large."""
    return Target("≥", bound)


@dataclass(frozen=True)
class Figure:
    """One quantity: a value per round."""

    name: str
    unit: str
    values: tuple[float, ...]
    target: Target | None = None

    @property
    def median(self) -> float:
        """The value that stands for all rounds."""
        return statistics.median(self.values)


def figure(name: str, unit: str, values: Iterable[float], target: Target | None = None) -> Figure:
    """Return a figure of the given values."""
    return Figure(name, unit, tuple(values), target)


def ratios(values: Iterable[float], base: Iterable[float]) -> tuple[float, ...]:
    """Return how many times the base each value is, round by round: what disturbed a round disturbed both."""
    return tuple(value / bare for value, bare in zip(values, base, strict=True))


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of all values do not exceed.

    >>> percentile([4, 1, 3, 2], 50)
    2
    """
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]
