"""Which programs are told by name: those whose name means something, and those that come back.

Whoever starts programs chooses their names, so a name that was never seen tells nothing that could be learned, and
costs room wherever it is kept. It is told as "other" until it has come `RECURRING` times.
"""

from typing import Final

from pyloader.evidence.memo import Memo
from pyloader.evidence.programs import ROLES

RECURRING: Final = 8
"""So many times a name must have come to be told."""

CAPACITY: Final = 1_024
"""So many names that have come back are known, and in each of two generations so many that may."""

OTHER: Final = "other"


class Names:
    """The names that are told. The oldest ones leave when there are `CAPACITY`."""

    __slots__ = ("_counts", "_known", "evicted")

    def __init__(self) -> None:
        self.evicted = 0
        """How many names that had come back were forgotten."""
        self._known: dict[str, None] = {}
        self._counts: Memo[str, list[int]] = Memo(CAPACITY)

    def of(self, name: str) -> str:
        """Return by what name to tell of a program, which is counted."""
        if name in self._known or name in ROLES:
            return name
        count = self._counts.get(name, lambda _: [0])
        count[0] += 1
        if count[0] < RECURRING:
            return OTHER
        if len(self._known) >= CAPACITY:
            del self._known[next(iter(self._known))]
            self.evicted += 1
        self._known[name] = None
        return name
