"""What can change about a sensor while it runs."""

import threading
from collections.abc import Callable, Sequence
from typing import Self

import pytest

from pyloader import LoadError, Sensor, UsageError
from pyloader.engine import InProcess
from pyloader.monitors import CONNECTION, MONITORS, NETWORK, PROCESS, Monitor
from pyloader.records import AnyRecord
from pyloader.testing import FakeSource
from tests.unit.examples import exec_record, fork_record


class _Monitor:
    """A monitor that was opened, and may be closed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


class _Kernel(FakeSource):
    """A source that stands for the kernel: it blocks until it may go on, and notes what it is to watch."""

    def __init__(self, wanted: Sequence[Monitor], *, interfaces: Sequence[str], **_: object) -> None:
        batches: list[list[AnyRecord]] = [[exec_record()] for _ in range(4)]
        super().__init__(*batches)
        self.go_on = threading.Semaphore(0)
        self.watched = [([one.name for one in wanted], tuple(interfaces))]
        self.opened: list[_Monitor] = []
        self.refuses_to_open = self.refuses_exchange = False
        self.reading = threading.Lock()

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next batch once it may."""
        with self.reading:
            self.go_on.acquire()
            return super().read(timeout)

    def open(self, wanted: Sequence[Monitor], _interfaces: Sequence[str]) -> list[_Monitor]:
        """Open what was not watched before, or refuse."""
        if self.refuses_to_open:
            message = "no"
            raise LoadError(message)
        self.opened = [_Monitor(one.name) for one in wanted if one.name not in self.watched[-1][0]]
        return self.opened

    def exchange(self, wanted: Sequence[Monitor], interfaces: Sequence[str], _opened: list[_Monitor]) -> None:
        """Note it, or refuse."""
        assert self.reading.acquire(blocking=False), "somebody reads meanwhile"
        self.reading.release()
        if self.refuses_exchange:
            message = "there is no such interface"
            raise UsageError(message)
        self.watched.append(([one.name for one in wanted], tuple(interfaces)))


@pytest.fixture(name="make")
def _make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Sensor, _Kernel]]:
    """Return what makes a sensor and its source."""
    monkeypatch.setattr("pyloader.sensor.KernelSource", _Kernel)

    def make(*monitors: str, interfaces: Sequence[str] = ()) -> tuple[Sensor, _Kernel]:
        sensor = Sensor(monitors, interfaces=interfaces)
        engine = sensor._engine  # noqa: SLF001 -- the test's own.
        assert isinstance(engine, InProcess)
        source = engine.source
        assert isinstance(source, _Kernel)
        return sensor, source

    return make


Make = Callable[..., tuple[Sensor, _Kernel]]


def test_threshold() -> None:
    """Another threshold holds from the next record on."""
    suspicious = exec_record(stdio=0x666, comm=b"bash".ljust(16, b"\0"), exe=b"/usr/bin/bash", args=b"bash\0-i\0")
    source = FakeSource([suspicious], [fork_record()])
    with Sensor(source=source, min_score=100) as sensor:
        assert sensor.next() is not None
        sensor.reconfigure(min_score=0)
        source.add([exec_record(pid=5, stdio=0x666, args=b"bash\0-i\0", exe=b"/usr/bin/bash")])
        later = [alert for assessment in sensor for alert in assessment.alerts]

    assert len(later) == 1
    assert later[0].subject.pid == 5  # type: ignore[union-attr]


def test_monitors_before_anybody_reads(make: Make) -> None:
    """Where nobody reads, whoever asks changes the monitors, and what is omitted stays."""
    sensor, source = make("process")
    with sensor:
        sensor.reconfigure(monitors=["connection", "network"], interfaces=["eth0"])
        sensor.reconfigure(interfaces=["eth1"])
        sensor.reconfigure(interfaces=[])
        sensor.reconfigure(monitors=["process"])

    assert source.watched == [
        ([PROCESS.name], ()),
        ([CONNECTION.name, NETWORK.name], ("eth0",)),
        ([CONNECTION.name, NETWORK.name], ("eth1",)),
        ([CONNECTION.name], ()),
        ([PROCESS.name], ()),
    ]


def test_monitors_while_another_thread_reads(make: Make) -> None:
    """The monitors change between two readings, whoever reads."""
    sensor, source = make("process")
    with sensor:
        sensor.on_assessment(lambda _: None)
        sensor.start()
        asking = threading.Thread(target=sensor.reconfigure, kwargs={"monitors": ["memory"]})
        asking.start()
        source.go_on.release()
        asking.join()
        source.go_on.release(10)
        assert sensor.wait(10)

    assert source.watched[-1] == (["memory"], ())
    assert sensor.summary().records == {"process_exec": 4}


@pytest.mark.parametrize("when", ["refuses_to_open", "refuses_exchange"])
def test_refused_monitors(make: Make, when: str) -> None:
    """What is refused is raised where it was asked for, closes what was opened, and changes nothing."""
    sensor, source = make("process")
    with sensor:
        setattr(source, when, True)
        with pytest.raises((LoadError, UsageError)):
            sensor.reconfigure(monitors=["memory", "process"], interfaces=[])
        assert all(one.closed for one in source.opened)
        setattr(source, when, False)
        sensor.reconfigure(interfaces=[])

    assert source.watched == [(["process"], ()), (["process"], ())]


def test_what_was_opened_stays_open(make: Make) -> None:
    """Monitors that the source has taken belong to it."""
    sensor, source = make("process")
    with sensor:
        sensor.reconfigure(monitors=["memory"])

        assert [(one.name, one.closed) for one in source.opened] == [("memory", False)]


def test_what_makes_no_sense(make: Make) -> None:
    """Unknown monitors, interfaces for none, and monitors of what watches no kernel or has not begun, are errors."""
    sensor, _ = make("process")
    with pytest.raises(UsageError, match="only a started sensor"):
        sensor.reconfigure(monitors=["memory"])
    with sensor:
        with pytest.raises(UsageError, match="there is no monitor 'x'"):
            sensor.reconfigure(monitors=["x"])
        with pytest.raises(UsageError, match="interfaces are for the monitor network"):
            sensor.reconfigure(interfaces=["eth0"])
    with Sensor(source=FakeSource()) as other, pytest.raises(UsageError, match="watches this kernel"):
        other.reconfigure(monitors=list(MONITORS))
