"""Growing counters become records of loss."""

from typing import cast

from pyloader.monitors import PROCESS, ActiveMonitor, Tally
from pyloader.records import EventLoss
from pyloader.sources.losses import LossReport
from tests.unit.sources.monitors import FakeMonitor


def _counted(name: str = "process") -> FakeMonitor:
    """Return a monitor of two record types on two CPUs that has lost nothing."""
    monitor = FakeMonitor(PROCESS._replace(name=name))
    monitor.reader.close()
    monitor.counts = {1: [Tally(0, 0, 0)] * 2, 2: [Tally(0, 0, 0)] * 2}
    return monitor


def _report(*monitors: FakeMonitor) -> LossReport:
    return LossReport([cast("ActiveMonitor", monitor) for monitor in monitors])


def test_only_new_losses_are_told() -> None:
    """A loss is told once, for its type and CPU, at the time when it happened."""
    monitor = _counted()
    report = _report(monitor)

    assert report.since_last() == []
    monitor.lose(1, 1, lost=5, at=15)
    assert report.since_last() == [EventLoss(timestamp=15, lost=1, cpu=1, count=5)]
    assert report.since_last() == []
    monitor.lose(1, 0, lost=1, at=31)
    monitor.lose(1, 1, lost=7, at=32)
    monitor.lose(2, 1, lost=1, at=33)
    assert report.since_last() == [
        EventLoss(timestamp=31, lost=1, cpu=0, count=1),
        EventLoss(timestamp=32, lost=1, cpu=1, count=2),
        EventLoss(timestamp=33, lost=2, cpu=1, count=1),
    ]


def test_monitors_are_counted_apart() -> None:
    """Two monitors that lose records of one type on one CPU do not hide each other's losses."""
    one, other = _counted(), _counted("other")
    report = _report(one, other)
    one.lose(1, 0, lost=3, at=1)
    other.lose(1, 0, lost=3, at=1)

    assert [record.count for record in report.since_last() if isinstance(record, EventLoss)] == [3, 3]


def test_next_reader_goes_on() -> None:
    """What one reader told and acknowledged, the next one does not tell again; what came meanwhile it tells."""
    monitor = _counted()
    first = _report(monitor)
    monitor.lose(1, 0, lost=5, at=10)
    first.since_last()
    first.acknowledge(100)
    monitor.lose(1, 0, lost=8, at=20)
    second = _report(monitor)

    assert second.since_last() == [EventLoss(timestamp=20, lost=1, cpu=0, count=3)]


def test_reader_that_dies() -> None:
    """What a reader told and did not acknowledge is told by the next one."""
    monitor = _counted()
    monitor.lose(1, 0, lost=5, at=10)
    _report(monitor).since_last()

    assert _report(monitor).since_last() == [EventLoss(timestamp=10, lost=1, cpu=0, count=5)]


def test_only_news_is_acknowledged() -> None:
    """The kernel is told only of what changed, and once."""
    monitor = _counted()
    report = _report(monitor)
    report.acknowledge(100)
    assert monitor.told == {}

    monitor.lose(2, 1, lost=4, at=10)
    report.since_last()
    report.acknowledge(100)
    assert monitor.told == {2: [0, 4]}

    monitor.told.clear()
    report.acknowledge(100)
    assert monitor.told == {}


def test_loss_that_waits_for_its_turn() -> None:
    """A loss after the horizon is not taken for told until the stream has come so far; those before it are."""
    monitor = _counted()
    report = _report(monitor)
    monitor.lose(1, 0, lost=5, at=10)
    monitor.lose(2, 1, lost=2, at=10)
    report.since_last()
    monitor.lose(1, 0, lost=8, at=30)
    report.since_last()
    report.acknowledge(20)
    assert monitor.told == {1: [5, 0], 2: [0, 2]}
    assert _report(monitor).since_last() == [EventLoss(timestamp=30, lost=1, cpu=0, count=3)]

    report.acknowledge(30)
    assert monitor.told == {1: [8, 0], 2: [0, 2]}
