"""Records of several rings in one order, causes before their effects.

What one ring holds says nothing about the others, so a reader that takes one ring after the other may meet an effect
before its cause. Timestamps alone do not help: a record may be stamped and not yet be visible. But a cause is visible
before its effect is stamped. So all rings are read, and then only what was stamped before the reading began is handed
out, by timestamp; the rest waits for the next reading, which follows at once. Whatever is handed out was stamped before
the reading began, its cause was visible even earlier, and so was read with it or before.
"""

from collections.abc import Iterable
from operator import attrgetter

from pyloader.records import AnyRecord

_timestamp = attrgetter("timestamp")


class Merge:
    """Holds back what must not be told yet; that is never more than what one reading of all rings gave."""

    def __init__(self) -> None:
        self._held: list[AnyRecord] = []

    def __len__(self) -> int:
        return len(self._held)

    def add(self, records: Iterable[AnyRecord]) -> None:
        """Take in what was read, in any order."""
        self._held += records

    def until(self, horizon: int) -> list[AnyRecord]:
        """Return what was stamped up to `horizon` (ns), by timestamp; equal stamps keep the order of reading."""
        held = self._held
        held.sort(key=_timestamp)
        ready = len(held)
        while ready and held[ready - 1].timestamp > horizon:
            ready -= 1
        self._held = held[ready:]
        del held[ready:]
        return held
