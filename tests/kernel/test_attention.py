"""Attention in the kernel: more of whom it is on, less of all others when told so, and of what is rare everything."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv6Address
from pathlib import Path
from typing import NamedTuple

import pytest
from pyroute2 import netns

from pyloader.binding import read_keys, read_numbers
from pyloader.host import Focus
from pyloader.monitors import (
    CONNECTION,
    MEMORY,
    NETWORK,
    PROCESS,
    ActiveMonitor,
    AttentionWriter,
    InterfaceMonitor,
    Monitor,
    Pins,
)
from pyloader.monitors.network import POLICY
from pyloader.records import (
    AnyRecord,
    CredentialChange,
    DatagramSent,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    MemoryRequest,
    MemoryUsage,
    NetworkFlow,
    Policy,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    UsageReason,
)
from pyloader.records.codec import decode_batch
from pyloader.sources import KernelSource
from tests.kernel.acts import act
from tests.kernel.networks import INSIDE, INSIDE6, OUTSIDE, OUTSIDE6, Cable, cable

AREAS, FAULTS, NAPS = 100, 40, 22
TOLD_AREAS = [*range(1, 9), 16, 32, 64]
TOLD_FAULTS = [*range(1, 9), 16, 32]
"""Which times are told of everybody: the first eight, and then every doubling."""

FIRST_LEVEL = 16
"""So many records a second more at the first level."""

PEERS = 1_500
PEERS_PER_SECOND = 256


class Watched:
    """A source at work, and what it has told so far."""

    def __init__(self, source: KernelSource) -> None:
        self.source = source
        self.records: list[AnyRecord] = []

    def attend(self, focus: Focus) -> None:
        """Change the attention, and wait until the kernel has it."""
        self.source.attend(focus)
        withheld = round((1.0 - focus.rate) * 65_536)
        attentive = [one for one in self.source.monitors if one.map_fd("attention") is not None]
        assert attentive
        deadline = time.monotonic() + 15
        while any(attention_of(one) != (set(focus.processes), withheld) for one in attentive):
            assert time.monotonic() < deadline, "the kernel does not have it"
            self.records += self.source.read(0.1)

    def finish(self) -> list[AnyRecord]:
        """Stop, and return everything that was told."""
        self.source.stop()
        while True:
            try:
                self.records += self.source.read(None)
            except EOFError:
                return self.records


def attention_of(monitor: ActiveMonitor) -> tuple[set[int], int]:
    """Return which processes a monitor looks at, and how much it withholds of all others."""
    levels, withheld = monitor.map_fd("attention"), monitor.map_fd("withheld")
    assert levels is not None
    assert withheld is not None
    pids = {int.from_bytes(key, sys.byteorder) for key in read_keys(levels, 4)}
    return pids, int(read_numbers(withheld, 0, "=I")[0])


@contextmanager
def watched(*monitors: Monitor, instance: str | None = None) -> Iterator[Watched]:
    """Watch with these monitors."""
    source = KernelSource(monitors, instance=instance)
    try:
        source.start()
        yield Watched(source)
    finally:
        source.close()


class Repeater:
    """A process that waits until it may repeat itself."""

    def __init__(self, programs: Path, *times: int) -> None:
        command = [str(programs / "repeat"), *map(str, times)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"pid {self.pid:x}\n".encode()

    @property
    def pid(self) -> int:
        """Its id."""
        return self.process.pid

    def go(self) -> None:
        """Let it."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def wait(self) -> None:
        """Wait for its end."""
        assert self.process.wait(60) == 0


@contextmanager
def repeaters(programs: Path, count: int, *times: int) -> Iterator[list[Repeater]]:
    """Start so many processes, and end them."""
    made: list[Repeater] = []
    try:
        made.extend(Repeater(programs, *times) for _ in range(count))
        yield made
    finally:
        for one in made:
            one.process.kill()
            one.process.communicate()


class Told(NamedTuple):
    """Which times of what is repeated were told of a process, and how often and why its usage was."""

    areas: list[int]
    faults: list[int]
    files: list[int]
    usage: list[int]


def told(records: Sequence[AnyRecord], pid: int) -> Told:
    """Return what was told of a process."""
    mine = [one for one in records if getattr(one, "pid", None) == pid]
    return Told(
        [one.count for one in mine if isinstance(one, MemoryProtection)],
        [one.count for one in mine if isinstance(one, MemoryFault)],
        [one.count for one in mine if isinstance(one, MemoryRequest)],
        [one.reasons for one in mine if isinstance(one, MemoryUsage)],
    )


@pytest.mark.parametrize("kind", ["tp_btf", "tp"])
def test_a_process_in_focus_is_told_in_full(kind: str, programs: Path) -> None:
    """Every area, fault and request of a process in focus is told, and its usage every second; of others as ever."""
    with watched(MEMORY.forced(kind)) as seen, repeaters(programs, 3, AREAS, FAULTS, NAPS) as (full, some, other):
        seen.attend(Focus({full.pid: 3, some.pid: 1}))
        for one in (full, some, other):
            one.go()
        for one in (full, some, other):
            one.wait()
        records = seen.finish()

    assert told(records, other.pid) == (TOLD_AREAS, TOLD_FAULTS, TOLD_FAULTS, [])
    assert told(records, full.pid)[:3] == (
        list(range(1, AREAS + 1)),
        list(range(1, FAULTS + 1)),
        list(range(1, FAULTS + 1)),
    )
    usage = told(records, full.pid).usage
    assert 2 <= sum(bool(reasons & UsageReason.ATTENTION) for reasons in usage) <= NAPS // 10 + 1
    assert len(usage) <= NAPS // 10 + 2
    # Of the lower level there is more than of others, and no more than it allows, in at most two seconds of the clock.
    few = told(records, some.pid)
    assert set(TOLD_AREAS) < set(few.areas)
    extra = len(few.areas) - len(TOLD_AREAS) + len(few.faults) + len(few.files) - 2 * len(TOLD_FAULTS)
    assert FIRST_LEVEL <= extra <= 2 * FIRST_LEVEL


def send(peers: int) -> None:
    """Send a datagram each to so many peers, from this process."""
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for number in range(1, peers + 1):
            sender.sendto(b"x", (f"127.0.{number >> 8}.{number & 255}", 20_000))


def datagrams(records: Sequence[AnyRecord]) -> list[DatagramSent]:
    """Return what was told of the datagrams of this process."""
    return [
        one for one in records if isinstance(one, DatagramSent) and (one.pid, one.remote_port) == (os.getpid(), 20_000)
    ]


@pytest.mark.parametrize("kind", ["tp_btf", "tp"])
def test_more_peers_of_a_process_in_focus_are_told(kind: str) -> None:
    """Of a process in focus that sends to very many peers more are told than of any other, and that is bounded, too."""
    sent: dict[int, list[DatagramSent]] = {}
    for most in (0, PEERS_PER_SECOND):
        with watched(CONNECTION.forced(kind)) as seen:
            seen.attend(Focus({os.getpid(): 3} if most else {}))
            send(PEERS)
            sent[most] = datagrams(seen.finish())

    usual, more = (Counter(one.timestamp // 1_000_000_000 for one in records) for records in sent.values())
    assert max(usual.values()) <= PEERS_PER_SECOND
    assert sum(more.values()) > PEERS_PER_SECOND * len(more)
    # The seconds of this limit are a little longer, and may begin within one of the others.
    assert max(more.values()) <= 3 * PEERS_PER_SECOND


RARE = (ProcessExec, ProcessFork, ProcessExit, CredentialChange, MemoryAccess, MemoryFault, MemoryRequest)


def _rare(programs: Path) -> list[int]:
    """Do much that is rare, and return the ids of those who did."""
    commands: list[Sequence[str | Path]] = [
        [programs / "set_ids", "65534", "1234"],
        *([programs / "reach", way, "child", "0"] for way in ("attach", "poke", "write_vm", "open")),
        *([programs / "nothing"] for _ in range(20)),
    ]
    return [act(command).pid for command in commands]


def test_back_pressure_spares_what_is_rare(programs: Path) -> None:
    """With everything withheld, only the first of what comes in volumes is told, and all that is rare as ever."""
    rare: dict[float, list[Counter[type]]] = {}
    volumes: dict[float, Told] = {}
    sent: dict[float, int] = {}
    for rate in (1.0, 0.0):
        with watched(PROCESS, MEMORY, CONNECTION) as seen, repeaters(programs, 2, AREAS, FAULTS, 0) as (one, focused):
            seen.attend(Focus({focused.pid: 3}, (), rate))
            doers = _rare(programs)
            grown = act([programs / "grow", "300", "map"]).pid
            for process in (one, focused):
                process.go()
                process.wait()
            send(100)
            records = seen.finish()
        rare[rate] = [Counter(type(r) for r in records if isinstance(r, RARE) and r.pid == pid) for pid in doers]
        volumes[rate] = told(records, one.pid)._replace(usage=told(records, grown).usage)
        sent[rate] = len(datagrams(records))
        # Whoever is in focus is told in full even then.
        assert told(records, focused.pid)[:3] == (
            list(range(1, AREAS + 1)),
            list(range(1, FAULTS + 1)),
            list(range(1, FAULTS + 1)),
        )

    assert rare[1.0] == rare[0.0]
    assert sum(rare[0.0], Counter()).keys() >= {ProcessExec, ProcessExit, CredentialChange, MemoryAccess}
    assert volumes[1.0][:3] == (TOLD_AREAS, TOLD_FAULTS, TOLD_FAULTS)
    assert volumes[0.0] == ([1], TOLD_FAULTS, TOLD_FAULTS, [])
    assert len(volumes[1.0].usage) >= 4
    assert sent[1.0] == 100
    assert sent[0.0] <= 1


def test_back_pressure_is_a_share(programs: Path) -> None:
    """At a rate of one half about half of what repeats is told."""
    with watched(MEMORY.forced("tp_btf")) as seen, repeaters(programs, 40, 8, 0, 0) as made:
        seen.attend(Focus(rate=0.5))
        for one in made:
            one.go()
            one.wait()
        records = seen.finish()

    areas = [told(records, one.pid).areas for one in made]
    assert all(one[0] == 1 for one in areas)
    # Of 280 by lot: more than five standard deviations around 140.
    assert 90 <= sum(len(one) - 1 for one in areas) <= 190


@pytest.mark.usefixtures("_bpffs")
def test_pinned_monitors_are_left_as_they_were() -> None:
    """Attention is written into pinned monitors as well, and whoever reads them next finds nothing of it."""
    instance = f"pyloader-attention-{os.getpid()}"
    pins = [Pins(monitor, instance) for monitor in (MEMORY, CONNECTION)]
    try:
        for one in pins:
            one.load(ring_bytes=1 << 20)
        with watched(MEMORY, CONNECTION, instance=instance) as seen:
            seen.attend(Focus({os.getpid(): 2, os.getppid(): 1}, (bytes(16),), 0.25))
        assert _left(pins) == [(set(), 0)] * 2

        # A reader that was killed leaves it there, and the next one removes it.
        for one in pins:
            with _found(one) as monitor:
                AttentionWriter([monitor]).write({os.getpid(): 3}, (), 0.5)
        assert _left(pins) == [({os.getpid()}, 32_768)] * 2
        with watched(MEMORY, CONNECTION, instance=instance):
            assert _left(pins) == [(set(), 0)] * 2
    finally:
        for one in pins:
            one.unload()


def _found(pins: Pins) -> ActiveMonitor:
    monitor = pins.find()
    assert monitor is not None
    return monitor


def _left(pins: Sequence[Pins]) -> list[tuple[set[int], int]]:
    """Return what is in the maps of pinned monitors."""
    left = []
    for one in pins:
        with _found(one) as monitor:
            left.append(attention_of(monitor))
    return left


@pytest.fixture(name="_bpffs")
def _mounted() -> None:
    """Skip where nothing can be pinned."""
    if not os.path.ismount("/sys/fs/bpf"):
        pytest.skip("bpffs is not mounted")


FLOWS = 20

_SEND = """
import socket, sys
source, target, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for port in range(first, first + count):
    with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, port))
        sender.sendto(b"x", (target, 9))
"""


def _in_namespace(name: str, work: Callable[[], None]) -> None:
    """Do something in a network namespace, which is a matter of threads."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            netns.setns(name, flags=0)
            work()
        except BaseException as error:  # noqa: BLE001 -- raised again below.
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    if failures:
        raise failures[0]


def _flows(monitor: InterfaceMonitor) -> Counter[bytes]:
    """Return how many flows of each source were told since the last time."""
    flows: Counter[bytes] = Counter()
    more = True
    while more:
        batch, more = monitor.reader.read(2**64 - 1)
        if batch is not None:
            records, _ = decode_batch(batch.data, batch.ends, 0)
            flows.update(one.source for one in records if isinstance(one, NetworkFlow))
        monitor.reader.acknowledge()
    return flows


def _told_flows(made: Cable) -> list[tuple[int, int]]:
    """Return how many flows were told of a source in focus and of another one, in the namespace that is watched.

    First no flow is salient, then all are and next to nothing is told of others, and then all is as usual.
    """
    focused, other = (IPv6Address(text).packed for text in (f"::ffff:{OUTSIDE}", OUTSIDE6))
    ports = iter(range(20_000, 60_000, FLOWS))

    with InterfaceMonitor(NETWORK, [made.interface], ring_bytes=1 << 20) as monitor:

        def told(*, until: Callable[[int, int], bool]) -> tuple[int, int]:
            # What a CPU may tell in a second it knows from the beginning of that second.
            deadline = time.monotonic() + 15
            while True:
                for source, target in ((OUTSIDE, INSIDE), (OUTSIDE6, INSIDE6)):
                    made.run([sys.executable, "-c", _SEND, source, target, str(next(ports)), str(FLOWS)])
                flows = _flows(monitor)
                if until(flows[focused], flows[other]) or time.monotonic() > deadline:
                    return flows[focused], flows[other]

        writer = AttentionWriter([monitor])
        writer.write({}, (focused,), 1.0)
        monitor.steer({Policy.FLOW: -20})
        dull = told(until=lambda _, others: others == 0)
        monitor.steer({Policy.FLOW: POLICY[Policy.FLOW]})
        writer.write({}, (focused,), 0.0)
        pressed = told(until=lambda _, others: others < FLOWS)
        writer.clear()
        return [dull, pressed, told(until=lambda *both: both == (FLOWS, FLOWS))]


def test_flows_of_a_source_in_focus_are_told() -> None:
    """Every flow of a source in focus is told, though it is not salient and others get next to no room at all."""
    counts: list[tuple[int, int]] = []
    with cable() as made:
        _in_namespace(made.inside, lambda: counts.extend(_told_flows(made)))

    dull, pressed, usual = counts
    assert dull == (FLOWS, 0)
    # Of others it is one a second on each CPU.
    assert pressed[0] == FLOWS > pressed[1]
    assert usual == (FLOWS, FLOWS)
