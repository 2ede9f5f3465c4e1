"""What the kernel programs could not deliver, as records."""

from collections.abc import Sequence

from pyloader.monitors import LoadedMonitor
from pyloader.records import AnyRecord, EventLoss


class LossReport:
    """Turns the growing loss counters of the monitors into `EventLoss` records."""

    def __init__(self, monitors: Sequence[LoadedMonitor]) -> None:
        self._monitors = monitors
        self._known: dict[tuple[str, int, int], int] = {}

    def since_last(self) -> list[AnyRecord]:
        """Return one record per type and CPU that lost something since the last call, stamped with the last loss."""
        records: list[AnyRecord] = []
        for monitor in self._monitors:
            for tag, losses in monitor.lost():
                for cpu, (count, last) in enumerate(losses):
                    key = (monitor.monitor.name, tag, cpu)
                    if new := count - self._known.get(key, 0):
                        self._known[key] = count
                        records.append(EventLoss(timestamp=last, lost=tag, cpu=cpu, count=new))
        return records
