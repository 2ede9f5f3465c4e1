"""One lane of a monitor: what one of several workers reads of it.

The process that loads a monitor makes the rings of all lanes. Each worker gets the descriptors of its own and needs
nothing else: neither the programs nor the right to load any.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final

import msgspec

from pyloader.binding import PerCpuArray, RingReader
from pyloader.monitors.active import ActiveMonitor, Tally
from pyloader.monitors.network import TRAFFIC_WORDS
from pyloader.monitors.transport import Transport
from pyloader.records import TAG_LIMIT, Elsewhere, tag_of

_COPIES: Final = 0
"""Where the tallies of a lane count copies: no record has this tag."""

_NOTHING: Final = -1


class MonitorLane(msgspec.Struct, frozen=True):
    """One lane of a monitor, by the descriptors of its maps; those that it has not are -1.

    `others` is the ring of copies, `traffic` the map of the totals of all packets. Each ring has
    `ring_bytes`.
    """

    monitor: str
    lane: int
    ring_bytes: int
    vital: int
    common: int
    tallies: int
    reported: int
    others: int = _NOTHING
    traffic: int = _NOTHING

    def fds(self) -> list[int]:
        """Return the descriptors that whoever reads the lane must have."""
        own = (self.vital, self.common, self.tallies, self.reported, self.others, self.traffic)
        return [fd for fd in own if fd != _NOTHING]


class LaneMonitor(ActiveMonitor):
    """One lane of a monitor that another process has loaded; the descriptors stay with their owner.

    `totals` returns the words of `struct totals` (bpf/traffic.bpf.h) for each CPU, in the one lane that tells them.
    """

    transport = Transport.RING
    totals: Callable[[], list[tuple[int, ...]]] | None = None

    def __init__(self, lane: MonitorLane) -> None:
        self.rungs = {}
        self._held = ExitStack()
        try:
            self.reader = self._open(lane.vital, lane.common, size=lane.ring_bytes)
            if lane.others != _NOTHING:
                self.others = self._open(lane.others, size=lane.ring_bytes)
            self._count_with(lane.tallies, lane.reported)
            self._first = lane.lane * TAG_LIMIT
            if lane.traffic != _NOTHING:
                totals = PerCpuArray(lane.traffic, width=TRAFFIC_WORDS)
                self.totals = lambda: totals.read(0)
        except BaseException:
            self.close()
            raise

    def tallies(self) -> Iterator[tuple[int, list[Tally]]]:
        """Yield for each record type its tag and the tally of each CPU; copies have the tag of `Elsewhere`."""
        yield from super().tallies()
        if self.others is not None:
            tag = tag_of(Elsewhere)
            yield tag, self._tallies_at(tag)

    def map_fd(self, name: str) -> int | None:
        """Return `None`: what can be steered is steered by who loaded it."""
        del name
        return None

    def close(self) -> None:
        """Stop reading. Further calls do nothing."""
        self._held.close()

    def _open(self, *rings: int, size: int) -> RingReader:
        reader = RingReader([(fd, size) for fd in rings])
        self._held.callback(reader.close)
        return reader

    def _index(self, tag: int) -> int:
        return self._first + (_COPIES if tag == tag_of(Elsewhere) else tag)
