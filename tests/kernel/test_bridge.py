"""The bridge on the running kernel: its monitors are there while somebody consumes what they tell."""

from pathlib import Path
from typing import Any

from pyloader.bridge import ConsciousnessBridge
from pyloader.hub import Subscription
from pyloader.records import MemoryProtection, Technique
from tests.kernel.acts import act
from tests.kernel.observing import kernel_ids, left_behind, run


def protection(consumer: Subscription[Any], pid: int) -> MemoryProtection | None:
    """Return the first change of memory to executable by one process, unless nothing comes for long."""
    for assessment in consumer.iter(timeout=20):
        record = assessment.record
        if isinstance(record, MemoryProtection) and record.pid == pid:
            return record
    return None


def test_memory_events(programs: Path) -> None:
    """A consumer of memory events is told of a real program that makes what it wrote executable."""
    with ConsciousnessBridge() as bridge:
        consumer = bridge.register_ebpf_consumer("memory_events")
        done = act([programs / "executable", "written"])
        record = protection(consumer, done.pid)

    assert record is not None
    assert record.technique == Technique.WRITTEN


def test_alerts_call_back(programs: Path) -> None:
    """A callback for alerts is called when a server runs machine code that came from the network."""
    alerts: list[Any] = []
    with ConsciousnessBridge(min_score=0) as bridge:
        bridge.register_ebpf_consumer("alerts", alerts.append)
        memory = bridge.register_ebpf_consumer("memory_events")
        assert list(bridge.monitors) == ["connection", "memory", "process"]
        done = act([programs / "executable", "memory_file"])
        assert protection(memory, done.pid) is not None

    assert done.pid in {getattr(alert.subject, "pid", None) for alert in alerts}


def test_monitors_are_gone_after_the_last_consumer(programs: Path) -> None:
    """Monitors stay while one consumer needs them, lose nothing when others come, and are gone after the last."""
    before = kernel_ids()
    with ConsciousnessBridge() as bridge:
        memory = bridge.register_ebpf_consumer("memory_events")
        one = act([programs / "executable", "written"])
        process = bridge.register_ebpf_consumer("process_events")
        two = act([programs / "executable", "written"])
        assert protection(memory, one.pid) is not None
        assert protection(memory, two.pid) is not None

        memory.close()
        assert list(bridge.monitors) == ["process"]
        run(["true"])
        assert process.next(timeout=20) is not None
        process.close()
        assert list(bridge.monitors) == []
        assert not any(left_behind(before).values())


def test_network_events() -> None:
    """A consumer of network events is told the totals of its interface."""
    with ConsciousnessBridge(interfaces=["lo"]) as bridge:
        consumer = bridge.register_ebpf_consumer("network_events")
        assert consumer.next(timeout=20) is not None
        assert list(bridge.monitors) == ["network"]
