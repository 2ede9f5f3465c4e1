"""What the kernel programs could not deliver, as records."""

from collections.abc import Iterable
from typing import NamedTuple

from pyloader.monitors import ActiveMonitor
from pyloader.records import AnyRecord, EventLoss


class _Seen(NamedTuple):
    """A loss that is to be told: until then nobody may take it for told."""

    timestamp: int
    monitor: ActiveMonitor
    tag: int
    cpu: int
    total: int
    """How many were lost in all by then."""


class LossReport:
    """Turns the growing loss counters of the monitors into `EventLoss` records.

    What was told is kept beside the counters in the kernel: a reader of pinned monitors goes on where the last one
    stopped.
    """

    def __init__(self, monitors: Iterable[ActiveMonitor] = ()) -> None:
        self._monitors: list[ActiveMonitor] = []
        self._told: dict[tuple[ActiveMonitor, int], list[int]] = {}
        self._seen: dict[tuple[ActiveMonitor, int], list[int]] = {}
        self._untold: list[_Seen] = []
        for monitor in monitors:
            self.add(monitor)

    def add(self, monitor: ActiveMonitor) -> None:
        """Watch the counters of one monitor more."""
        self._monitors.append(monitor)
        for tag, _ in monitor.tallies():
            self._told[monitor, tag] = monitor.reported(tag)
            self._seen[monitor, tag] = list(self._told[monitor, tag])

    def drop(self, monitor: ActiveMonitor) -> None:
        """Watch the counters of a monitor no more, which is about to be closed."""
        self._monitors.remove(monitor)
        self._untold = [one for one in self._untold if one.monitor is not monitor]
        for tag, _ in monitor.tallies():
            del self._told[monitor, tag], self._seen[monitor, tag]

    def since_last(self) -> list[AnyRecord]:
        """Return one record per type and CPU that lost something since the last call, stamped with the last loss."""
        records: list[AnyRecord] = []
        for monitor in self._monitors:
            for tag, tallies in monitor.tallies():
                seen = self._seen[monitor, tag]
                for cpu, tally in enumerate(tallies):
                    if new := tally.lost - seen[cpu]:
                        seen[cpu] = tally.lost
                        self._untold.append(_Seen(tally.last_lost, monitor, tag, cpu, tally.lost))
                        records.append(EventLoss(timestamp=tally.last_lost, lost=tag, cpu=cpu, count=new))
        return records

    def acknowledge(self, horizon: int) -> None:
        """Remember in the kernel that the losses up to `horizon` (ns) were told."""
        told = [one for one in self._untold if one.timestamp <= horizon]
        if not told:
            return
        self._untold = [one for one in self._untold if one.timestamp > horizon]
        for one in told:
            self._told[one.monitor, one.tag][one.cpu] = one.total
        for monitor, tag in {(one.monitor, one.tag) for one in told}:
            monitor.set_reported(tag, self._told[monitor, tag])
