"""The paths of control groups, told once each."""

from collections.abc import Iterable
from itertools import islice

import msgspec

from pyloader.host import procfs
from pyloader.records import AnyRecord, CgroupSeen, Elsewhere, ProcessExec

_CAPACITY = 4_096

_SEARCH_INTERVAL_NS = 1_000_000_000
"""Time between two searches through all control groups, which take milliseconds."""

_ATTEMPTS = 8
"""How often a control group is looked for before it is given up."""


class CgroupNames:
    """Remembers which control groups were announced. When it is full it forgets all and announces anew.

    The path is looked up through a process of the group, and if that is gone already, among all groups of the host.
    """

    def __init__(self) -> None:
        self._attempts: dict[int, int] = {}
        self._next_search = 0
        self._found: dict[int, CgroupSeen] = {}
        """What the last search through all control groups found."""

    def know(self, cgroup: int) -> None:
        """Take a control group for announced."""
        self._attempts[cgroup] = _ATTEMPTS

    def is_news(self, cgroup: int) -> bool:
        """Return whether the control group should still be announced."""
        return self._attempts.get(cgroup, 0) < _ATTEMPTS

    def announce(self, cgroup: int, pid: int, timestamp: int) -> list[CgroupSeen]:
        """Return the announcement of a control group that this process is in, or nothing if it is not found."""
        if len(self._attempts) >= _CAPACITY:
            self._attempts.clear()
        seen = procfs.cgroup(pid, timestamp)
        if seen is None or seen.cgroup != cgroup:
            seen = self._search(cgroup, timestamp)
        if seen is None:
            self._attempts[cgroup] = self._attempts.get(cgroup, 0) + 1
            return []
        self._attempts[cgroup] = _ATTEMPTS
        return [seen]

    def news_in(self, records: Iterable[AnyRecord]) -> list[CgroupSeen]:
        """Return announcements for the control groups in which something is executed for the first time."""
        news: list[CgroupSeen] = []
        for one in records:
            record = one.record if type(one) is Elsewhere else one
            if type(record) is ProcessExec and self.is_news(record.cgroup):
                news += self.announce(record.cgroup, record.pid, record.timestamp)
        return news

    def _search(self, cgroup: int, timestamp: int) -> CgroupSeen | None:
        if timestamp >= self._next_search:
            self._next_search = timestamp + _SEARCH_INTERVAL_NS
            self._found = {seen.cgroup: seen for seen in islice(procfs.cgroups(timestamp), _CAPACITY)}
        seen = self._found.get(cgroup)
        return msgspec.structs.replace(seen, timestamp=timestamp) if seen is not None else None
