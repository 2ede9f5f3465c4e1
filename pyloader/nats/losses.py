"""What was not published, counted until it is announced."""

import threading
from typing import NamedTuple

from pyloader.nats.segments import Entry


class Loss(NamedTuple):
    """How many messages of a kind were lost for one reason, and when they were handed over (ns since 1970)."""

    kind: str
    reason: str
    messages: int
    begin: int
    end: int


class Losses:
    """Counts by kind and reason; safe to use from several threads."""

    def __init__(self) -> None:
        self.total: dict[str, int] = {}
        """All that ever was lost, by kind."""
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, str], Loss] = {}

    def add(self, loss: Loss) -> None:
        """Count."""
        key = (loss.kind, loss.reason)
        with self._lock:
            self.total[loss.kind] = self.total.get(loss.kind, 0) + loss.messages
            before = self._pending.get(key)
            if before is not None:
                begin, end = min(before.begin, loss.begin), max(before.end, loss.end)
                loss = Loss(*key, before.messages + loss.messages, begin, end)
            self._pending[key] = loss

    def add_entries(self, entries: list[Entry], reason: str) -> None:
        """Count entries."""
        for entry in entries:
            self.add(Loss(entry.kind, reason, 1, entry.time, entry.time))

    def take(self) -> list[Loss]:
        """Return what was lost since the last call."""
        with self._lock:
            pending, self._pending = self._pending, {}
        return list(pending.values())
