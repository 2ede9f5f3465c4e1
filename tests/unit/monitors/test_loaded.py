"""A monitor that this process loads: its transport, its counts, and that it ends with its owner."""

import mmap
import struct
import sys
from collections.abc import Sequence
from typing import ClassVar

import pytest

from pyloader.errors import LoadError, ObjectError, UnsupportedError
from pyloader.monitors import PROCESS, LoadedMonitor, Tally, Transport
from pyloader.monitors.transport import best_transport
from pyloader.records import KERNEL_RECORDS, TAG_LIMIT, tag_of
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
        assert [one.left_out for one in kernel.made] == [["vital_lanes", "common_lanes", "samples"]] * 2
        assert isinstance(loaded.reader, _FakeRing)
        assert _FakeRing.opened == ([(MAP_FD, 131_072), (MAP_FD + 1, 131_072)],)
        assert (loaded.transport, loaded.monitor) == (RING, MONITOR)


def test_perf_transport(kernel: FakeKernel) -> None:
    """With a perf buffer no rings are made, and each CPU gets a share of the size."""
    with LoadedMonitor(MONITOR, ring_bytes=1_048_576, transport=PERF) as loaded:
        assert kernel.last.left_out == ["vital_lanes", "common_lanes", "vital", "common"]
        assert kernel.last.sizes == {}
        assert isinstance(loaded.reader, _FakePerf)
        assert _FakePerf.opened == (MAP_FD + MAPS.index("samples"), 65_536)


@pytest.mark.parametrize("transport", Transport)
def test_settings(kernel: FakeKernel, transport: Transport) -> None:
    """The programs are told the transport, that they are of no later generation, the size of a page, and one lane."""
    settings = struct.pack("=II32sII", transport is PERF, 0, b"", mmap.PAGESIZE, 1)
    with LoadedMonitor(MONITOR, ring_bytes=1_048_576, transport=transport):
        assert kernel.last.constants == {".rodata.settings": settings}


class _FakeRingMap:
    """A ring that was made for a lane."""

    made: ClassVar[list["_FakeRingMap"]] = []
    room: ClassVar[int] = 100

    def __init__(self, name: str, size: int) -> None:
        if len(self.made) == self.room:
            message = "Cannot allocate memory"
            raise OSError(12, message)
        self.name, self.size, self.closed = name, size, False
        self.made.append(self)

    def fileno(self) -> int:
        """Return a number that no descriptor has."""
        return 4_000_000 + self.made.index(self)

    def close(self) -> None:
        """Note it."""
        self.closed = True


@pytest.fixture(name="entries")
def _entries(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[int, int], int]:
    """Put rings for lanes in place; return which was put where, by map and lane."""
    entries: dict[tuple[int, int], int] = {}

    def put(map_fd: int, key: bytes, value: bytes) -> None:
        entries[map_fd, int.from_bytes(key, sys.byteorder)] = int.from_bytes(value, sys.byteorder)

    monkeypatch.setattr("pyloader.monitors.loaded.create_ring", _FakeRingMap)
    monkeypatch.setattr("pyloader.monitors.prepare.put_entry", put)
    monkeypatch.setattr(_FakeRingMap, "made", [])
    monkeypatch.setattr(_FakeRingMap, "room", 100)
    return entries


def test_several_lanes(kernel: FakeKernel, entries: dict[tuple[int, int], int]) -> None:
    """Each lane has a ring of each kind, where the programs look for it, and counts; nothing is read here."""
    kernel.refused = {"exec_1"}
    with LoadedMonitor(MONITOR, ring_bytes=131_072, lanes=3) as loaded:
        vital, common = MAP_FD + MAPS.index("vital_lanes"), MAP_FD + MAPS.index("common_lanes")
        rings = {(at, lane): 4_000_000 + 3 * (at == common) + lane for at in (vital, common) for lane in range(3)}
        assert entries == rings
        assert [one.size for one in _FakeRingMap.made] == [131_072] * 6
        for one in kernel.made:
            assert one.left_out == ["vital", "common", "samples"]
            assert one.inner == {"vital_lanes": 4_000_000, "common_lanes": 4_000_003}
            counts = dict.fromkeys(("tallies", "reported"), 3 * TAG_LIMIT)
            assert one.sizes == {"vital_lanes": 3, "common_lanes": 3, **counts}
            assert struct.unpack("=II32sII", one.constants[".rodata.settings"])[-1] == 3
        lane = loaded.lane(1)
        assert (lane.vital, lane.common, lane.others, lane.traffic) == (rings[vital, 1], rings[common, 1], -1, -1)
        assert lane.fds() == [lane.vital, lane.common, MAP_FD + MAPS.index("tallies"), MAP_FD + MAPS.index("reported")]
        assert _FakeReader.open == 0
        assert not any(one.closed for one in _FakeRingMap.made)
    assert all(one.closed for one in _FakeRingMap.made)


def test_lanes_that_cannot_be_made(
    kernel: FakeKernel, entries: dict[tuple[int, int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there is no room for the rings of all lanes, that is said, and those that were made are given back."""
    monkeypatch.setattr(_FakeRingMap, "room", 4)

    with pytest.raises(LoadError, match="cannot make rings of 65536 bytes for 3 workers: Cannot allocate"):
        LoadedMonitor(MONITOR, ring_bytes=65_536, lanes=3)
    assert [one.closed for one in _FakeRingMap.made] == [True] * 4
    assert entries == {}
    assert kernel.last.closed


def test_lanes_need_rings() -> None:
    """What goes through a perf buffer cannot be shared out, and it is said what can be done."""
    with pytest.raises(UnsupportedError, match="use one worker"):
        LoadedMonitor(MONITOR, ring_bytes=65_536, transport=PERF, lanes=2)


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
