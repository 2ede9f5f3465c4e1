"""What an analyst called benign: pseudo-instances for exactly what was rare, and nothing else.

A label says of one thing in one context that it is ordinary there. It counts as if so many more instances had shown it,
for `LASTS_NS`, and can be taken back: it is kept apart from what was seen.
"""

from typing import Final

from pyloader.evidence.lesson import Lesson

LASTS_NS: Final = 90 * 86_400 * 1_000_000_000


class Excuse:
    """So many pseudo-instances, given at a time (ns, wall clock)."""

    __slots__ = ("instances", "since")

    def __init__(self) -> None:
        self.instances = 0.0
        self.since = 0


class Excuses:
    """Excuses by lesson; the oldest leaves first when `capacity` is reached, and is counted in `evicted`."""

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._excuses: dict[Lesson, Excuse] = {}

    def add(self, lesson: Lesson, instances: float, wall: int) -> None:
        """Add pseudo-instances, or take them back; nothing counts less than it was seen."""
        excuse = self._excuses.pop(lesson, None) or Excuse()
        if wall - excuse.since >= LASTS_NS:
            excuse.instances = 0.0
        excuse.instances += instances
        excuse.since = wall
        if excuse.instances <= 0.0:
            return
        if len(self._excuses) >= self.capacity:
            del self._excuses[next(iter(self._excuses))]
            self.evicted += 1
        self._excuses[lesson] = excuse

    def of(self, lesson: Lesson, wall: int) -> float:
        """Return how many pseudo-instances count now."""
        excuse = self._excuses.get(lesson)
        return excuse.instances if excuse is not None and wall - excuse.since < LASTS_NS else 0.0
