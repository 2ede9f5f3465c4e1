"""A monitor that this process loads: its transport, its counts, and that it ends with its owner."""

import mmap
import struct
from collections.abc import Sequence
from typing import ClassVar

import pytest

from pyloader.errors import LoadError, ObjectError
from pyloader.monitors import PROCESS, LoadedMonitor, Tally, Transport
from pyloader.monitors.transport import best_transport
from pyloader.records import KERNEL_RECORDS, tag_of
from tests.unit.monitors.kernel import MAP_FD, MAPS, MONITOR, FakeKernel

RING, PERF = Transport.RING, Transport.PERF


class _FakeReader:
    """A reader that counts how many are open; `opened` is what the last one was made with."""

    open: ClassVar[int] = 0
    fails: ClassVar[bool] = False
    opened: ClassVar[tuple[object, ...]] = ()

    def __init__(self, *arguments: object, **options: object) -> None:
        if self.fails:
            message = "Cannot allocate memory"
            raise OSError(12, message)
        type(self).opened = (*arguments, *options.values())
        _FakeReader.open += 1
        self._closed = False

    def close(self) -> None:
        """Close once."""
        _FakeReader.open -= not self._closed
        self._closed = True


class _FakeRing(_FakeReader):
    """A reader of rings."""


class _FakePerf(_FakeReader):
    """A reader of perf buffers."""


class _FakeArray:
    """Numbers of two CPUs that can be set."""

    values: ClassVar[dict[tuple[int, int], list[int]]] = {}

    def __init__(self, map_fd: int, width: int) -> None:
        self._fd, self._width = map_fd, width

    def read(self, index: int) -> list[tuple[int, ...]]:
        """Return what was set, or the index."""
        values = self.values.get((self._fd, index), [index] * 2 * self._width)
        return [tuple(values[: self._width]), tuple(values[self._width :])]

    def write(self, index: int, numbers: Sequence[int]) -> None:
        """Set the numbers."""
        self.values[self._fd, index] = list(numbers)


@pytest.fixture(autouse=True)
def _readers(monkeypatch: pytest.MonkeyPatch, kernel: FakeKernel) -> None:
    """Put fakes in place of what reads maps."""
    assert kernel.made == []
    monkeypatch.setattr("pyloader.monitors.loaded.RingReader", _FakeRing)
    monkeypatch.setattr("pyloader.monitors.loaded.PerfReader", _FakePerf)
    monkeypatch.setattr("pyloader.monitors.active.PerCpuArray", _FakeArray)
    monkeypatch.setattr("pyloader.monitors.loaded.best_transport", lambda: RING)
    monkeypatch.setattr(_FakeArray, "values", {})
    monkeypatch.setattr(_FakeReader, "open", 0)
    monkeypatch.setattr(_FakeReader, "fails", False)


def test_ring_transport(kernel: FakeKernel) -> None:
    """With rings both have the wanted size on every attempt, the vital one is read first, and no perf map is made."""
    kernel.refused = {"exec_1"}
    with LoadedMonitor(MONITOR, ring_bytes=131_072) as loaded:
        assert [one.sizes for one in kernel.made] == [{"vital": 131_072, "common": 131_072}] * 2
        assert [one.left_out for one in kernel.made] == [["samples"]] * 2
        assert isinstance(loaded.reader, _FakeRing)
        assert _FakeRing.opened == ([(MAP_FD, 131_072), (MAP_FD + 1, 131_072)],)
        assert (loaded.transport, loaded.monitor) == (RING, MONITOR)


def test_perf_transport(kernel: FakeKernel) -> None:
    """With a perf buffer no rings are made, and each CPU gets a share of the size."""
    with LoadedMonitor(MONITOR, ring_bytes=1_048_576, transport=PERF) as loaded:
        assert kernel.last.left_out == ["vital", "common"]
        assert kernel.last.sizes == {}
        assert isinstance(loaded.reader, _FakePerf)
        assert _FakePerf.opened == (MAP_FD + MAPS.index("samples"), 65_536)


@pytest.mark.parametrize("transport", Transport)
def test_settings(kernel: FakeKernel, transport: Transport) -> None:
    """The programs are told the transport, that they are of no later generation, the size of a page, and one lane."""
    settings = struct.pack("=II32sII", transport is PERF, 0, b"", mmap.PAGESIZE, 1)
    with LoadedMonitor(MONITOR, ring_bytes=1_048_576, transport=transport):
        assert kernel.last.constants == {".rodata.settings": settings}


@pytest.mark.parametrize(("answer", "transport"), [(True, RING), (None, RING), (False, PERF)])
def test_best_transport(monkeypatch: pytest.MonkeyPatch, answer: object, transport: Transport) -> None:
    """Rings are used unless the kernel surely has none."""
    monkeypatch.setattr("pyloader.monitors.transport.can_create_map", lambda _: answer)

    assert transport is best_transport()


def test_refusals_are_told(kernel: FakeKernel) -> None:
    """A monitor tells which rungs hold and which did not."""
    kernel.unattachable = {"exit_1"}
    with LoadedMonitor(MONITOR, ring_bytes=65_536) as loaded:
        assert {hook: rung.program for hook, rung in loaded.rungs.items()} == {"exec": "exec_1", "exit": "exit_2"}
        assert [one.rung.program for one in loaded.refusals["exit"]] == ["exit_1"]


def test_detach_and_close(kernel: FakeKernel) -> None:
    """A monitor is at work at once, until `detach` or `close`, each of which can be repeated."""
    with LoadedMonitor(MONITOR, ring_bytes=65_536) as loaded:
        assert kernel.last.attached == ["exec_1", "exit_1"]
        loaded.detach()
        loaded.detach()
        assert (kernel.last.attached, kernel.last.closed, _FakeReader.open) == ([], False, 1)
    assert (kernel.last.closed, _FakeReader.open) == (True, 0)
    loaded.close()
    assert _FakeReader.open == 0


def test_close_detaches(kernel: FakeKernel) -> None:
    """What was not detached is detached with the rest."""
    LoadedMonitor(MONITOR, ring_bytes=65_536).close()

    assert (kernel.last.attached, kernel.last.closed, _FakeReader.open) == ([], True, 0)


def test_reader_that_fails(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the rings cannot be read, nothing stays in the kernel."""
    monkeypatch.setattr(_FakeReader, "fails", True)

    with pytest.raises(OSError, match="Cannot allocate memory"):
        LoadedMonitor(MONITOR, ring_bytes=65_536)

    assert [(one.closed, one.attached) for one in kernel.made] == [(True, [])]


def test_counts_that_fail(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the counters cannot be read, the reader is closed as well."""

    def refuse(_map_fd: int, width: int) -> None:
        raise LoadError(str(width))

    monkeypatch.setattr("pyloader.monitors.active.PerCpuArray", refuse)

    with pytest.raises(LoadError):
        LoadedMonitor(MONITOR, ring_bytes=65_536)
    assert (kernel.last.closed, _FakeReader.open) == (True, 0)


def test_last_rung_refused(kernel: FakeKernel) -> None:
    """A monitor that cannot be loaded is none."""
    kernel.refused = {"exit_1", "exit_2"}

    with pytest.raises(LoadError, match="exit_2"):
        LoadedMonitor(MONITOR, ring_bytes=65_536)
    assert all(one.closed for one in kernel.made)


def test_tallies() -> None:
    """What every CPU wrote and lost is told for every record type of the kernel, by tag."""
    with LoadedMonitor(MONITOR, ring_bytes=65_536) as loaded:
        tags = list(map(tag_of, KERNEL_RECORDS))

        assert [(tag, [Tally(tag, tag, tag)] * 2) for tag in tags] == list(loaded.tallies())


def test_reported() -> None:
    """How many losses were told is remembered beside the counters, for each type and CPU."""
    with LoadedMonitor(MONITOR, ring_bytes=65_536) as loaded:
        loaded.set_reported(1, [5, 6])

        assert (loaded.reported(1), loaded.reported(2)) == ([5, 6], [2, 2])


def test_object_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitor whose object file is missing says what to do."""
    monkeypatch.undo()
    with pytest.raises(ObjectError, match=r"missing\.bpf\.o; reinstall pyloader-ebpf"):
        LoadedMonitor(PROCESS._replace(object="missing.bpf.o", untyped_object=""), ring_bytes=65_536)
