"""Lanes: records are shared out among workers in the kernel, so that each entity stays with one."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest

from pyloader.binding import BpfObject, RingReader, create_ring, map_info, write_numbers
from pyloader.errors import UnsupportedError
from pyloader.monitors import (
    CONNECTION,
    MEMORY,
    NETWORK,
    PROCESS,
    LaneMonitor,
    LoadedMonitor,
    Monitor,
    Pins,
    Transport,
    lane_of,
    lane_of_source,
)
from pyloader.monitors.network import CONSTANTS, POLICY, POLICY_LAYOUT, PROGRAM
from pyloader.monitors.objects import read_object
from pyloader.monitors.prepare import LANE_RINGS, RINGS, fill_lanes, prepare_lanes
from pyloader.records import (
    TAG_LIMIT,
    AnyRecord,
    CgroupSeen,
    ConnectionOpened,
    CredentialChange,
    Elsewhere,
    EventLoss,
    HookInUse,
    MemoryProtection,
    NetworkFlow,
    NetworkTraffic,
    Policy,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    ProcessSeen,
    Record,
    SourceSummary,
    address,
    tag_of,
)
from pyloader.records.codec import decode_batch
from pyloader.records.recording import RecordingReader
from pyloader.sources.lane import LaneSource
from pyloader.sources.lanes import Lanes
from tests.kernel.observing import run
from tests.kernel.packets import IPV4, IPV6, ethernet, ipv4, ipv6, run_program, tcp
from tests.kernel.privileges import NOBODY

READER = Path(__file__).with_name("lane_reader.py")
GROUPS = Path("/sys/fs/cgroup")
OF_PROCESSES: tuple[type[Record], ...] = (ProcessExec, ProcessFork, ProcessExit, CredentialChange)

T = TypeVar("T")


class Worker(NamedTuple):
    """A process that reads a lane, and what it was handed."""

    process: "subprocess.Popen[bytes]"
    recording: Path

    def stop(self) -> None:
        """Let it read what is in its lane, and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=60) == 0

    def records(self) -> list[AnyRecord]:
        """Return what it was handed so far."""
        reader = RecordingReader.open(self.recording)
        try:
            return [record for batch in reader.batches() for record in batch]
        finally:
            reader.close()


class Workers:
    """Several lanes at work, and a reader for each that is started."""

    def __init__(self, lanes: Lanes, folder: Path, held: ExitStack) -> None:
        self.lanes = lanes
        self._folder = folder
        self._held = held
        self._started = 0

    def start(self, lane: int, prefix: Sequence[str] = ()) -> Worker:
        """Start a reader of a lane, and return when it reads."""
        description = self.lanes.description(lane)
        told = description.encode()
        self._started += 1
        recording = self._folder / f"{self._started}.rec"
        command = [*prefix, sys.executable, "-P", str(READER), str(len(told)), str(recording)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=description.fds(), env=environment
        )
        self._held.callback(_end, process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(told)
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        return Worker(process, recording)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None and not stream.closed:
            stream.close()


@contextmanager
def at_work(
    folder: Path,
    monitors: Sequence[Monitor] = (PROCESS,),
    *,
    lanes: int = 4,
    ring_bytes: int = 1 << 20,
    interfaces: Sequence[str] = (),
) -> Iterator[Workers]:
    """Attach monitors whose records are shared out."""
    with ExitStack() as held:
        shared = Lanes(monitors, lanes=lanes, ring_bytes=ring_bytes, interfaces=interfaces)
        held.callback(shared.close)
        shared.start()
        yield Workers(shared, folder, held)


def told(workers: Workers, perform: Callable[[], T], *, lanes: int = 4) -> tuple[T, list[list[AnyRecord]]]:
    """Return what was done while each lane had a reader, and what those were handed."""
    readers = [workers.start(lane) for lane in range(lanes)]
    done = perform()
    workers.lanes.detach()
    for reader in readers:
        reader.stop()
    return done, [reader.records() for reader in readers]


def drained(workers: Workers, lane: int) -> list[AnyRecord]:
    """Return what is in a lane, read by this process, of monitors that were detached."""
    source = LaneSource(workers.lanes.description(lane))
    records = []
    try:
        source.start()
        source.stop()
        while True:
            records += source.read(None)
    except EOFError:
        return records
    finally:
        source.close()


def own(records: Sequence[AnyRecord], kind: type[T]) -> list[T]:
    """Return the records of one type that this lane is to judge."""
    return [one for one in records if isinstance(one, kind)]


def copies(records: Sequence[AnyRecord], kind: type[T]) -> list[T]:
    """Return the records of one type that another lane judges."""
    return [one.record for one in records if isinstance(one, Elsewhere) and isinstance(one.record, kind)]


def lost(records: Sequence[AnyRecord], kind: type[Any]) -> int:
    """Return how many records of a type were told as lost."""
    return sum(one.count for one in records if isinstance(one, EventLoss) and one.lost == tag_of(kind))


def numbers(executions: Sequence[ProcessExec], program: Path) -> list[int]:
    """Return the numbers that executions of a program had as their argument."""
    name = str(program).encode()
    words = [one.args.split(b"\0") for one in executions]
    return [int(one[1]) for one in words if one[0] == name and one[1].isdigit()]


@pytest.fixture(name="groups")
def _groups() -> Iterator[list[Path]]:
    """Return four control groups of the unified hierarchy; where none can be made there is nothing to try."""
    root = next((one for one in (GROUPS, GROUPS / "unified") if (one / "cgroup.controllers").is_file()), None)
    if root is None:
        pytest.skip("no unified hierarchy of control groups is mounted")
    folders = [root / f"pyloader-lanes-{os.getpid()}-{number}" for number in range(4)]
    for folder in folders:
        folder.mkdir()
    yield folders
    for folder in folders:
        for _ in range(50):
            if not (folder / "cgroup.procs").read_text():
                break
            time.sleep(0.1)
        folder.rmdir()


def within(group: Path, *words: str | Path) -> list[str]:
    """Return a command that runs another one in a control group, as the same process."""
    return ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *map(str, words)]


def test_one_lane_is_as_if_there_were_none() -> None:
    """With one lane there are no maps for lanes and one set of counts, and programs do without what lanes take."""
    sizes = []
    for lanes in (1, 2):
        with LoadedMonitor(PROCESS, ring_bytes=65_536, lanes=lanes) as loaded:
            held = {name for name in (*RINGS, *LANE_RINGS) if _is_map(loaded.map_fd(name))}
            tallies = loaded.map_fd("tallies")
            assert held == set(RINGS if lanes == 1 else LANE_RINGS)
            assert tallies is not None
            assert map_info(tallies).max_entries == TAG_LIMIT * lanes
            sizes.append({name: info.lengths[1] for name, info in loaded.programs.items()})

    one, two = sizes
    assert all(size * 1.2 < two[name] for name, size in one.items())


def _is_map(fd: int | None) -> bool:
    """Return whether there is such a map; libbpf has descriptors for those that it left out, too."""
    assert fd is not None
    try:
        return bool(map_info(fd).id)
    except OSError:
        return False


@pytest.mark.parametrize("monitor", [PROCESS, MEMORY, CONNECTION, NETWORK], ids=lambda one: one.name)
def test_sixteen_lanes(monitor: Monitor) -> None:
    """The verifier accepts every monitor with as many lanes as there can be."""
    with LoadedMonitor(monitor, ring_bytes=65_536, lanes=16) as loaded:
        rings = [fd for lane in range(16) for fd in loaded.lane(lane).fds()]

    expected = 16 * (3 if monitor is PROCESS else 2) + 2
    assert len(set(rings)) == expected


def test_each_execution_has_one_lane(programs: Path, tmp_path: Path) -> None:
    """Of four workers one gets an execution as its own, by its session or control group, and three get a copy."""
    program = programs / "nothing"

    def perform() -> None:
        for number in range(48):
            run([program, str(number)], start_new_session=True)

    with at_work(tmp_path) as workers:
        _, lanes = told(workers, perform)

    judged = Counter(number for records in lanes for number in numbers(own(records, ProcessExec), program))
    known = Counter(number for records in lanes for number in numbers(copies(records, ProcessExec), program))
    assert judged == dict.fromkeys(range(48), 1)
    assert known == dict.fromkeys(range(48), 3)
    for lane, records in enumerate(lanes):
        assert all(lane_of(one.cgroup, one.session, 4) == lane for one in own(records, ProcessExec))
    ends = Counter((one.pid, one.start) for records in lanes for one in own(records, ProcessExit))
    assert set(ends.values()) == {1}


def test_processes_that_run_have_one_lane(tmp_path: Path) -> None:
    """What ran before is told by one lane, and known to all; the hooks in use are told by the first."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as sleeping, at_work(tmp_path) as workers:
        beginnings = [workers.lanes.description(lane).beginning for lane in range(4)]
        sleeping.kill()

    (seen,) = [one for records in beginnings for one in own(records, ProcessSeen) if one.pid == sleeping.pid]
    assert seen in own(beginnings[lane_of(seen.cgroup, seen.session, 4)], ProcessSeen)
    for records in beginnings:
        pids = [one.pid for one in (*own(records, ProcessSeen), *copies(records, ProcessSeen))]
        assert pids.count(sleeping.pid) == 1
        groups = {one.cgroup for one in (*own(records, CgroupSeen), *copies(records, CgroupSeen))}
        assert seen.cgroup in groups
    assert [len(own(records, HookInUse)) for records in beginnings] == [4, 0, 0, 0]


def test_a_control_group_has_one_lane(programs: Path, tmp_path: Path, groups: list[Path]) -> None:
    """Whatever a service does stays in one lane, whether it forks or begins sessions; its group is told there first."""
    flood = ("setsid", "--wait", str(programs / "flood"), "10", str(programs / "nothing"))

    def perform() -> None:
        for group in groups:
            run(within(group, *flood))

    with at_work(tmp_path) as workers:
        _, lanes = told(workers, perform)

    for group in groups:
        number = group.stat().st_ino
        lane = lane_of(number, 0, 4)
        executed = [[one for one in own(records, ProcessExec) if one.cgroup == number] for records in lanes]
        assert [len(numbers(one, programs / "nothing")) for one in executed] == [10 * (lane == at) for at in range(4)]
        pids = {one.pid for one in executed[lane]}
        assert all(one.pid not in pids for at in range(4) if at != lane for one in own(lanes[at], ProcessExit))
        for at, records in enumerate(lanes):
            (seen,) = [one for one in (*own(records, CgroupSeen), *copies(records, CgroupSeen)) if one.cgroup == number]
            assert (seen in own(records, CgroupSeen)) == (at == lane)


_ACTS = """
import ctypes, mmap, socket, sys
ctypes.CDLL(None).mmap(None, 4096, 7, 0x22, -1, 0)
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))):
    pass
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    sender.sendto(b"1", ("127.0.0.1", 9))
"""


def test_all_monitors_choose_the_same_lane(tmp_path: Path, groups: list[Path]) -> None:
    """What a process does with memory and sockets is told in the lane of its executions, also from interrupts."""
    with socket.create_server(("127.0.0.1", 0)) as server, at_work(tmp_path, [PROCESS, MEMORY, CONNECTION]) as workers:
        port = str(server.getsockname()[1])

        def perform() -> None:
            for group in groups:
                run(within(group, sys.executable, "-c", _ACTS, port))

        _, lanes = told(workers, perform)

    for group in groups:
        number = group.stat().st_ino
        lane = lane_of(number, 0, 4)
        pids = {one.pid for one in own(lanes[lane], ProcessExec) if one.cgroup == number}
        about = [[one for one in records if getattr(one, "pid", None) in pids] for records in lanes]
        kinds = {type(one) for one in about[lane]}
        assert {MemoryProtection, ConnectionOpened, ProcessExec, ProcessExit} <= kinds
        # The process was forked in another group before it moved into its own.
        assert {type(one) for at in range(4) if at != lane for one in about[at]} <= {ProcessFork, ProcessExec}


def test_a_network_of_sources_has_one_lane() -> None:
    """Packets of one source, and of its network, are told in one lane, and sources of other networks in all of them."""
    sources = [f"198.51.{net}.{host}" for net in range(24) for host in (7, 8)]
    sources6 = [f"2001:db8:{net}::{host}" for net in range(1, 9) for host in (7, 8)]
    size = 1 << 20
    assert NETWORK.constants is not None
    with BpfObject.open(read_object(NETWORK.object), "network_monitor") as loaded, ExitStack() as held:
        rings = {name: [held.enter_context(create_ring(name, size)) for _ in range(4)] for name in LANE_RINGS[:2]}
        prepare_lanes(loaded, rings, 4)
        loaded.set_constants(CONSTANTS, NETWORK.constants()[CONSTANTS])
        loaded.load()
        fill_lanes(loaded, rings)
        eager = {Policy.FLOW_THRESHOLD: 0, Policy.SOURCE_THRESHOLD: 0}
        unbounded = dict.fromkeys((Policy.FLOWS_PER_SECOND, Policy.SUMMARIES_PER_SECOND), 1_000_000)
        table = POLICY | eager | unbounded
        write_numbers(loaded.map_fd("policy"), 0, POLICY_LAYOUT, *[table[one] for one in Policy])
        program = loaded.program_fd(PROGRAM)
        for port in range(20, 36):
            segment = tcp(destination=port)
            for source in sources:
                run_program(program, ethernet(IPV4, ipv4(segment, source=source)))
            for source in sources6:
                run_program(program, ethernet(IPV6, ipv6(segment, source=source)))
        lanes = [_all_of(*[of_lanes[lane].fileno() for of_lanes in rings.values()], size=size) for lane in range(4)]

    for lane, records in enumerate(lanes):
        assert {type(one) for one in records} == {NetworkFlow, SourceSummary}
        for record in records:
            assert isinstance(record, NetworkFlow | SourceSummary)
            assert lane_of_source(record.source, 4) == lane
    told_of = {str(address(one.source)) for records in lanes for one in own(records, NetworkFlow)}
    assert told_of == {*sources, *sources6}
    prefixes = {one.prefix for records in lanes for one in own(records, SourceSummary)}
    assert prefixes == {128, 120, 64}


def _all_of(*rings: int, size: int) -> list[AnyRecord]:
    """Return what is in the rings of a lane."""
    reader = RingReader([(fd, size) for fd in rings])
    records: list[AnyRecord] = []
    more = True
    while more:
        batch, more = reader.read(2**64 - 1)
        if batch is not None:
            records += decode_batch(batch.data, batch.ends, 0)[0]
    reader.close()
    return records


def test_totals_are_told_by_one_lane(tmp_path: Path) -> None:
    """The totals of all packets come from the first lane alone."""
    with at_work(tmp_path, [NETWORK], lanes=2, interfaces=["lo"]) as workers:
        readers = [workers.start(lane) for lane in range(2)]
        while not own(readers[0].records(), NetworkTraffic):
            time.sleep(0.05)
        for reader in readers:
            reader.stop()

    assert own(readers[1].records(), NetworkTraffic) == []


def test_loss_is_told_by_the_lane_that_lost(programs: Path, tmp_path: Path, groups: list[Path]) -> None:
    """Each lane tells what it lost itself, records and copies; with what it was handed that is everything, once."""
    with at_work(tmp_path, ring_bytes=1 << 16) as workers:
        run(within(groups[0], programs / "flood", "1500", programs / "nothing"))
        for group in groups[1:]:
            run(within(group, programs / "nothing", "1"))
        workers.lanes.detach()
        lanes = [drained(workers, lane) for lane in range(4)]
        again = [drained(workers, lane) for lane in range(4)]

    flooded = lane_of(groups[0].stat().st_ino, 0, 4)
    judged = [sum(len(own(one, kind)) + lost(one, kind) for kind in OF_PROCESSES) for one in lanes]
    for lane, records in enumerate(lanes):
        assert (lost(records, ProcessExec) > 0) == (lane == flooded)
        others = sum(judged) - judged[lane]
        assert sum(len(copies(records, kind)) for kind in OF_PROCESSES) + lost(records, Elsewhere) == others
    assert sum(lost(records, Elsewhere) for records in lanes) > 0
    assert [own(records, EventLoss) for records in again] == [[]] * 4


def test_copies_wake_nobody(programs: Path, tmp_path: Path, groups: list[Path]) -> None:
    """A reader is not woken for what others judge, unless there is so much of it that its ring is half full."""
    at = [lane_of(group.stat().st_ino, 0, 2) for group in groups]
    lane = 1 - at[0]
    with at_work(tmp_path, lanes=2, ring_bytes=1 << 16) as workers, select.epoll() as waiting:
        (described,) = workers.lanes.description(lane).monitors
        with LaneMonitor(described) as monitor:
            assert monitor.others is not None
            waiting.register(described.others, select.EPOLLIN)
            while waiting.poll(0):
                monitor.others.read(2**64 - 1)
                monitor.others.acknowledge()
            run(within(groups[0], programs / "nothing", "1"))
            assert waiting.poll(0.05) == []
            assert monitor.others.pending() > 0
            run(within(groups[0], programs / "flood", "150", programs / "nothing"))
            assert waiting.poll(10)


def test_a_killed_reader_is_followed_by_the_next(programs: Path, tmp_path: Path, groups: list[Path]) -> None:
    """The next reader of a lane begins with what the killed one was handed last, and misses nothing."""
    program, count = programs / "nothing", 2_000
    group = groups[0]
    lane = lane_of(group.stat().st_ino, 0, 4)
    with at_work(tmp_path, ring_bytes=1 << 22) as workers:
        first = workers.start(lane)
        with subprocess.Popen(within(group, programs / "flood", str(count), program)) as flood:
            while len(first.recording.read_bytes()) < 200_000:
                time.sleep(0.002)
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            assert flood.poll() is None, "the flood was over before"
            second = workers.start(lane)
            assert flood.wait(timeout=60) == 0
        workers.lanes.detach()
        second.stop()

    before, after = (_numbered(one.records(), group, program) for one in (first, second))
    assert before
    repeated = sorted(set(before) & set(after))
    assert repeated == sorted(before[len(before) - len(repeated) :])
    assert sorted(set(before) | set(after)) == list(range(count))
    assert len(set(before)) == len(before)
    assert len(set(after)) == len(after)
    assert not own(second.records(), EventLoss)


def _numbered(records: Sequence[AnyRecord], group: Path, program: Path) -> list[int]:
    number = group.stat().st_ino
    return numbers([one for one in own(records, ProcessExec) if one.cgroup == number], program)


@pytest.mark.skipif(
    tuple(map(int, os.uname().release.split(".")[:2])) < (6, 0),
    reason="before Linux 6.0 the counts of a map are for those who may load programs",
)
def test_a_reader_needs_no_privileges(programs: Path, public_folder: Path) -> None:
    """Whoever has the descriptors of a lane reads it without any right to load programs."""
    public_folder.chmod(0o777)
    with at_work(public_folder, lanes=2) as workers:
        readers = [workers.start(lane, NOBODY) for lane in range(2)]
        for number in range(20):
            run([programs / "nothing", str(number)])
        workers.lanes.detach()
        for reader in readers:
            reader.stop()

    lanes = [reader.records() for reader in readers]
    judged = [number for one in lanes for number in numbers(own(one, ProcessExec), programs / "nothing")]
    assert sorted(judged) == list(range(20))


def test_lanes_need_rings(tmp_path: Path) -> None:
    """With a perf buffer there is one reader, and whoever wants more is told so."""
    lanes = Lanes([PROCESS], lanes=2, transport=Transport.PERF)
    try:
        with pytest.raises(UnsupportedError, match="use one worker"):
            lanes.start()
    finally:
        lanes.close()
    assert list(tmp_path.iterdir()) == []


def test_pinned_monitors_have_one_lane() -> None:
    """Monitors that were pinned for one reader are not shared out, and stay as they are."""
    instance = f"test-lanes-{os.getpid()}"
    pins = Pins(PROCESS, instance)
    pins.load(ring_bytes=65_536)
    lanes = Lanes([PROCESS], lanes=2, instance=instance)
    try:
        with pytest.raises(UnsupportedError, match="pyloader unload"):
            lanes.start()
        assert pins.exist()
    finally:
        lanes.close()
        pins.unload()
