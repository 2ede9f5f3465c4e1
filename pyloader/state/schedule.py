"""When to take the next snapshot: often enough to lose little, and seldom enough to cost little."""

from typing import Final

INTERVAL_NS: Final = 60 * 1_000_000_000
SHARE: Final = 0.01
"""Of the time, what snapshots may take."""


class Schedule:
    """Snapshots a minute apart, or more if one takes longer than `SHARE` of that. Times are of any one clock, in ns."""

    def __init__(self, begin: int) -> None:
        self._next = begin + INTERVAL_NS

    def is_due(self, now: int) -> bool:
        """Return whether it is time for a snapshot."""
        return now >= self._next

    def taken(self, begin: int, end: int) -> None:
        """Note that a snapshot took from one time to another, and plan the next one.

        >>> schedule = Schedule(0)
        >>> schedule.taken(60_000_000_000, 62_000_000_000)
        >>> schedule.is_due(259_999_999_999), schedule.is_due(262_000_000_000)
        (False, True)
        """
        self._next = end + max(INTERVAL_NS, round((end - begin) / SHARE))
