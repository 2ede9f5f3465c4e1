"""What one of several workers reads: its lane of every monitor, in a process of its own.

The parent, who has loaded the monitors, describes a lane in one `LaneDescription` and hands down its descriptors under
the same numbers (`subprocess` with `pass_fds`). The worker loads nothing, and reads on when the parent is gone. It
needs no privileges, but for kernels before 6.0 that keep bpf(2) from all who have none: there CAP_BPF, for the counts.

What has been read is given back to the kernel when the next records are asked for. A worker that dies has thereby
dealt with all but what it was handed last: whoever reads the lane next gets exactly that again, which is what one
reading found, and everything that came since. What found no room meanwhile is in the counts, and is told.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import msgspec

from pyloader.host import Focus
from pyloader.monitors import LaneMonitor, MonitorLane, lane_of_cgroup
from pyloader.records import AnyRecord, CgroupSeen, Elsewhere
from pyloader.records.recording import Header
from pyloader.sources.reading import RingSource, boot_now
from pyloader.sources.traffic import TrafficReport


class LaneDescription(msgspec.Struct, frozen=True):
    """All that a worker must be told to read its lane.

    `beginning` are the records that its stream begins with: what ran when the description was made.
    """

    lane: int
    lanes: int
    header: Header
    monitors: tuple[MonitorLane, ...]
    beginning: tuple[AnyRecord, ...]

    def encode(self) -> bytes:
        """Return the description as bytes, for `decode`."""
        return _encoder.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Return what was encoded. Raises `msgspec.DecodeError` if it is something else."""
        return msgspec.msgpack.decode(data, type=cls)

    def fds(self) -> list[int]:
        """Return the descriptors that the worker must have, under the same numbers."""
        return sorted({fd for monitor in self.monitors for fd in monitor.fds()})


class LaneSource(RingSource):
    """One lane of all monitors, as a source. `close` leaves the descriptors open, for they belong to the process.

    Of several workers exactly one gets a record itself. Those that all must know of come to the others as `Elsewhere`.
    After `stop` the lane is read up to that moment: stop the monitors first to miss nothing.
    """

    def __init__(self, description: LaneDescription, *, record_to: Path | None = None) -> None:
        ring_bytes = min(monitor.ring_bytes for monitor in description.monitors)
        super().__init__(description.header, ring_bytes=ring_bytes, record_to=record_to)
        self._description = description
        self._traffic: TrafficReport | None = None

    def start(self) -> None:
        """Begin to read; what came since the lane was read last is still there.

        Raises `OSError` if the descriptors are not those of a lane, and `RecordingError` if nothing can be recorded.
        """
        begin = boot_now()
        self._open()
        for one in self._description.monitors:
            monitor = LaneMonitor(one)
            self._take([monitor])
            if monitor.totals is not None:
                self._traffic = TrafficReport(monitor.totals, begin)
        self._begin()
        self._backlog.extend(self._description.beginning)
        for record in self._description.beginning:
            seen = record.record if type(record) is Elsewhere else record
            if type(seen) is CgroupSeen:
                self._cgroups.know(seen.cgroup)

    def attend(self, focus: Focus) -> None:
        """Do nothing: whom all workers want to look at is written by their parent."""

    def _every_second(self, now: int) -> Iterator[AnyRecord]:
        if self._traffic is not None:
            yield self._traffic.since_last(now)

    def _placed(self, seen: Iterable[CgroupSeen]) -> list[AnyRecord]:
        return [placed(one, self._description.lane, self._description.lanes) for one in seen]


def placed(seen: CgroupSeen, lane: int, lanes: int) -> CgroupSeen | Elsewhere:
    """Return the announcement of a control group as a lane gets it: one of them tells it, and the others know it."""
    return seen if lane_of_cgroup(seen.cgroup, lanes) == lane else Elsewhere.of(seen)


_encoder = msgspec.msgpack.Encoder()
