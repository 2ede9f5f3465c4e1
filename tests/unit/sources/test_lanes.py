"""The monitors of several workers, in the process that loads them."""

import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, Self

import pytest

from pyloader.errors import BusyError, LoadError, UnsupportedError, UsageError
from pyloader.host import Focus
from pyloader.monitors import NETWORK, PROCESS, Monitor, MonitorLane, lane_of, lane_of_cgroup, only_one
from pyloader.monitors.on_interfaces import News
from pyloader.records import AnyRecord, CgroupSeen, Elsewhere, HookInUse, ProcessSeen
from pyloader.sources.lanes import Lanes
from tests.unit.examples import seen_record
from tests.unit.sources.monitors import RUNG

OTHER = PROCESS._replace(name="other")


class FakeLoaded:
    """A monitor that was loaded for several lanes."""

    def __init__(self, monitor: Monitor, **options: Any) -> None:  # noqa: ANN401 -- whatever it is loaded with.
        if monitor.name == "refused":
            message = "the kernel refused it"
            raise LoadError(message)
        self.monitor = monitor
        self.options = options
        self.rungs = {"exec": RUNG}
        self.done: list[str] = []
        self.news: News | None = None
        self._changes = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def lane(self, lane: int) -> MonitorLane:
        """Return descriptors that tell the lane."""
        return MonitorLane(self.monitor.name, lane, self.options["ring_bytes"], 100 + lane, 200 + lane, 300, 400)

    def filenos(self) -> list[int]:
        """Return what polls readable when interfaces change."""
        return [self._changes]

    def follow(self) -> News | None:
        """Return what is new, once."""
        news, self.news = self.news, None
        return news

    def detach(self) -> None:
        """Note it."""
        self.done.append("detach")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.done.append("close")
        os.close(self._changes)


class FakeWriter:
    """Notes whom it was told to look at."""

    def __init__(self, monitors: object) -> None:
        self.monitors = monitors
        written.clear()

    def write(self, *focus: object) -> None:
        """Note it."""
        written.append(focus)


written: list[tuple[object, ...]] = []


class FakePins(NamedTuple):
    """A pinned monitor."""

    monitor: Monitor


Loaded = dict[str, FakeLoaded]
Open = Callable[..., Lanes]


@pytest.fixture(name="loaded", autouse=True)
def _loaded(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Put monitors in place that need no kernel, on a host with processes in three control groups."""
    loaded: Loaded = {}

    def load(monitor: Monitor, *_: object, **options: object) -> FakeLoaded:
        loaded[monitor.name] = FakeLoaded(monitor, **options)
        return loaded[monitor.name]

    def processes(timestamp: int) -> Iterator[ProcessSeen]:
        for pid in range(1, 13):
            yield seen_record(pid=pid, timestamp=timestamp, cgroup=pid // 4, session=pid)

    monkeypatch.setattr("pyloader.kernel.require", lambda _btf: None)
    monkeypatch.setattr("pyloader.sources.lanes.sweep_left_behind", list)
    monkeypatch.setattr("pyloader.sources.lanes.AttentionWriter", FakeWriter)
    for name in ("LoadedMonitor", "InterfaceMonitor"):
        monkeypatch.setattr(f"pyloader.sources.lanes.{name}", load)
    monkeypatch.setattr("pyloader.sources.lanes.pinned_monitors", lambda _instance, _monitors: [])
    monkeypatch.setattr("pyloader.host.procfs.processes", processes)
    monkeypatch.setattr("pyloader.host.procfs.cgroup", lambda pid, time: CgroupSeen(time, pid // 4, b"/x"))
    return loaded


@pytest.fixture(name="opened")
def _opened() -> Iterator[Open]:
    """Return a function that starts monitors for lanes."""
    opened: list[Lanes] = []

    def start(*monitors: Monitor, lanes: int = 4, **options: Any) -> Lanes:  # noqa: ANN401 -- whatever it takes.
        made = Lanes(monitors or [PROCESS], lanes=lanes, ring_bytes=65_536, **options)
        opened.append(made)
        made.start()
        return made

    yield start
    for one in opened:
        one.close()


def test_every_monitor_is_loaded_for_all_lanes(opened: Open, loaded: Loaded) -> None:
    """All monitors are loaded with as many lanes, and a description tells the descriptors of one."""
    lanes = opened(PROCESS, NETWORK, interfaces=["v0"])
    description = lanes.description(3)

    assert [one.options["lanes"] for one in loaded.values()] == [4, 4]
    assert (description.lane, description.lanes, description.header) == (3, 4, lanes.header)
    assert [one.monitor for one in description.monitors] == ["process", "network"]
    assert description.fds() == [103, 203, 300, 400]


def test_each_process_is_told_by_one_lane(opened: Open) -> None:
    """Of the processes that run, and of their control groups, each lane tells its own and knows all others."""
    lanes = opened()
    beginnings = [lanes.description(lane).beginning for lane in range(4)]

    for pid in range(1, 13):
        told = [_form_of(pid, records) for records in beginnings]
        assert sorted(told) == [False, False, False, True]
        assert told.index(True) == lane_of(pid // 4, pid, 4)
    for group in (1, 2, 3):
        at = [lane for lane, one in enumerate(beginnings) for seen in one if _is_group(seen, group)]
        assert at == [lane_of_cgroup(group, 4)]
        known = [
            seen for one in beginnings for seen in one if type(seen) is Elsewhere and _is_group(seen.record, group)
        ]
        assert len(known) == 3


def _form_of(pid: int, records: tuple[AnyRecord, ...]) -> bool:
    """Return whether a lane tells a process itself, which it must know in either case."""
    (form,) = [one for one in records if getattr(one.record if type(one) is Elsewhere else one, "pid", None) == pid]
    return type(form) is ProcessSeen


def _is_group(record: AnyRecord, group: int) -> bool:
    return type(record) is CgroupSeen and record.cgroup == group


def test_hooks_are_told_by_the_first_lane(opened: Open) -> None:
    """How the monitors observe is told once, not by every worker."""
    lanes = opened(PROCESS, OTHER)
    hooks = [[type(one) for one in lanes.description(lane).beginning].count(HookInUse) for lane in range(4)]

    assert hooks == [2, 0, 0, 0]


def test_interfaces_are_followed(opened: Open, loaded: Loaded) -> None:
    """What becomes of interfaces is told as hooks in use, and nothing when nothing has happened."""
    lanes = opened(NETWORK, interfaces=["v0"])
    assert lanes.follow() == []
    loaded["network"].news = News({"packets v1": RUNG}, {"packets v0": RUNG._replace(name="none")})

    assert [(one.hook, one.rung) for one in lanes.follow()] == [
        (b"packets v0", b"none"),
        (b"packets v1", RUNG.name.encode()),
    ]
    assert lanes.follow() == []
    assert lanes.fileno() > 0


def test_monitors_without_interfaces(opened: Open) -> None:
    """Without the network monitor there is nothing to follow."""
    assert opened().follow() == []


def test_attention_is_written_once_for_all(opened: Open) -> None:
    """Whom all workers together want to look at is written for all monitors."""
    lanes = opened()
    lanes.attend(Focus({7: 2}, (bytes(16),), 0.5))

    assert written == [({7: 2}, (bytes(16),), 0.5)]


def test_end_of_lanes(opened: Open, loaded: Loaded) -> None:
    """Detached monitors stay until they are closed, so that the workers can read what is left; then all is closed."""
    lanes = opened(PROCESS, OTHER)
    lanes.detach()
    assert [one.done for one in loaded.values()] == [["detach"]] * 2

    lanes.close()
    lanes.close()
    assert [one.done for one in loaded.values()] == [["detach", "close"]] * 2


def test_monitor_that_is_refused(opened: Open, loaded: Loaded) -> None:
    """When one monitor cannot be loaded, none stays behind."""
    refused = Lanes([PROCESS, PROCESS._replace(name="refused")], lanes=2)
    with pytest.raises(LoadError):
        refused.start()
    refused.close()

    assert loaded["process"].done == ["close"]
    assert opened(PROCESS).monitors


def test_pinned_monitors_are_not_shared_out(monkeypatch: pytest.MonkeyPatch, opened: Open, loaded: Loaded) -> None:
    """Monitors that an instance has pinned have one reader, and it is said what can be done."""
    monkeypatch.setattr("pyloader.sources.lanes.pinned_monitors", lambda _name, _all: [FakePins(PROCESS)])

    with pytest.raises(UnsupportedError, match=r"process of instance lanes-test is pinned .* pyloader unload"):
        opened(instance="lanes-test")
    assert loaded == {}


def test_one_process_for_an_instance(opened: Open, loaded: Loaded) -> None:
    """While somebody else has the instance nothing is loaded."""
    with only_one("lanes-test"), pytest.raises(BusyError):
        opened(instance="lanes-test")
    assert loaded == {}


@pytest.mark.parametrize("lanes", [0, 17])
def test_so_many_workers_there_cannot_be(lanes: int) -> None:
    """A wrong number is refused before anything is done."""
    with pytest.raises(UsageError, match="1 to 16"):
        Lanes([PROCESS], lanes=lanes)
