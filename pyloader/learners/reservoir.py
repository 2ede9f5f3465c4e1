"""A bounded sample of events, and how often conjunctions of literals occur in it.

Counting is by sets of bits: each literal has one bit per event that shows it, so the events that show several literals
are one `&` of integers.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from pyloader.learners.chance import Chance

EVENTS: Final = 2_048
_LARGEST_STEP: Final = 32

Literals = tuple[str, ...]


class Reservoir:
    """A sample of the latest events: every so many-th one takes the place of a random one.

    The mean step between samples grows with what was seen, up to 32, so that a full reservoir spans some 65,000 events.
    """

    __slots__ = ("_chance", "_wait", "capacity", "events", "seen")

    def __init__(self, seed: int, capacity: int = EVENTS) -> None:
        self.capacity = capacity
        self.events: list[Literals] = []
        self.seen = 0
        self._wait = 1
        self._chance = Chance(seed)

    def offer(self, literals: Literals) -> None:
        """See an event, and keep it if its turn has come."""
        self._wait -= 1
        if self._wait <= 0:
            self._keep(literals)

    def _keep(self, literals: Literals) -> None:
        self.seen += 1
        if len(self.events) < self.capacity:
            self.events.append(literals)
        else:
            self.events[self._chance.below(self.capacity)] = literals
        step = min(_LARGEST_STEP, 1 + self.seen // self.capacity)
        self._wait = 1 + self._chance.below(2 * step - 1)


class Occurrences:
    """Which of some events show which literals. Most events are like others, and those are looked at together."""

    __slots__ = ("_bits", "_rarity", "everything", "size")

    def __init__(self, events: Sequence[Literals]) -> None:
        self.size = len(events)
        self.everything = (1 << self.size) - 1
        places: dict[Literals, list[int]] = {}
        for place, literals in enumerate(events):
            places.setdefault(literals, []).append(place)
        bits: dict[str, int] = {}
        for literals, alike in places.items():
            found = _bits(alike, self.size)
            for literal in literals:
                bits[literal] = bits.get(literal, 0) | found
        self._bits = bits
        self._rarity: dict[str, float] = {}

    def of(self, literals: Iterable[str]) -> int:
        """Return the events that show all of the literals, as a set of bits."""
        found = self.everything
        for literal in literals:
            found &= self._bits.get(literal, 0)
            if not found:
                break
        return found

    def count(self, literals: Iterable[str]) -> int:
        """Return how many events show all of the literals."""
        return self.of(literals).bit_count()

    def rarity(self, literal: str) -> float:
        """Return how rare a literal is, in nats: minus the log of its smoothed share."""
        known = self._rarity.get(literal)
        if known is None:
            known = math.log((self.size + 1.0) / (self._bits.get(literal, 0).bit_count() + 0.5))
            self._rarity[literal] = known
        return known


def _bits(places: list[int], size: int) -> int:
    """Return an integer with these bits set."""
    found = bytearray((size >> 3) + 1)
    for place in places:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")
