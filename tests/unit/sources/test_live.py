"""The stream of this kernel, with rings that a test fills."""

import os
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Self

import pytest

from pyloader.binding import Batch
from pyloader.errors import ClosedError, LoadError, NotPermittedError
from pyloader.monitors import PROCESS, Monitor, Rung
from pyloader.records import AnyRecord, CgroupSeen, EventLoss, Malformed, ProcessSeen
from pyloader.records.codec import ARRAY_HEADER, encode
from pyloader.records.recording import RecordingReader
from pyloader.sources import KernelSource
from tests.unit.examples import exec_record, exit_record, fork_record, seen_record

EXEC, FORK, EXIT = exec_record(cgroup=0), fork_record(), exit_record()


class _Ring:
    """A ring whose descriptor is a counter of the batches that wait."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_SEMAPHORE)
        self._batches: list[list[bytes]] = []

    def fill(self, *records: AnyRecord | bytes) -> None:
        """Add a batch."""
        self._batches.append([record if isinstance(record, bytes) else encode(record) for record in records])
        os.eventfd_write(self._descriptor, 1)

    def fileno(self) -> int:
        """Return what polls readable while a batch waits."""
        return self._descriptor

    def read(self) -> Batch | None:
        """Return the next batch."""
        if not self._batches:
            return None
        os.eventfd_read(self._descriptor)
        parts = self._batches.pop(0)
        data = b"\xdd" + len(parts).to_bytes(4, "big") + b"".join(parts)
        return Batch(memoryview(data), [ARRAY_HEADER + end for end in accumulate(map(len, parts))])

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


class _Loaded:
    """A monitor that is loaded, as far as a source is concerned."""

    def __init__(self, monitor: Monitor, *, ring_bytes: int) -> None:
        if monitor.name == "refused":
            message = "the kernel refused it"
            raise LoadError(message)
        assert ring_bytes == 65_536
        self.monitor = monitor
        self.rungs: dict[str, Rung] = {}
        self.ring = _Ring()
        self.counts = [0]
        self.done: list[str] = []

    def attach(self) -> None:
        """Note it."""
        self.done.append("attach")

    def detach(self) -> None:
        """Note it."""
        self.done.append("detach")

    def lost(self) -> Iterator[tuple[int, list[int]]]:
        """Yield the losses of executions."""
        yield 1, list(self.counts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.done.append("close")
        self.ring.close()


Loaded = dict[str, _Loaded]


@pytest.fixture(name="loaded")
def _loaded(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Put monitors without a kernel in place, on a host with one process; return the monitors that were loaded."""
    loaded: Loaded = {}

    def load(monitor: Monitor, *, ring_bytes: int) -> _Loaded:
        loaded[monitor.name] = made = _Loaded(monitor, ring_bytes=ring_bytes)
        return made

    def cgroup(pid: int, timestamp: int) -> CgroupSeen | None:
        return CgroupSeen(timestamp=timestamp, cgroup=7, path=b"/app") if pid in {50, 60} else None

    def processes(timestamp: int) -> Iterator[ProcessSeen]:
        yield seen_record(pid=50, timestamp=timestamp, cgroup=7)

    monkeypatch.setattr("pyloader.kernel.require", lambda _btf: None)
    monkeypatch.setattr("pyloader.sources.live.LoadedMonitor", load)
    monkeypatch.setattr("pyloader.host.procfs.processes", processes)
    monkeypatch.setattr("pyloader.host.procfs.cgroup", cgroup)
    return loaded


@pytest.fixture(name="opened")
def _opened(loaded: Loaded) -> Iterator[KernelSource]:
    """Return a source of one monitor, with nothing read yet."""
    assert loaded == {}
    source = KernelSource([PROCESS], ring_bytes=65_536)
    yield source
    source.close()


def _rest(source: KernelSource) -> list[AnyRecord]:
    """Stop a source and return everything that it still has to give."""
    source.stop()
    records: list[AnyRecord] = []
    while True:
        try:
            records += source.read(None)
        except EOFError:
            return records


def _kinds(records: list[AnyRecord]) -> list[type[AnyRecord]]:
    return [type(record) for record in records]


def test_running_processes_come_first(loaded: Loaded, opened: KernelSource) -> None:
    """The stream begins with the processes that run already, each behind the path of its control group."""
    loaded["process"].ring.fill(EXEC)
    opened.start()

    assert loaded["process"].done == ["attach"]
    assert _kinds(opened.read(0)) == [CgroupSeen, ProcessSeen]
    assert opened.read(0) == [EXEC]


def test_silence(opened: KernelSource) -> None:
    """A read that finds nothing returns nothing after its timeout."""
    opened.start()
    opened.read(0)

    assert opened.read(0.001) == []


def test_control_group_comes_before_its_records(loaded: Loaded, opened: KernelSource) -> None:
    """The path of a control group stands before the first record that names it, and is told once."""
    first, second = exec_record(pid=60, cgroup=7), exec_record(pid=60, cgroup=7)
    loaded["process"].ring.fill(first, second)
    loaded["process"].ring.fill(first)

    assert _kinds(opened.read(0)) == [CgroupSeen, type(first), type(second)]
    assert opened.read(0) == [first]


def test_malformed_record_is_told(loaded: Loaded, opened: KernelSource) -> None:
    """Bytes that are no record are told as such, between the records around them."""
    loaded["process"].ring.fill(EXEC, b"\xc1", EXIT)

    assert _kinds(opened.read(0)) == [type(EXEC), Malformed, type(EXIT)]


def test_losses_are_told(loaded: Loaded, opened: KernelSource) -> None:
    """What was lost is told when the source next looks, and at the latest at the end."""
    opened.start()
    opened.read(0)
    loaded["process"].counts[0] = 5
    [loss] = _rest(opened)

    assert isinstance(loss, EventLoss)
    assert (loss.lost, loss.cpu, loss.count) == (1, 0, 5)


def test_end(loaded: Loaded, opened: KernelSource) -> None:
    """After `stop` the programs are detached, what is in the rings is given, and then the end comes."""
    opened.start()
    opened.read(0)
    loaded["process"].ring.fill(EXEC)
    loaded["process"].ring.fill(FORK, EXIT)

    assert _rest(opened) == [EXEC, FORK, EXIT]
    assert set(loaded["process"].done) == {"attach", "detach"}


def test_stop_wakes_a_reader(opened: KernelSource) -> None:
    """A read without a timeout ends when the source is stopped."""
    opened.start()
    opened.read(0)
    opened.stop()

    assert opened.read(None) == []


def test_close(loaded: Loaded, opened: KernelSource) -> None:
    """A closed source holds nothing, can be closed and stopped again, and says that it is closed."""
    opened.start()
    opened.close()
    opened.close()
    opened.stop()

    assert loaded["process"].done[-1] == "close"
    with pytest.raises(ClosedError):
        opened.read(0)


def test_everything_is_recorded(loaded: Loaded, tmp_path: Path) -> None:
    """A recording holds all that was handed out, in order, in the bytes in which it came."""
    path = tmp_path / "x.rec"
    source = KernelSource([PROCESS], ring_bytes=65_536, record_to=path)
    source.start()
    loaded["process"].ring.fill(EXEC, exec_record(pid=60, cgroup=8))
    loaded["process"].ring.fill(EXEC, b"\xc1", EXIT)
    handed = source.read(0)
    loaded["process"].counts[0] = 3
    handed += _rest(source)
    source.close()
    reader = RecordingReader.open(path)
    recorded = [record for batch in reader.batches() for record in batch]
    reader.close()

    assert source.header == reader.header
    assert handed == recorded
    assert {EventLoss, Malformed, CgroupSeen, ProcessSeen} <= set(_kinds(recorded))


def _descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize("second", ["refused", "unrecordable"])
def test_failure_leaves_nothing_behind(loaded: Loaded, tmp_path: Path, second: str) -> None:
    """If a monitor is refused, or the recording cannot be written, what was opened before is closed."""
    before = len(_descriptors())
    record_to = tmp_path / "missing" / "x.rec" if second == "unrecordable" else None

    with pytest.raises(Exception, match=r"refused|cannot write the recording"):
        KernelSource([PROCESS, PROCESS._replace(name=second)], ring_bytes=65_536, record_to=record_to)

    assert all(monitor.done == ["close"] for monitor in loaded.values())
    assert before == len(_descriptors())


def test_host_that_cannot(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the host lacks something, nothing is loaded."""

    def require(_btf: object) -> None:
        message = "run as root"
        raise NotPermittedError(message)

    monkeypatch.setattr("pyloader.kernel.require", require)

    with pytest.raises(NotPermittedError):
        KernelSource([PROCESS], ring_bytes=65_536)

    assert loaded == {}
