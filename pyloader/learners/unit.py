"""One unit of a population: a conjunction of literals, what it has seen, and how strongly it speaks.

The weight of a unit is the smaller of two estimates of its log likelihood-ratio. One is generative: how often it is
awake among the positives against how often in the background, which is all of the unlabelled stream. The other is
discriminative: how its own labels differ from those of everybody. With the decayed labels n1 and n0 of the unit, N1
and N0 of its population, its background activations a out of A, and the prior p = (N1 + ½) / (N1 + N0 + 1):

    llr = min( ln((n1 + .02) / (N1 + 1)) - ln((a + .5) / (A + 1)),  logit((n1 + p) / (n1 + n0 + 1)) - logit(p) )

The first needs few labels, because the background is counted without any; the second keeps a unit silent that was
never confirmed, and silences one that was denied. It is clipped to 0 to 4 nats.
"""

import math
from collections.abc import Collection
from enum import StrEnum
from typing import Final, NamedTuple

STRONGEST: Final = 4.0
"""No unit weighs more, in nats."""

_POSITIVE_FLOOR: Final = 0.02
_BACKGROUND_FLOOR: Final = 0.5


class Origin(StrEnum):
    """How a unit came to be."""

    INNATE = "innate"
    COVERING = "covering"
    INTERSECTION = "intersection"
    MUTATION = "mutation"
    SURPRISE = "surprise"


class Conjunction(NamedTuple):
    """An innate unit as its author writes it: one to three literals "feature=value", its weight, and what it means."""

    literals: tuple[str, ...]
    llr: float
    sentence: str


class UnitDescription(NamedTuple):
    """A unit for those who read an explanation.

    `positives` and `negatives` are its labels and `activations` those in the background, `background` being all that
    was seen there; all are decayed counts. `birth` is the generation in which it was born.
    """

    literals: tuple[str, ...]
    sentence: str
    llr: float
    positives: float
    negatives: float
    activations: float
    background: float
    origin: Origin
    parent: int | None
    birth: int


class Unit:
    """A conjunction of literals, rarest first, with its decayed counts; `floor` is the weight it was born with (nats).

    `seen` counts background activations that are not yet in `background`; `utility` sums the log-loss that it saved
    when it was awake (nats); `adult` units have proved themselves.
    """

    __slots__ = (
        "adult",
        "background",
        "birth",
        "floor",
        "identity",
        "literals",
        "llr",
        "needed",
        "negatives",
        "origin",
        "parent",
        "positives",
        "seen",
        "sentence",
        "utility",
    )

    def __init__(
        self,
        identity: int,
        literals: tuple[str, ...],
        *,
        origin: Origin,
        birth: int = 0,
        parent: int | None = None,
        floor: float = 0.0,
        sentence: str = "",
    ) -> None:
        self.identity = identity
        self.literals = literals
        self.needed = frozenset(literals)
        self.origin = origin
        self.birth = birth
        self.parent = parent
        self.floor = floor
        self.sentence = sentence
        self.llr = floor
        self.adult = origin is Origin.INNATE
        self.positives = 0.0
        self.negatives = 0.0
        self.background = 0.0
        self.seen = 0
        self.utility = 0.0

    def matches(self, literals: Collection[str]) -> bool:
        """Return whether all literals of the unit are among these."""
        return self.needed.issubset(literals)

    def weigh(self, positives: float, negatives: float, background: float) -> None:
        """Compute the weight anew from the totals N1, N0 and A of the population."""
        self.llr = max(
            self.floor,
            weight(self.positives, self.negatives, self.background, Totals(positives, negatives, background)),
        )


class Totals(NamedTuple):
    """The decayed counts of a whole population: labels by sign, and background events."""

    positives: float
    negatives: float
    background: float

    @property
    def prior(self) -> float:
        """The probability that a label is positive, 0 to 1."""
        return (self.positives + 0.5) / (self.positives + self.negatives + 1.0)


def weight(positives: float, negatives: float, background: float, totals: Totals) -> float:
    """Return the log likelihood-ratio of a unit with these counts, 0 to `STRONGEST` nats.

    >>> round(weight(2, 1, 10, Totals(20, 200, 100_000)), 2), weight(0, 0, 0, Totals(20, 200, 100_000))
    (2.37, 0.0)
    """
    if positives <= 0.0:
        return 0.0
    generative = math.log(
        (positives + _POSITIVE_FLOOR)
        * (totals.background + 1.0)
        / ((totals.positives + 1.0) * (background + _BACKGROUND_FLOOR))
    )
    prior = totals.prior
    # logit((n1 + p) / (n1 + n0 + 1)) is the log of (n1 + p) / (n0 + 1 - p).
    discriminative = math.log((positives + prior) * (1.0 - prior) / ((negatives + 1.0 - prior) * prior))
    return min(STRONGEST, max(0.0, min(generative, discriminative)))
