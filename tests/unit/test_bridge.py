"""The bridge: which sensors it starts for whom, and when it stops them."""

import asyncio
import threading
from collections.abc import Sequence
from typing import cast

import pytest

from pyloader import Alert, Sensor
from pyloader.bridge import STREAMS, ConsciousnessBridge
from pyloader.errors import ClosedError, UsageError
from pyloader.hub import WhenFull
from pyloader.records import (
    KERNEL_RECORDS,
    AnyRecord,
    EventLoss,
    MemoryProtection,
    NetworkFlow,
    ProcessFork,
    Record,
    SocketCreated,
    tag_of,
)
from pyloader.scorer import Change
from pyloader.testing import FakeSource, make, remote_shell
from tests.unit.forked import in_a_fork

RECORDS: list[AnyRecord] = [
    make(ProcessFork, pid=101),
    make(MemoryProtection),
    make(EventLoss, lost=tag_of(MemoryProtection), count=3),
    make(EventLoss, lost=tag_of(ProcessFork), count=3),
    make(SocketCreated),
    make(NetworkFlow),
    remote_shell(timestamp=2_000_000_000),
]


class Held(FakeSource):
    """A source that gives its records when it may, and then nothing until it is stopped."""

    def __init__(
        self, *batches: list[AnyRecord], fails: type[Exception] | None = None, go: threading.Event | None = None
    ) -> None:
        super().__init__(*batches, fails=fails)
        self._go = go
        self._stopped = threading.Event()

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next batch, or wait for the end."""
        if self._go is not None:
            self._go.wait()
        if self._batches:
            return super().read(timeout)
        self._stopped.wait(timeout)
        raise EOFError

    def stop(self) -> None:
        """Let a read end."""
        self.asked.append("stop")
        self._stopped.set()


class Factory:
    """Makes sensors that see `RECORDS`, and writes down for which monitors."""

    def __init__(self, fails: type[Exception] | None = None, go: threading.Event | None = None) -> None:
        self.sources: dict[tuple[str, ...], Held] = {}
        self._fails = fails
        self._go = go

    def __call__(self, monitors: Sequence[str]) -> Sensor:
        """Make a sensor."""
        source = self.sources[tuple(monitors)] = Held(RECORDS, fails=self._fails, go=self._go)
        return Sensor(source=source)


@pytest.mark.parametrize(
    ("stream", "kinds"),
    [
        ("memory_events", [MemoryProtection, EventLoss]),
        ("process_events", [ProcessFork, EventLoss, type(remote_shell())]),
        ("connection_events", [SocketCreated]),
        ("network_events", [NetworkFlow]),
    ],
)
def test_events(stream: str, kinds: list[type[Record]]) -> None:
    """A stream of events has the records of its monitor, the losses among them, and no others."""
    factory = Factory()
    with ConsciousnessBridge(interfaces=["lo"], sensor_factory=factory) as bridge:
        consumer = bridge.register_ebpf_consumer(stream)
        told = [consumer.next(timeout=10) for _ in kinds]
        assert list(bridge.monitors) == [stream.removesuffix("_events")]

    assert [type(one.record) for one in told if one is not None] == kinds
    assert list(consumer) == []


def test_every_kernel_record_is_in_one_stream() -> None:
    """Each record that a kernel program writes belongs to exactly one stream of events."""
    everything = [cast("AnyRecord", make(kind)) for kind in KERNEL_RECORDS]
    told: list[type[Record]] = []
    with ConsciousnessBridge(
        interfaces=["lo"], sensor_factory=lambda _: Sensor(source=FakeSource(everything))
    ) as bridge:
        for stream in STREAMS:
            if stream.endswith("_events"):
                told += [type(one.record) for one in bridge.register_ebpf_consumer(stream)]

    assert sorted(kind.__name__ for kind in told) == sorted(kind.__name__ for kind in KERNEL_RECORDS)


def test_alerts_and_posture() -> None:
    """Alerts and changes of posture come from one sensor with every monitor that can run."""
    factory = Factory()
    with ConsciousnessBridge(sensor_factory=factory) as bridge:
        alert = bridge.register_ebpf_consumer("alerts").next(timeout=10)
        assert list(factory.sources) == [("connection", "memory", "process")]
    with ConsciousnessBridge(interfaces=["lo"], sensor_factory=factory) as other:
        posture = other.register_ebpf_consumer("posture", capacity=1, when_full=WhenFull.BLOCK).next(timeout=10)
        assert list(factory.sources)[1:] == [("connection", "memory", "network", "process")]

    assert isinstance(alert, Alert)
    assert isinstance(posture, Change)


def test_monitors_start_with_the_first_and_stop_with_the_last() -> None:
    """Consumers of the same monitors share a sensor, which ends when the last of them closes; others go on."""
    factory = Factory()
    with ConsciousnessBridge(sensor_factory=factory) as bridge:
        first = bridge.register_ebpf_consumer("memory_events")
        second = bridge.register_ebpf_consumer("memory_events")
        process = bridge.register_ebpf_consumer("process_events")
        assert list(bridge.monitors) == ["memory", "process"]

        first.close()
        first.close()
        assert factory.sources["memory",].asked == ["start"]
        second.close()
        assert factory.sources["memory",].asked == ["start", "stop", "close"]
        assert list(bridge.monitors) == ["process"]
        assert factory.sources["process",].asked == ["start"]
        assert process.next(timeout=10) is not None


def test_a_sensor_with_more_monitors_serves_those_who_need_fewer() -> None:
    """Whoever comes after a consumer of alerts is served by its sensor, and keeps that at work."""
    factory = Factory()
    with ConsciousnessBridge(sensor_factory=factory) as bridge:
        alerts = bridge.register_ebpf_consumer("alerts")
        memory = bridge.register_ebpf_consumer("memory_events")
        alerts.close()
        assert list(bridge.monitors) == ["connection", "memory", "process"]
        memory.close()
        assert list(bridge.monitors) == []

    assert [source.asked for source in factory.sources.values()] == [["start", "stop", "close"]]


def test_a_failing_consumer_disturbs_no_other() -> None:
    """What a callback raises reaches its own error handler; all others get everything."""
    errors: list[Exception] = []
    got: list[object] = []
    raised, seen, go = threading.Event(), threading.Event(), threading.Event()

    def failing(_: object) -> None:
        raise KeyError

    def handle(error: Exception) -> None:
        errors.append(error)
        raised.set()

    def working(item: object) -> None:
        got.append(item)
        if len(got) == 3:
            seen.set()

    with ConsciousnessBridge(sensor_factory=Factory(go=go)) as bridge:
        bridge.register_ebpf_consumer("process_events", failing, on_error=handle)
        bridge.register_ebpf_consumer("process_events", working)
        consumer = bridge.register_ebpf_consumer("memory_events")
        go.set()
        assert consumer.next(timeout=10) is not None
        assert raised.wait(10)
        assert seen.wait(10)

    assert [type(error) for error in errors] == [KeyError] * len(errors)


def test_async() -> None:
    """A consumer can be awaited and iterated in an event loop."""

    async def consume() -> list[object]:
        with ConsciousnessBridge(sensor_factory=lambda _: Sensor(source=FakeSource(RECORDS))) as bridge:
            consumer = bridge.register_ebpf_consumer("process_events")
            return [await consumer, *[one async for one in consumer], await consumer]

    *told, end = asyncio.run(consume())

    assert len(told) == 3
    assert end is None


def test_unknown_stream() -> None:
    """A stream that does not exist is refused together with the names of those that do, and starts nothing."""
    factory = Factory()
    with (
        ConsciousnessBridge(sensor_factory=factory) as bridge,
        pytest.raises(
            UsageError,
            match="no stream 'x'; there are: memory_events, process_events, network_events, connection_events, alerts, "
            "posture",
        ),
    ):
        bridge.register_ebpf_consumer("x")

    assert factory.sources == {}


def test_network_needs_interfaces() -> None:
    """Network events without an interface are refused with what to do."""
    with ConsciousnessBridge() as bridge, pytest.raises(UsageError, match=r"ConsciousnessBridge\(interfaces="):
        bridge.register_ebpf_consumer("network_events")


@pytest.mark.parametrize(
    ("stream", "interfaces", "monitors", "watched"),
    [
        ("memory_events", ["eth0"], ["memory"], ()),
        ("network_events", ["eth0"], ["network"], ["eth0"]),
        ("alerts", [], ["connection", "memory", "process"], ()),
    ],
)
def test_default_sensors(
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
    interfaces: list[str],
    monitors: list[str],
    watched: Sequence[str],
) -> None:
    """Without a factory each sensor gets its monitors, the interfaces if it watches them, and the threshold."""
    asked: list[object] = []

    def sensor(names: list[str], **options: object) -> Sensor:
        asked.append((names, options))
        return Sensor(source=Held())

    monkeypatch.setattr("pyloader.bridge.Sensor", sensor)
    with ConsciousnessBridge(interfaces=interfaces, min_score=70.0) as bridge:
        bridge.register_ebpf_consumer(stream)

    assert asked == [(monitors, {"interfaces": watched, "min_score": 70.0})]


def test_failed_start() -> None:
    """What keeps the monitors from starting is raised to whoever registers, and nothing of it stays."""
    factory = Factory(fails=ZeroDivisionError)
    with ConsciousnessBridge(sensor_factory=factory) as bridge:
        with pytest.raises(ZeroDivisionError):
            bridge.register_ebpf_consumer("memory_events")
        assert list(bridge.monitors) == []

    assert set(factory.sources["memory",].asked) == {"start", "close"}


def test_closed() -> None:
    """A closed bridge has stopped its monitors and starts no others; what waits can still be taken."""
    factory = Factory()
    bridge = ConsciousnessBridge(sensor_factory=factory)
    consumer = bridge.register_ebpf_consumer("memory_events")
    first = consumer.next(timeout=10)
    bridge.close()
    bridge.close()

    assert first is not None
    assert len(list(consumer)) == 1
    assert consumer.ended
    with pytest.raises(ClosedError, match="this bridge is closed"):
        bridge.register_ebpf_consumer("memory_events")


def test_fork() -> None:
    """In a forked child the bridge refuses to be used, and closing it there leaves the parent's at work."""
    factory = Factory()
    with ConsciousnessBridge(sensor_factory=factory) as bridge:
        consumer = bridge.register_ebpf_consumer("memory_events")
        assert in_a_fork(lambda: bridge.register_ebpf_consumer("alerts")).startswith("ForkedError: ")
        assert in_a_fork(bridge.close) == "None"
        assert in_a_fork(consumer.close) == "None"
        assert consumer.next(timeout=10) is not None
