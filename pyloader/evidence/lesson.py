"""What a baseline may learn, and who learns it."""

from typing import Protocol, TypeAlias

from pyloader.evidence.item import Group

Lesson: TypeAlias = tuple[str, ...]
"""The name of the table, the context, and what was seen in it: the same as `Evidence.context`."""


class Learner(Protocol):
    """A table that learns. `group` is that of its evidence."""

    group: Group

    def learn(self, context: str, symbol: str, times: float, wall: int) -> None:
        """Count what was suspicious when it was seen, so many times; `wall` is now (ns, wall clock)."""
        ...

    def instances(self, context: str, wall: int) -> float:
        """Return how much was counted in a context."""
        ...
