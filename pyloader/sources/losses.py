"""What the kernel programs could not deliver, as records."""

from collections.abc import Sequence

from pyloader.monitors import ActiveMonitor
from pyloader.records import AnyRecord, EventLoss


class LossReport:
    """Turns the growing loss counters of the monitors into `EventLoss` records.

    What was told is kept beside the counters in the kernel: a reader of pinned monitors goes on where the last one
    stopped.
    """

    def __init__(self, monitors: Sequence[ActiveMonitor]) -> None:
        self._monitors = monitors
        self._told = {(monitor, tag): monitor.reported(tag) for monitor in monitors for tag, _ in monitor.tallies()}
        self._news: set[tuple[ActiveMonitor, int]] = set()

    def since_last(self, horizon: int) -> list[AnyRecord]:
        """Return one record per type and CPU that lost something since the last call.

        It is stamped with the last loss, or with `horizon` (ns) if that is earlier: then it is told with what came
        until then, and not after records that are still to come.
        """
        records: list[AnyRecord] = []
        for monitor in self._monitors:
            for tag, tallies in monitor.tallies():
                told = self._told[monitor, tag]
                for cpu, tally in enumerate(tallies):
                    if new := tally.lost - told[cpu]:
                        told[cpu] = tally.lost
                        self._news.add((monitor, tag))
                        records.append(EventLoss(timestamp=min(tally.last_lost, horizon), lost=tag, cpu=cpu, count=new))
        return records

    def acknowledge(self) -> None:
        """Remember in the kernel that everything so far was told."""
        for monitor, tag in self._news:
            monitor.set_reported(tag, self._told[monitor, tag])
        self._news.clear()
