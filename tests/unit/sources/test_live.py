"""The stream of this kernel, with rings that a test fills and a clock that it sets."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from pyloader.errors import BusyError, ClosedError, LoadError, NotPermittedError
from pyloader.host import Focus
from pyloader.monitors import PROCESS, Monitor, Transport
from pyloader.records import AnyRecord, CgroupSeen, EventLoss, HookInUse, Malformed, ProcessSeen
from pyloader.records.recording import RecordingReader
from pyloader.sources import KernelSource
from pyloader.sources.reading import LOSS_INTERVAL_NS, SLICE_NS
from tests.unit.examples import SECOND, exec_record, exit_record, fork_record, seen_record
from tests.unit.sources.monitors import FakeMonitor, FakeReader

MILLISECOND = SECOND // 1000

EXEC, FORK, EXIT = exec_record(cgroup=0), fork_record(), exit_record()

OTHER = PROCESS._replace(name="other")


class Clock:
    """The boot-time clock; it goes on by a microsecond with every look, as time does."""

    def __init__(self) -> None:
        self.now = SECOND + MILLISECOND

    def __call__(self) -> int:
        """Return the time in nanoseconds."""
        self.now += 1_000
        return self.now


Loaded = dict[str, FakeMonitor]
Open = Callable[..., KernelSource]


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put a clock of its own in place, a little after the stamp of the examples."""
    clock = Clock()
    for module in ("reading", "live"):
        monkeypatch.setattr(f"pyloader.sources.{module}.boot_now", clock)
    return clock


@pytest.fixture(name="loaded")
def _loaded(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Loaded:
    """Put monitors without a kernel in place, on a host with one process; return the monitors that were loaded."""
    loaded: Loaded = {}

    def load(monitor: Monitor, *, ring_bytes: int, transport: Transport | None, btf: Path | None) -> FakeMonitor:
        if monitor.name == "refused":
            message = "the kernel refused it"
            raise LoadError(message)
        assert (ring_bytes, btf) == (65_536, None)
        made = FakeMonitor(monitor)
        made.reader.knows_stamps = transport is not Transport.PERF
        loaded[monitor.name] = made
        return made

    def cgroup(pid: int, timestamp: int) -> CgroupSeen | None:
        return CgroupSeen(timestamp=timestamp, cgroup=7, path=b"/app") if pid in {50, 60} else None

    def processes(timestamp: int) -> Iterator[ProcessSeen]:
        yield seen_record(pid=50, timestamp=timestamp, cgroup=7)

    assert clock.now
    monkeypatch.setattr("pyloader.kernel.require", lambda _btf: None)
    monkeypatch.setattr("pyloader.sources.live.LoadedMonitor", load)
    monkeypatch.setattr("pyloader.host.procfs.processes", processes)
    monkeypatch.setattr("pyloader.host.procfs.cgroup", cgroup)
    return loaded


@pytest.fixture(name="open_source")
def _open_source(loaded: Loaded) -> Iterator[Open]:
    """Return a function that starts a source, of one monitor unless others are given, and reads how it begins."""
    assert loaded == {}
    sources: list[KernelSource] = []

    def open_source(
        *monitors: Monitor, transport: Transport | None = None, instance: str | None = None
    ) -> KernelSource:
        source = KernelSource(monitors or [PROCESS], ring_bytes=65_536, transport=transport, instance=instance)
        sources.append(source)
        source.start()
        source.read(0)
        return source

    yield open_source
    for source in sources:
        source.close()


@pytest.fixture(name="opened")
def _opened(open_source: Open) -> KernelSource:
    """Return a source of one monitor whose beginning was read."""
    return open_source()


@pytest.fixture(name="reader")
def _reader(opened: KernelSource, loaded: Loaded) -> FakeReader:
    """Return the ring of that source's monitor."""
    assert len(opened.monitors) == 1
    return loaded["process"].reader


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


def test_beginning(loaded: Loaded) -> None:
    """The stream begins with the hooks in use and the processes that run, each behind its control group's path."""
    source = KernelSource([PROCESS], ring_bytes=65_536)
    assert loaded == {}
    source.start()
    loaded["process"].reader.fill(EXEC)
    first = source.read(0)

    assert _kinds(first) == [HookInUse, CgroupSeen, ProcessSeen]
    assert source.read(0) == [EXEC]
    [hook] = [record for record in first if isinstance(record, HookInUse)]
    assert (hook.monitor, hook.hook, hook.rung) == (b"process", b"exec", b"tp/sample")
    assert (hook.blind_to, hook.cost) == (b"much", b"little")
    source.close()


def test_silence(opened: KernelSource) -> None:
    """A read that finds nothing returns nothing after its timeout."""
    assert opened.read(0.001) == []


def test_control_group_comes_before_its_records(opened: KernelSource, reader: FakeReader, clock: Clock) -> None:
    """The path of a control group stands before the first record that names it, and is told once."""
    first, second = exec_record(pid=60, cgroup=8), exec_record(pid=61, cgroup=7)
    known = exec_record(pid=60, cgroup=7, timestamp=clock.now)
    reader.fill(first, second)
    assert opened.read(0) == [first, second]

    reader.fill(known)
    assert opened.read(0) == [known]


def test_new_control_group(loaded: Loaded, open_source: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control group that is met for the first time is announced before its record."""
    monkeypatch.setattr("pyloader.host.procfs.processes", lambda _: iter(()))
    source = open_source()
    record = exec_record(pid=60, cgroup=7)
    loaded["process"].reader.fill(record, record)

    assert _kinds(source.read(0)) == [CgroupSeen, type(record), type(record)]


def test_malformed_record_is_told(opened: KernelSource, reader: FakeReader) -> None:
    """Bytes that are no record are told as such, and cost nothing of the records around them."""
    reader.fill(EXEC, b"\xc1", EXIT)
    told = opened.read(0)

    assert [record for record in told if not isinstance(record, Malformed)] == [EXEC, EXIT]
    assert [record.raw for record in told if isinstance(record, Malformed)] == [b"\xc1"]


def test_rings_are_merged(open_source: Open, loaded: Loaded) -> None:
    """Records of several monitors come as one stream by their stamps, whatever ring was read first."""
    source = open_source(PROCESS, OTHER)
    loaded["process"].reader.fill(exec_record(timestamp=SECOND + 2, cgroup=0))
    loaded["other"].reader.fill(fork_record(timestamp=SECOND + 1), exit_record(timestamp=SECOND + 3))

    assert [record.timestamp - SECOND for record in source.read(0)] == [1, 2, 3]


def test_record_of_the_future(opened: KernelSource, reader: FakeReader, clock: Clock) -> None:
    """What was stamped after a reading began stays in its ring for the next one."""
    late = exec_record(timestamp=clock.now + 5 * MILLISECOND, cgroup=0)
    reader.fill(EXEC, late)
    assert opened.read(0) == [EXEC]

    clock.now += 5 * MILLISECOND
    assert opened.read(0) == [late]


def test_perf_records_of_the_future(open_source: Open, loaded: Loaded, clock: Clock) -> None:
    """A perf buffer is read whole; what was stamped after the reading began is held back until the next one."""
    source = open_source(transport=Transport.PERF)
    late = exec_record(timestamp=clock.now + 5 * MILLISECOND, cgroup=0)
    loaded["process"].reader.fill(late, EXEC)
    assert source.read(0) == [EXEC]

    clock.now += 5 * MILLISECOND
    assert source.read(None) == [late]


def test_more_than_a_buffer_full(opened: KernelSource, loaded: Loaded) -> None:
    """One reading goes on until everything up to the horizon was taken, however small the reader's buffer."""
    monitor = loaded["process"]
    monitor.reader.close()
    monitor.reader = FakeReader(room=2)
    records = [exec_record(timestamp=SECOND + number, cgroup=0) for number in range(5)]
    monitor.reader.fill(*records)

    # The new ring is not polled, so the source waits for its timeout; then it reads all the same.
    assert opened.read(0) == records


def test_acknowledgement(opened: KernelSource, reader: FakeReader) -> None:
    """A record is dealt with only when the next ones are asked for, and its room is given back then, too."""
    reader.fill(EXEC, EXIT)
    opened.read(0)
    assert (reader.committed, reader.acknowledged) == (0, 0)

    opened.read(0)
    assert (reader.committed, reader.acknowledged) == (2, 2)


def test_unacknowledged_at_the_end(opened: KernelSource, reader: FakeReader) -> None:
    """What was handed out last and never followed by another read is not dealt with: the next reader gets it."""
    reader.fill(EXEC)
    opened.read(0)
    opened.close()

    assert (reader.committed, reader.acknowledged) == (0, 0)


def test_backlog_in_slices(opened: KernelSource, reader: FakeReader, clock: Clock) -> None:
    """A backlog is told in slices of time, each of which is acknowledged for itself before the next."""
    starts = [2 * SECOND, 3 * SECOND, 4 * SECOND]
    records = [
        exec_record(timestamp=start + offset, cgroup=0) for start in starts for offset in (0, SLICE_NS // 2, SLICE_NS)
    ]
    records += [exec_record(timestamp=4 * SECOND + SLICE_NS + 1, cgroup=0)]
    reader.fill(*records)
    clock.now = 60 * SECOND
    told, acknowledged = [], []
    for _ in range(4):
        told.append(opened.read(0))
        acknowledged.append(reader.committed)

    assert told == [records[0:3], records[3:6], records[6:9], records[9:]]
    assert acknowledged == [0, 3, 6, 9]


def test_backlogs_of_two_monitors(open_source: Open, loaded: Loaded, clock: Clock) -> None:
    """Backlogs of several rings are told as one stream: a slice begins with the oldest of all."""
    source = open_source(PROCESS, OTHER)
    first, third = (exec_record(timestamp=at * SECOND, cgroup=0) for at in (2, 4))
    second, fourth = (fork_record(timestamp=at * SECOND) for at in (3, 5))
    loaded["process"].reader.fill(first, third)
    loaded["other"].reader.fill(second, fourth)
    clock.now = 60 * SECOND

    assert [source.read(0) for _ in range(4)] == [[first], [second], [third], [fourth]]


def test_losses_are_told(opened: KernelSource, loaded: Loaded, clock: Clock) -> None:
    """What was lost is told where it happened, and at the latest at the end."""
    loaded["process"].lose(1, 0, lost=5, at=clock.now)
    loaded["process"].reader.fill(exec_record(timestamp=clock.now - 1, cgroup=0))
    told = _rest(opened)

    assert told[-1] == EventLoss(timestamp=told[-1].timestamp, lost=1, cpu=0, count=5)
    assert len(told) == 2


def test_losses_are_looked_at_in_time(opened: KernelSource, loaded: Loaded, clock: Clock) -> None:
    """Without any record the loss counters are looked at once a second, and told to the kernel one read later."""
    opened.read(0)
    clock.now += LOSS_INTERVAL_NS
    loaded["process"].lose(1, 0, lost=5, at=clock.now)

    assert _kinds(opened.read(0)) == [EventLoss]
    assert loaded["process"].told == {}
    assert opened.read(0) == []
    assert loaded["process"].told == {1: [5]}


def test_losses_of_a_full_ring(opened: KernelSource, loaded: Loaded, clock: Clock) -> None:
    """After a reading of half a ring and more the loss counters are looked at at once."""
    opened.read(0)
    loaded["process"].lose(1, 0, lost=5, at=clock.now)
    loaded["process"].reader.fill(*[exec_record(timestamp=clock.now, cgroup=0, args=b"x" * 4_000)] * 9)

    assert EventLoss in _kinds(opened.read(0))


def test_attention(open_source: Open, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Of all that was asked for within a second the last is written, and the end clears it."""
    written: list[Focus | str] = []

    class Writer:
        def __init__(self, monitors: list[FakeMonitor]) -> None:
            assert [monitor.monitor for monitor in monitors] == [PROCESS]

        def write(self, *focus: object) -> None:
            written.append(Focus(*focus))  # type: ignore[arg-type]

        def clear(self) -> None:
            written.append("cleared")

    monkeypatch.setattr("pyloader.sources.live.AttentionWriter", Writer)
    source = open_source()
    one, two, three = (Focus({pid: 1}, (bytes(16),), 0.5) for pid in (1, 2, 3))
    source.read(0)
    source.attend(one)
    source.attend(two)
    source.read(0)
    assert written == []
    clock.now += LOSS_INTERVAL_NS
    source.read(0)
    source.attend(three)
    source.read(0)
    assert written == [two]
    clock.now += LOSS_INTERVAL_NS
    source.read(0)
    source.close()

    assert written == [two, three, "cleared"]


def test_end(opened: KernelSource, loaded: Loaded, reader: FakeReader) -> None:
    """After `stop` the programs are detached, what is in the rings is given, and then the end comes."""
    reader.fill(EXEC)
    reader.fill(FORK, EXIT)

    assert _rest(opened) == [EXEC, FORK, EXIT]
    assert loaded["process"].done == ["detach"]
    assert reader.committed == 3


def test_end_of_pinned_monitors(opened: KernelSource, reader: FakeReader, clock: Clock) -> None:
    """Monitors that go on do not keep a source from its end: what comes after `stop` is left for the next reader."""
    reader.fill(EXEC)
    opened.stop()
    told = opened.read(None)
    for _ in range(3):
        clock.now += MILLISECOND
        reader.fill(exec_record(timestamp=clock.now, cgroup=0))
        try:
            told += opened.read(None)
        except EOFError:
            break
    else:
        pytest.fail("the source does not end")

    assert told == [EXEC]
    assert reader.committed == 1


def test_end_in_a_backlog(opened: KernelSource, reader: FakeReader, clock: Clock) -> None:
    """A source that is stopped in a backlog still tells all of it, in slices."""
    records = [exec_record(timestamp=at * SECOND, cgroup=0) for at in range(2, 6)]
    reader.fill(*records)
    clock.now = 60 * SECOND

    assert _rest(opened) == records


def test_stop_wakes_a_reader(opened: KernelSource) -> None:
    """A read without a timeout ends when the source is stopped."""
    begin = time.monotonic()
    opened.stop()

    assert opened.read(None) == []
    assert time.monotonic() - begin < 0.5


def test_close(opened: KernelSource, loaded: Loaded) -> None:
    """A closed source holds nothing, can be closed and stopped again, and says that it is closed."""
    opened.close()
    opened.close()
    opened.stop()

    assert loaded["process"].done == ["close"]
    with pytest.raises(ClosedError):
        opened.read(0)


def test_source_that_never_started(loaded: Loaded) -> None:
    """A source that was made and not started has loaded nothing, and can be closed."""
    before = _descriptors()
    source = KernelSource([PROCESS], ring_bytes=65_536, instance="never")
    source.close()

    assert loaded == {}
    assert before == _descriptors()


def test_everything_is_recorded(loaded: Loaded, tmp_path: Path, clock: Clock) -> None:
    """A recording holds all that was handed out, in order."""
    path = tmp_path / "x.rec"
    source = KernelSource([PROCESS], ring_bytes=65_536, record_to=path)
    source.start()
    loaded["process"].reader.fill(EXEC, exec_record(pid=60, cgroup=8))
    handed = source.read(0)
    handed += source.read(0)
    loaded["process"].reader.fill(EXEC, b"\xc1", EXIT)
    loaded["process"].lose(1, 0, lost=3, at=clock.now)
    handed += _rest(source)
    source.close()
    reader = RecordingReader.open(path)
    recorded = [record for batch in reader.batches() for record in batch]
    reader.close()

    assert source.header == reader.header
    assert handed == recorded
    assert {EventLoss, Malformed, CgroupSeen, ProcessSeen, HookInUse} <= set(_kinds(recorded))


def test_records_are_recorded_as_they_came(loaded: Loaded, tmp_path: Path) -> None:
    """The bytes of a record from the kernel stand in the recording as they came, however wide their numbers."""
    path = tmp_path / "x.rec"
    wide = bytearray(b"\xdc\x00\x0b\xcc\x03\xcf" + SECOND.to_bytes(8, "big"))
    wide += b"".join(b"\xce" + number.to_bytes(4, "big") for number in (100, 1))
    wide += b"\xcf" + (1000).to_bytes(8, "big")
    wide += b"".join(b"\xce" + number.to_bytes(4, "big") for number in (1000, 0, 0, 0))
    wide += b"\xcf" + SECOND.to_bytes(8, "big") + b"\xc4\x10" + b"true".ljust(16, b"\0")
    source = KernelSource([PROCESS], ring_bytes=65_536, record_to=path)
    source.start()
    loaded["process"].reader.fill(bytes(wide))
    assert len(source.read(0)) + len(source.read(0)) == 4
    source.close()

    assert bytes(wide) in path.read_bytes()


def _descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize("second", ["refused", "unrecordable"])
def test_failure_leaves_nothing_behind(loaded: Loaded, tmp_path: Path, second: str) -> None:
    """If a monitor is refused, or the recording cannot be written, what was opened before is closed."""
    before = len(_descriptors())
    record_to = tmp_path / "missing" / "x.rec" if second == "unrecordable" else None
    source = KernelSource([PROCESS, PROCESS._replace(name=second)], ring_bytes=65_536, record_to=record_to)

    with pytest.raises(Exception, match=r"refused|cannot write the recording"):
        source.start()
    source.close()

    assert all(monitor.done == ["close"] for monitor in loaded.values())
    assert before == len(_descriptors())


def test_host_that_cannot(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the host lacks something, nothing is loaded."""

    def require(_btf: object) -> None:
        message = "run as root"
        raise NotPermittedError(message)

    monkeypatch.setattr("pyloader.kernel.require", require)
    source = KernelSource([PROCESS], ring_bytes=65_536)
    with pytest.raises(NotPermittedError):
        source.start()
    source.close()

    assert loaded == {}


class _Pins:
    """Pins of the process monitor, and of no other; `pinned` gets what is found."""

    pinned: ClassVar[Loaded] = {}

    def __init__(self, monitor: Monitor, instance: str) -> None:
        assert instance == "second"
        self.monitor = monitor

    def find(self) -> FakeMonitor | None:
        """Return the process monitor at work."""
        if self.monitor.name != "process":
            return None
        self.pinned[self.monitor.name] = made = FakeMonitor(self.monitor)
        return made


@pytest.fixture(name="pinned")
def _pinned(monkeypatch: pytest.MonkeyPatch) -> Loaded:
    """Let the process monitor be pinned; return the monitors that were found so."""
    monkeypatch.setattr("pyloader.sources.live.Pins", _Pins)
    monkeypatch.setattr(_Pins, "pinned", {})
    return _Pins.pinned


def test_pinned_monitors_are_read(open_source: Open, loaded: Loaded, pinned: Loaded) -> None:
    """What an instance has pinned is read, what it has not is loaded, and both are one stream."""
    source = open_source(PROCESS, OTHER, instance="second")
    pinned["process"].reader.fill(EXEC)
    loaded["other"].reader.fill(FORK)

    assert (set(pinned), set(loaded)) == ({"process"}, {"other"})
    assert source.read(0) == [EXEC, FORK]


@pytest.mark.parametrize(("instance", "transport"), [(None, None), ("second", Transport.PERF)])
def test_pinned_monitors_are_left_alone(
    open_source: Open, loaded: Loaded, pinned: Loaded, instance: str | None, transport: Transport | None
) -> None:
    """Without an instance, or with a transport that nothing pinned has, monitors are loaded."""
    open_source(PROCESS, instance=instance, transport=transport)

    assert (set(pinned), set(loaded)) == (set(), {"process"})


@pytest.mark.usefixtures("pinned")
def test_one_source_for_an_instance(open_source: Open, loaded: Loaded) -> None:
    """A second source of an instance loads nothing; after the first is closed, another can have the name."""
    first = open_source(OTHER, instance="second")
    loaded.clear()
    second = KernelSource([OTHER], ring_bytes=65_536, instance="second")
    with pytest.raises(BusyError):
        second.start()
    second.close()
    assert loaded == {}

    first.close()
    open_source(OTHER, instance="second")
    assert set(loaded) == {"other"}


def _exchange(source: KernelSource, *wanted: Monitor) -> None:
    """Watch with these monitors from now on."""
    source.exchange(wanted, (), source.open(wanted, ()))


def _told(records: list[AnyRecord]) -> list[AnyRecord]:
    """Return what is neither about hooks nor about processes that were there."""
    return [one for one in records if type(one) not in {HookInUse, ProcessSeen, CgroupSeen}]


def test_monitors_can_be_exchanged(opened: KernelSource, loaded: Loaded, clock: Clock) -> None:
    """What a monitor saw before it went is told, it is closed after that, and what comes is merged with it."""
    first = exec_record(pid=1, cgroup=0)
    loaded["process"].reader.fill(first)
    _exchange(opened, OTHER)
    assert loaded["process"].done == ["detach"]

    late, other = fork_record(timestamp=clock.now), exit_record(timestamp=clock.now - 1)
    loaded["process"].reader.fill(late)
    loaded["other"].reader.fill(other)
    told = [*opened.read(0), *opened.read(0), *opened.read(0)]
    assert _told(told) == [first, other, late]

    clock.now += 2 * SLICE_NS
    opened.read(0)
    opened.read(0)
    assert loaded["process"].done == ["detach", "close"]
    assert [monitor.monitor for monitor in opened.monitors] == [OTHER]
    hooks = [(one.monitor, one.rung) for one in told if isinstance(one, HookInUse)]
    assert hooks == [(b"process", b"none"), (b"other", b"tp/sample")]


def test_monitors_that_stay(opened: KernelSource, loaded: Loaded) -> None:
    """A monitor that stays is the same one, and nothing is said about it."""
    before = loaded["process"]
    _exchange(opened, OTHER, PROCESS)

    assert loaded["process"] is before
    assert before.done == []
    assert [(one.monitor, one.rung) for one in opened.read(0) if isinstance(one, HookInUse)] == [
        (b"other", b"tp/sample")
    ]


def test_losses_of_a_monitor_that_goes(opened: KernelSource, loaded: Loaded, clock: Clock) -> None:
    """What a monitor lost until it went is told, once."""
    loaded["process"].lose(1, 0, lost=5, at=clock.now)
    _exchange(opened, OTHER)
    told = []
    for _ in range(4):
        clock.now += 2 * SLICE_NS
        told += opened.read(0)

    assert [one.count for one in told if isinstance(one, EventLoss)] == [5]
    assert loaded["process"].done == ["detach", "close"]


def test_monitor_that_goes_and_comes_back(opened: KernelSource, loaded: Loaded, clock: Clock) -> None:
    """A monitor that is switched on again while its forerunner is still being read is another one."""
    first, last = exec_record(pid=1, cgroup=0), exec_record(pid=2, cgroup=0, timestamp=clock.now)
    before = loaded["process"]
    before.reader.fill(first)
    _exchange(opened, OTHER)
    _exchange(opened, OTHER, PROCESS)
    loaded["process"].reader.fill(last)

    assert _told([*opened.read(0), *opened.read(0), *opened.read(0)]) == [first, last]
    assert loaded["process"] is not before
    assert _rest(opened) == []


def test_processes_are_told_to_a_process_monitor(open_source: Open) -> None:
    """The processes that run are told when a process monitor comes, and only then."""
    source = open_source(OTHER)
    _exchange(source, OTHER._replace(name="another"))
    assert ProcessSeen not in _kinds(source.read(0))

    _exchange(source, PROCESS)
    assert ProcessSeen in _kinds(source.read(0))


def test_refused_exchange(opened: KernelSource, loaded: Loaded) -> None:
    """If one of the new monitors is refused, the others that were new are closed, and the old ones stay."""
    with pytest.raises(LoadError):
        opened.open([OTHER, PROCESS._replace(name="refused")], ())

    assert loaded["other"].done == ["close"]
    assert loaded["process"].done == []


def test_monitors_that_were_exchanged_end_with_the_source(open_source: Open, loaded: Loaded) -> None:
    """Those that came, and those that are still read to their end, are closed with the source."""
    source = open_source()
    loaded["process"].reader.fill(EXEC)
    _exchange(source, OTHER)
    source.close()

    assert [loaded[name].done[-1] for name in ("process", "other")] == ["close", "close"]


def test_attention_after_an_exchange(open_source: Open, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """Who goes is told to look at nobody, and who comes whom the others look at."""
    written: list[object] = []

    class Writer:
        def __init__(self, monitors: list[FakeMonitor]) -> None:
            self._names = [monitor.monitor.name for monitor in monitors]

        def write(self, *focus: object) -> None:
            written.append((self._names, Focus(*focus)))  # type: ignore[arg-type]

        def clear(self) -> None:
            written.append((self._names, None))

    monkeypatch.setattr("pyloader.sources.live.AttentionWriter", Writer)
    source = open_source()
    focus = Focus({1: 1}, (), 0.5)
    source.attend(focus)
    for wanted in ([PROCESS], [OTHER]):
        _exchange(source, *wanted)
        clock.now += LOSS_INTERVAL_NS
        source.read(0)
        source.read(0)
    source.close()

    assert written == [
        (["process"], None),
        (["process"], focus),
        (["process"], None),
        (["other"], focus),
        (["other"], None),
    ]
