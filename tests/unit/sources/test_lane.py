"""One lane of all monitors as a stream, with rings that a test fills."""

import select
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.host import Focus
from pyloader.monitors import PROCESS, MonitorLane, Tally, lane_of_cgroup
from pyloader.monitors.network import TRAFFIC_WORDS
from pyloader.records import (
    AnyRecord,
    CgroupSeen,
    Elsewhere,
    EventLoss,
    Malformed,
    NetworkTraffic,
    ProcessExec,
    tag_of,
)
from pyloader.records.recording import Header, RecordingReader
from pyloader.sources.lane import LaneDescription, LaneSource
from pyloader.sources.reading import LOSS_INTERVAL_NS
from tests.unit.examples import SECOND, exec_record, exit_record, fork_record, seen_record
from tests.unit.sources.monitors import FakeMonitor, FakeReader
from tests.unit.strategies import any_records

LANES = 4
MILLISECOND = SECOND // 1000
HEADER = Header(1, "boot", "host", "6.1", "x86_64", 0)
LANE = MonitorLane(
    monitor="process", lane=1, ring_bytes=65_536, vital=10, common=11, tallies=12, reported=13, others=14
)


class Lane:
    """A source of one lane and the rings behind it."""

    def __init__(self, source: LaneSource, made: list[FakeMonitor]) -> None:
        self.source = source
        self.made = made

    @property
    def own(self) -> FakeReader:
        """The rings of records that are to be judged here."""
        return self.made[0].reader

    @property
    def others(self) -> FakeReader:
        """The ring of copies."""
        assert self.made[0].others is not None
        return self.made[0].others

    def rest(self) -> list[AnyRecord]:
        """Stop, and return everything that there still is."""
        self.source.stop()
        records: list[AnyRecord] = []
        while True:
            try:
                records += self.source.read(None)
            except EOFError:
                return records


Open = Callable[..., Lane]


@pytest.fixture(name="now")
def _now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Put a clock in place; return the time that it shows."""
    now = [2 * SECOND]

    def clock() -> int:
        now[0] += 1_000
        return now[0]

    for module in ("reading", "lane"):
        monkeypatch.setattr(f"pyloader.sources.{module}.boot_now", clock)
    monkeypatch.setattr("pyloader.host.procfs.cgroup", lambda pid, time: CgroupSeen(time, pid, b"/x"))
    return now


@pytest.fixture(name="opened")
def _opened(monkeypatch: pytest.MonkeyPatch, now: list[int]) -> Iterator[Open]:
    """Return a function that starts a source of the second of four lanes."""
    made: list[FakeMonitor] = []
    sources: list[LaneSource] = []
    assert now

    def monitor(lane: MonitorLane) -> FakeMonitor:
        assert lane.lane == 1
        one = FakeMonitor(PROCESS)
        one.others = FakeReader()
        one.counts[tag_of(Elsewhere)] = [Tally(0, 0, 0)]
        if lane.traffic != -1:
            one.totals = lambda: [(0,) * TRAFFIC_WORDS]
        made.append(one)
        return one

    def opened(*beginning: AnyRecord, record_to: Path | None = None, traffic: int = -1) -> Lane:
        lane = MonitorLane("process", 1, 65_536, 10, 11, 12, 13, 14, traffic)
        source = LaneSource(LaneDescription(1, LANES, HEADER, (lane,), beginning), record_to=record_to)
        sources.append(source)
        source.start()
        if beginning:
            assert source.read(0) == list(beginning)
        return Lane(source, made)

    monkeypatch.setattr("pyloader.sources.lane.LaneMonitor", monitor)
    yield opened
    for source in sources:
        source.close()


def group_of(lane: int) -> int:
    """Return a control group of a lane."""
    return next(number for number in range(2, 10_000) if lane_of_cgroup(number, LANES) == lane)


@given(st.lists(any_records, max_size=4), st.integers(0, 15))
def test_description_survives_its_way(beginning: list[AnyRecord], lane: int) -> None:
    """A description as bytes is the same in the worker, and names every descriptor once."""
    description = LaneDescription(lane, 16, HEADER, (LANE, LANE), tuple(beginning))

    assert LaneDescription.decode(description.encode()) == description
    assert description.fds() == [10, 11, 12, 13, 14]


def test_copies_are_of_other_lanes(opened: Open) -> None:
    """What comes out of the ring of copies is told as a record that is judged elsewhere, in the order of time."""
    lane = opened()
    first, second, third = (exit_record(timestamp=SECOND + time) for time in (1, 2, 3))
    lane.own.fill(second)
    lane.others.fill(first, third)

    assert lane.source.read(0) == [Elsewhere.of(first), second, Elsewhere.of(third)]


def test_copy_that_is_damaged(opened: Open) -> None:
    """A copy that is no record is told as what it is, and costs no other."""
    lane = opened()
    lane.others.fill(b"\xc1", exit_record())

    told = lane.source.read(0)
    assert [type(one) for one in told] == [Elsewhere, Malformed]


def test_copies_are_given_back(opened: Open) -> None:
    """Copies that were handed out have their room again when the next records are asked for."""
    lane = opened()
    lane.others.fill(exit_record(), fork_record())
    lane.source.read(0)
    assert lane.others.acknowledged == 0

    lane.source.read(0)
    assert lane.others.acknowledged == 2


def test_copies_make_no_backlog(opened: Open, now: list[int]) -> None:
    """Copies wait until somebody reads, so old ones do not put off what has just come."""
    lane = opened()
    lane.source.read(0)
    now[0] += SECOND
    lane.others.fill(*(exit_record(timestamp=SECOND + time * 20 * MILLISECOND) for time in range(50)))
    lane.own.fill(fork_record(timestamp=now[0]))

    assert len(lane.source.read(0)) == 51


def test_waiting_for_both(opened: Open) -> None:
    """The descriptor polls readable when records of either kind are announced."""
    lane = opened()
    with select.epoll() as waiting:
        waiting.register(lane.source.fileno(), select.EPOLLIN)
        assert waiting.poll(0) == []
        lane.others.fill(exit_record())
        assert waiting.poll(0)


@pytest.mark.parametrize("lane", range(LANES))
def test_groups_are_announced_by_one_lane(opened: Open, lane: int) -> None:
    """The path of a control group comes as a record of its own in one lane, and as one of others in the rest."""
    opening = opened()
    group = group_of(lane)
    execution = exec_record(pid=group, cgroup=group)
    (opening.own if lane == 1 else opening.others).fill(execution)

    seen = CgroupSeen(SECOND, group, b"/x")
    assert opening.source.read(0)[0] == (seen if lane == 1 else Elsewhere.of(seen))


def test_groups_of_the_beginning_are_known(opened: Open) -> None:
    """A control group that the beginning told of, in either form, is not announced again."""
    own, other = group_of(1), group_of(2)
    lane = opened(CgroupSeen(SECOND, own, b"/own"), Elsewhere.of(CgroupSeen(SECOND, other, b"/other")), seen_record())
    lane.own.fill(*(exec_record(pid=group, cgroup=group) for group in (own, other)))

    assert [type(one) for one in lane.source.read(0)] == [ProcessExec, ProcessExec]


def test_losses_of_a_lane(opened: Open, now: list[int]) -> None:
    """A lane tells what it lost, copies as what they are."""
    lane = opened()
    lane.source.read(0)
    at = now[0]
    lane.made[0].lose(1, 0, lost=3, at=at)
    lane.made[0].lose(tag_of(Elsewhere), 0, lost=4, at=at)
    now[0] += LOSS_INTERVAL_NS

    assert lane.source.read(0) == [EventLoss(at, 1, 0, 3), EventLoss(at, tag_of(Elsewhere), 0, 4)]


@pytest.mark.parametrize("traffic", [-1, 15])
def test_totals_of_one_lane(opened: Open, now: list[int], traffic: int) -> None:
    """Only the lane that has the totals of all packets tells them, once a second."""
    lane = opened(traffic=traffic)
    lane.source.read(0)
    now[0] += LOSS_INTERVAL_NS

    told = [*lane.source.read(0), *lane.rest()]
    assert any(type(one) is NetworkTraffic for one in told) == (traffic != -1)


def test_what_others_put_in(opened: Open) -> None:
    """The parent's word comes with the next reading; whom to look at is not this source's to decide."""
    lane = opened()
    lane.source.attend(Focus({1: 1}, (), 1.0))
    lane.source.add([seen_record()])

    assert lane.source.read(0) == [seen_record()]


def test_end_of_a_lane(opened: Open) -> None:
    """At the end everything in both rings is told, and nothing is detached: that is for who attached it."""
    lane = opened()
    lane.own.fill(exit_record())
    lane.others.fill(fork_record())

    assert sorted(type(one).__name__ for one in lane.rest()) == ["Elsewhere", "ProcessExit"]


def test_lane_is_recorded(opened: Open, tmp_path: Path) -> None:
    """A recording of a lane holds copies, too, and can be read again."""
    lane = opened(record_to=tmp_path / "lane.rec")
    lane.own.fill(exit_record())
    lane.others.fill(fork_record())
    told = lane.source.read(0)

    reader = RecordingReader.open(tmp_path / "lane.rec")
    assert [one for batch in reader.batches() for one in batch] == told
    assert reader.header == HEADER
    reader.close()
