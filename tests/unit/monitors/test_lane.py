"""One lane of a monitor, read by whoever has its descriptors."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from pyloader.monitors import LaneMonitor, MonitorLane, Tally
from pyloader.records import KERNEL_RECORDS, TAG_LIMIT, Elsewhere, ProcessFork, tag_of

TALLIES, REPORTED, TRAFFIC = 30, 31, 32


class _FakeReader:
    """A reader that knows its rings."""

    made: ClassVar[list["_FakeReader"]] = []
    fails: ClassVar[bool] = False

    def __init__(self, rings: list[tuple[int, int]]) -> None:
        if self.fails and self.made:
            message = "Cannot allocate memory"
            raise OSError(12, message)
        self.rings = rings
        self.closed = False
        self.made.append(self)

    def close(self) -> None:
        """Note it."""
        self.closed = True


class _FakeArray:
    """A map of numbers that tells which index it was asked for."""

    written: ClassVar[dict[tuple[int, int], list[int]]] = {}

    def __init__(self, map_fd: int, width: int) -> None:
        self._fd, self._width = map_fd, width

    def read(self, index: int) -> list[tuple[int, ...]]:
        """Return the index itself."""
        return [(index,) * self._width]

    def write(self, index: int, numbers: Sequence[int]) -> None:
        """Remember the numbers."""
        self.written[self._fd, index] = list(numbers)


@pytest.fixture(autouse=True)
def _maps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyloader.monitors.lane.RingReader", _FakeReader)
    for module in ("lane", "active"):
        monkeypatch.setattr(f"pyloader.monitors.{module}.PerCpuArray", _FakeArray)
    monkeypatch.setattr(_FakeReader, "made", [])
    monkeypatch.setattr(_FakeReader, "fails", False)
    monkeypatch.setattr(_FakeArray, "written", {})


def described(**others: Any) -> MonitorLane:  # noqa: ANN401 -- whatever the fields are.
    """Return the third lane of a monitor."""
    return MonitorLane(
        monitor="process",
        lane=2,
        ring_bytes=65_536,
        vital=10,
        common=11,
        tallies=TALLIES,
        reported=REPORTED,
        **others,
    )


def test_descriptors_of_a_lane() -> None:
    """Whoever reads a lane needs its rings and the counts, and what else it has."""
    assert described().fds() == [10, 11, TALLIES, REPORTED]
    assert described(others=12, traffic=TRAFFIC).fds() == [10, 11, TALLIES, REPORTED, 12, TRAFFIC]


def test_rings_of_a_lane() -> None:
    """The vital ring is read before the common one, and copies by a reader of their own."""
    with LaneMonitor(described(others=12)) as monitor:
        assert [one.rings for one in _FakeReader.made] == [[(10, 65_536), (11, 65_536)], [(12, 65_536)]]
        assert {id(monitor.reader), id(monitor.others)} == set(map(id, _FakeReader.made))
        assert monitor.map_fd("tallies") is None
    assert all(one.closed for one in _FakeReader.made)


def test_counts_of_a_lane() -> None:
    """A lane has counts of its own, and those of its copies stand where no record has its tag."""
    fork, copy = tag_of(ProcessFork), tag_of(Elsewhere)
    with LaneMonitor(described(others=12)) as monitor:
        counts = dict(monitor.tallies())
        monitor.set_reported(fork, [7])
        monitor.set_reported(copy, [8])
        assert monitor.reported(fork) == [2 * TAG_LIMIT + fork]

    assert counts[fork] == [Tally(*[2 * TAG_LIMIT + fork] * 3)]
    assert counts[copy] == [Tally(*[2 * TAG_LIMIT] * 3)]
    assert _FakeArray.written == {(REPORTED, 2 * TAG_LIMIT + fork): [7], (REPORTED, 2 * TAG_LIMIT): [8]}


def test_lane_without_copies() -> None:
    """A monitor that gives no copies has none to count and no totals to tell."""
    with LaneMonitor(described()) as monitor:
        assert [tag for tag, _ in monitor.tallies()] == [tag_of(kind) for kind in KERNEL_RECORDS]
        assert monitor.others is None
        assert monitor.totals is None


def test_totals_of_a_lane() -> None:
    """A lane that has the totals of all packets can read them."""
    with LaneMonitor(described(traffic=TRAFFIC)) as monitor:
        assert monitor.totals is not None
        assert {number for words in monitor.totals() for number in words} == {0}


def test_lane_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a ring cannot be mapped, those before it are given back."""
    monkeypatch.setattr(_FakeReader, "fails", True)

    with pytest.raises(OSError, match="Cannot allocate"):
        LaneMonitor(described(others=12))
    assert [one.closed for one in _FakeReader.made] == [True]
