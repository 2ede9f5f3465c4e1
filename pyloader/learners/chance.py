"""Chance that can be repeated: a generator of pseudo-random numbers whose whole state is one integer.

SplitMix64 of Steele, Lea and Flood ("Fast splittable pseudorandom number generators", OOPSLA 2014). It is for choices
that shall be the same for the same seed, and keeps no secret.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

_STEP: Final = 0x9E3779B97F4A7C15
_FIRST: Final = 0xBF58476D1CE4E5B9
_SECOND: Final = 0x94D049BB133111EB
_MASK: Final = 2**64 - 1

T = TypeVar("T")


class Chance:
    """Draws numbers; `state` is all that it remembers.

    >>> chance = Chance(7)
    >>> [chance.below(6) for _ in range(5)]
    [2, 0, 5, 3, 2]
    """

    __slots__ = ("state",)

    def __init__(self, seed: int) -> None:
        self.state = seed & _MASK

    def bits(self) -> int:
        """Return 64 random bits."""
        self.state = (self.state + _STEP) & _MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * _FIRST) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * _SECOND) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, bound: int) -> int:
        """Return a number from 0 to `bound` - 1, for bounds far below 2^64."""
        return (self.bits() * bound) >> 64

    def share(self) -> float:
        """Return a number from 0 to less than 1."""
        return (self.bits() >> 11) * 2.0**-53

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices, of which there is at least one."""
        return choices[self.below(len(choices))]

    def weighed(self, weights: Sequence[float]) -> int:
        """Return an index with a probability in proportion to its weight; weights are not negative, not all zero."""
        left = self.share() * sum(weights)
        for index, weight in enumerate(weights):
            left -= weight
            if left < 0.0:
                return index
        return len(weights) - 1
