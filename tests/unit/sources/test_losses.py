"""Growing counters become records of loss."""

from collections.abc import Iterator
from typing import NamedTuple, cast

from pyloader.monitors import PROCESS, LoadedMonitor, Monitor
from pyloader.records import EventLoss
from pyloader.sources.losses import LossReport


class _Counted(NamedTuple):
    """A monitor that lost what a test says."""

    monitor: Monitor
    counts: dict[int, list[int]]

    def lost(self) -> Iterator[tuple[int, list[int]]]:
        """Yield the counters."""
        yield from self.counts.items()


def _report(*monitors: _Counted) -> LossReport:
    return LossReport([cast("LoadedMonitor", monitor) for monitor in monitors])


def test_only_new_losses_are_told() -> None:
    """A loss is told once, for its type and CPU, at the time when it was noticed."""
    counts = {1: [0, 0], 2: [0, 0]}
    report = _report(_Counted(PROCESS, counts))

    assert report.since_last(10) == []
    counts[1] = [0, 5]
    assert report.since_last(20) == [EventLoss(timestamp=20, lost=1, cpu=1, count=5)]
    assert report.since_last(30) == []
    counts[1], counts[2] = [1, 7], [0, 1]
    assert report.since_last(40) == [
        EventLoss(timestamp=40, lost=1, cpu=0, count=1),
        EventLoss(timestamp=40, lost=1, cpu=1, count=2),
        EventLoss(timestamp=40, lost=2, cpu=1, count=1),
    ]


def test_monitors_are_counted_apart() -> None:
    """Two monitors that lose records of one type on one CPU do not hide each other's losses."""
    other = PROCESS._replace(name="other")
    report = _report(_Counted(PROCESS, {1: [3]}), _Counted(other, {1: [3]}))

    assert [record.count for record in report.since_last(1) if isinstance(record, EventLoss)] == [3, 3]
