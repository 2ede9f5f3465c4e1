"""A population of units: who is awake at an event, what they vote together, and what labels do to them.

Active units are found through an index on the rarest literal of each unit, so a unit costs nothing at events without
that literal. The units of one population are dependent, they tell of the same thing in several ways; so the strongest
counts fully and the next three count .35, .12 and .04 of their weight.
"""

import math
from collections import deque
from collections.abc import Sequence
from typing import Final

from pyloader.learners.reservoir import Literals, Reservoir
from pyloader.learners.unit import Conjunction, Origin, Totals, Unit, UnitDescription

INNATE: Final = 12
LEARNED: Final = 68
JUVENILE: Final = 20
DISCOUNTS: Final = (1.0, 0.35, 0.12, 0.04)
STRONGEST_VOTE: Final = 4.0
BINS: Final = (0.5, 1.5, 3.0)
"""Where the vote is cut for re-entry, in nats."""

MISSED: Final = 1.0
"""A positive is missed by a population that votes less than that, in nats."""

REMEMBERED_LABELS: Final = 512
LEAST_REMEMBERED: Final = 0.3
"""Value signals weaker than that change the counts, but are no examples to breed from, and wait for a generation."""

LABEL_MEMORY: Final = 4_000.0
BACKGROUND_MEMORY: Final = 400_000.0
"""After so many labels, or background events, older ones count half."""

_FRESH: Final = 64


class Response:
    """What a population answers: its `vote` (nats, 0 to 4), the awake `units` strongest first, and the `bin`, 0 to 3.

    It is shared and must not be changed.
    """

    __slots__ = ("bin", "units", "vote")

    def __init__(self, vote: float, units: tuple[int, ...]) -> None:
        self.vote = vote
        self.units = units
        self.bin = sum(vote >= cut for cut in BINS)


class Population:
    """Up to 100 units of one group, and what they learn from.

    `labelled` are the latest strong value signals, `missed` the positives among them that nobody spoke for, `fresh` the
    latest signatures that were not remembered; `reservoir` is a sample of the unlabelled stream.
    """

    __slots__ = (
        "_index",
        "background",
        "fresh",
        "generations",
        "labelled",
        "missed",
        "negatives",
        "positives",
        "reservoir",
        "rewards",
        "seen",
        "taught",
        "units",
        "version",
    )

    def __init__(self, innate: Sequence[Conjunction], first: int, seed: int) -> None:
        self.units = [
            Unit(
                first + number,
                conjunction.literals,
                origin=Origin.INNATE,
                floor=conjunction.llr,
                sentence=conjunction[2],
            )
            for number, conjunction in enumerate(innate)
        ]
        self.positives = 0.0
        self.negatives = 0.0
        self.background = 0.0
        self.seen = 0
        self.rewards = 0
        self.taught = False
        """Whether a strong value signal came since the last generation."""
        self.generations = 0
        self.version = 0
        self.reservoir = Reservoir(seed)
        self.labelled: deque[tuple[Literals, float]] = deque(maxlen=REMEMBERED_LABELS)
        self.missed: deque[Literals] = deque(maxlen=_FRESH)
        self.fresh: deque[Literals] = deque(maxlen=_FRESH)
        self._index: dict[str, list[Unit]] = {}
        self.index()

    @property
    def totals(self) -> Totals:
        """The decayed counts of the population."""
        return Totals(self.positives, self.negatives, self.background)

    def index(self) -> None:
        """Find units by their first literal from now on."""
        index: dict[str, list[Unit]] = {}
        for unit in self.units:
            index.setdefault(unit.literals[0], []).append(unit)
        self._index = index
        self.version += 1

    def awake(self, literals: Literals) -> tuple[Unit, ...]:
        """Return the units all of whose literals are among these."""
        index, present, found = self._index, frozenset(literals), []
        for literal in literals:
            units = index.get(literal)
            if units is not None:
                found += [unit for unit in units if unit.needed <= present]
        return tuple(found)

    def respond(self, awake: Sequence[Unit]) -> Response:
        """Return what these units say together."""
        ranked = sorted(awake, key=_strongest_first)
        vote = sum(discount * unit.llr for discount, unit in zip(DISCOUNTS, ranked, strict=False))
        return Response(min(STRONGEST_VOTE, vote), tuple(unit.identity for unit in ranked))

    def reward(self, awake: Sequence[Unit], literals: Literals, value: float, vote: float) -> None:
        """Let a value signal from -1 to 1 on an event act on the units that were awake at it, and on the memories.

        A unit gains what it would have saved of the log-loss, were it alone. That is shared by all that were awake: a
        crowd which says one thing is worth no more than one (fitness sharing, Goldberg and Richardson 1987).
        """
        weight, positive = abs(value), value > 0.0
        prior = self.totals.prior
        base = math.log(prior / (1.0 - prior))
        sign = -1.0 if positive else 1.0
        without = math.log1p(math.exp(sign * base))
        for unit in awake:
            gain = without - math.log1p(math.exp(sign * (base + unit.llr)))
            unit.utility += weight * gain / len(awake)
            if positive:
                unit.positives += weight
            else:
                unit.negatives += weight
        if positive:
            self.positives += weight
        else:
            self.negatives += weight
        self.rewards += 1
        if weight >= LEAST_REMEMBERED:
            self.taught = True
            self.labelled.append((literals, value))
            if positive and vote < MISSED:
                self.missed.append(literals)
            self.weigh()

    def weigh(self) -> None:
        """Compute all weights anew."""
        for unit in self.units:
            unit.weigh(self.positives, self.negatives, self.background)
        self.version += 1

    def settle(self) -> None:
        """Enter what was seen since the last generation into the decayed counts, and let older counts fade."""
        label_decay = 0.5 ** (self.rewards / LABEL_MEMORY)
        decay = 0.5 ** (self.seen / BACKGROUND_MEMORY)
        for unit in self.units:
            unit.positives *= label_decay
            unit.negatives *= label_decay
            unit.utility *= label_decay
            unit.background = unit.background * decay + unit.seen
            unit.seen = 0
        self.positives *= label_decay
        self.negatives *= label_decay
        self.background = self.background * decay + self.seen
        self.seen = self.rewards = 0
        self.taught = False

    def describe(self, unit: Unit) -> UnitDescription:
        """Return what there is to say of a unit of this population."""
        return UnitDescription(
            literals=unit.literals,
            sentence=unit.sentence,
            llr=unit.llr,
            positives=unit.positives,
            negatives=unit.negatives,
            activations=unit.background,
            background=self.background,
            origin=unit.origin,
            parent=unit.parent,
            birth=unit.birth,
        )


def _strongest_first(unit: Unit) -> tuple[float, int]:
    return -unit.llr, unit.identity
