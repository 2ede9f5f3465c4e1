"""What was lost lately: it lowers the confidence of verdicts, and nothing is learned from what it left incomplete."""

from collections import deque
from typing import Final, NamedTuple

from pyloader.records import EventLoss, WorkerGap

SECOND: Final = 1_000_000_000

MEMORY_NS: Final = 600 * SECOND
"""How long a loss lowers the confidence: as long as evidence halves."""

_REMEMBERED: Final = 1_024
"""So many losses are remembered; a host that loses more within ten minutes has lost count, not confidence."""


class _Loss(NamedTuple):
    when: int
    lost: int


class Losses:
    """The losses of the last ten minutes. `blind_until` is when what was seen was complete again (ns)."""

    __slots__ = ("_count", "_recent", "blind_until")

    def __init__(self) -> None:
        self._recent: deque[_Loss] = deque()
        self._count = 0
        self.blind_until = 0

    def add(self, loss: EventLoss | WorkerGap) -> None:
        """Take in a loss."""
        self.blind_until = max(self.blind_until, loss.timestamp + SECOND)
        self._recent.append(_Loss(loss.timestamp, loss.count))
        self._count += loss.count
        if len(self._recent) > _REMEMBERED:
            self._count -= self._recent.popleft().lost

    def within_memory(self, now: int) -> int:
        """Return how many records were lost in the ten minutes before."""
        recent = self._recent
        while recent and now - recent[0].when >= MEMORY_NS:
            self._count -= recent.popleft().lost
        return self._count
