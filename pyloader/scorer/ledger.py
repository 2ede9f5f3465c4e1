"""All that speaks against a process or another entity, with its age.

Evidence of one group is dependent: it tells of the same thing in several ways. Within a group the strongest item
counts fully and each weaker one a quarter of the one before it, and an item that is seen again does not count twice.
The groups are added. Everything loses half of its weight in ten minutes.

So the sum is exact and comes apart again: `counted` tells what each item adds to it.

A ledger never changes: new evidence makes a new one. So a child can share its parent's ledger at no cost.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyloader.evidence import Evidence, Group

HALF_LIFE_NS = 600 * 1_000_000_000
DEPENDENT_WEIGHT = 0.25
_FORGOTTEN_NATS = 0.05


class Entry(NamedTuple):
    """One kind of evidence, the strongest item of it, and when that was seen (ns, boot-time clock)."""

    evidence: Evidence
    seen: int

    def nats(self, now: int) -> float:
        """Return what is left of the weight."""
        age = now - self.seen
        return self.evidence.nats * 0.5 ** (age / HALF_LIFE_NS) if age > 0 else self.evidence.nats


class Counted(NamedTuple):
    """An item of evidence, what is left of its weight, and what it adds to the sum beside the others, both in nats."""

    evidence: Evidence
    nats: float
    adds: float


class Ledger:
    """The entries of one entity by their code; those that have faded are dropped when new ones come."""

    __slots__ = ("_newest", "_whole", "entries", "floor")

    def __init__(self, entries: Mapping[str, Entry], floor: int = 0) -> None:
        self.entries = entries
        self.floor = floor
        self._newest = max((entry.seen for entry in entries.values()), default=0)
        self._whole: float | None = None
        """What all entries came to when the newest one came, if anybody has asked since."""

    def with_evidence(self, items: Iterable[Evidence], now: int) -> "Ledger":
        """Return a ledger that holds the new items as well; of each code the strongest remains.

        A weight that is no number, or an infinite one, says nothing: it would silence or outshout all others.
        """
        entries = {code: entry for code, entry in self.entries.items() if abs(entry.nats(now)) >= _FORGOTTEN_NATS}
        floor = self.floor
        for item in items:
            known = entries.get(item.code)
            floor = max(floor, item.floor)
            if (known is None or known.nats(now) <= item.nats) and math.isfinite(item.nats):
                entries[item.code] = Entry(item, now)
        return Ledger(entries, floor)

    def inherited(self) -> "Ledger":
        """Return what a child takes over: the evidence, but not the floor that an invariant set for the parent."""
        return Ledger(self.entries) if self.floor else self

    def counted(self, now: int) -> list[Counted]:
        """Return the items with what they weigh and add, the weightiest first; what they add sums up to `nats`."""
        weighed = sorted(
            ((entry.nats(now), entry.evidence) for entry in self.entries.values()),
            key=lambda one: (-one[0], one[1].code),
        )
        discounts: dict[Group, float] = {}
        found = []
        for nats, evidence in weighed:
            discount = discounts.get(evidence.group, 1.0)
            discounts[evidence.group] = discount * DEPENDENT_WEIGHT
            found.append(Counted(evidence, nats, nats * discount))
        return found

    def nats(self, now: int) -> float:
        """Return the combined evidence.

        All entries fade alike from the newest one on, and so does what they come to.
        """
        age = now - self._newest
        if age < 0:
            return self._combined(now)
        if self._whole is None:
            self._whole = self._combined(self._newest)
        left: float = 0.5 ** (age / HALF_LIFE_NS)
        return self._whole * left

    def _combined(self, now: int) -> float:
        groups: dict[Group, list[float]] = {}
        for entry in self.entries.values():
            groups.setdefault(entry.evidence.group, []).append(entry.nats(now))
        return sum(map(combine, groups.values()))


EMPTY = Ledger({})


def combine(nats: list[float]) -> float:
    """Combine the dependent items of one group: the largest, plus a quarter of the combination of the rest.

    >>> combine([2.0, 8.0, 4.0])
    9.125
    """
    total = 0.0
    for value in sorted(nats):
        total = value + DEPENDENT_WEIGHT * total
    return total
