"""Whom to look at closely: the most suspicious, and a few others by chance, within a budget."""

from collections.abc import Sequence
from typing import NamedTuple

from pyloader.host.focus import Focus


class Suspect(NamedTuple):
    """Somebody against whom there is evidence."""

    key: int | bytes
    """The id of a process, or the 16 bytes of the address of a source."""
    nats: float
    """The evidence."""
    lineage: str
    """Whom it belongs to."""


class Attention:
    """Chooses the focus; to be asked once a second of the time of the records."""

    def __init__(self, *, seed: int, budget: float = 1_000.0) -> None:
        self._budget = budget
        self._seed = seed
        self.evicted = 0

    def choose(
        self, now: int, suspects: Sequence[Suspect], explorable: Sequence[int], *, posture: int, loss: bool
    ) -> Focus:
        """Return whom to look at from `now` (ns) on."""
        return Focus()
