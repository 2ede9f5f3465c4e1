"""Scans from inside: a process of this host that looks for open ports elsewhere.

Each pair of address and port counts once for a process, by the outcome of the first attempt. A script that starts a
program for every attempt is found as their parent. Some programs fail much in their daily work, such as those that look
for peers; how much is learned per executable from the instances that ended unaccused, and a failure weighs the less.

UDP has no outcomes. What a scan looks like there is many ports of one address.
"""

import math
from typing import Final, NamedTuple

from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import OUTBOUND_SCAN
from pyloader.evidence.random_walk import OUTBOUND, UNANSWERED, RandomWalk, Steps, steps
from pyloader.evidence.staging import Staging
from pyloader.host import Host, Process
from pyloader.records import ConnectionOpened, DatagramSent, Outcome, ProcessExit, address_text

OFFSET: Final = math.log(30)
"""Nats taken off the level of the walk: so many processes may be tested in a minute."""

LEAST: Final = 2.0
GROWTH: Final = 1.25
CONTACTS: Final = 256
"""So many contacts of a process are remembered one by one; a scan was told long before."""

_OF_PARENT: Final = 3
"""So many first contacts of a child count for its parent as well."""

_USUAL_PORTS: Final = 4
"""So many UDP ports of one address are nothing to speak of."""

_TRACEROUTE: Final = range(33_434, 33_690)
_PRIOR: Final = 20.0
_WORST: Final = 0.25


class _Contact(NamedTuple):
    """A first contact: with whom, how it came out, and how far that moves the walk; `now` in ns."""

    peer: tuple[bytes, int]
    success: bool
    size: Steps
    now: int


class _Trail:
    """Where one process went: first contacts, those that failed, and of UDP the ports by address."""

    __slots__ = ("contacts", "failed", "told", "udp", "walk")

    def __init__(self) -> None:
        self.walk = RandomWalk()
        self.contacts: set[tuple[bytes, int]] = set()
        self.failed = 0
        self.told = 0
        self.udp: dict[bytes, int] = {}


class Failures:
    """How often first contacts of executables fail: so many of so many. `evicted` executables were forgotten."""

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._usual: dict[str, tuple[float, float]] = {}

    def of(self, exe: str) -> tuple[float, float]:
        """Return how many contacts an executable had, and how many of them failed."""
        return self._usual.get(exe, (0.0, 0.0))

    def learn(self, exe: str, contacts: int, failed: int) -> None:
        """Count the contacts of an instance that has ended."""
        before, failed_before = self._usual.pop(exe, (0.0, 0.0))
        if len(self._usual) >= self.capacity:
            del self._usual[next(iter(self._usual))]
            self.evicted += 1
        weight = 0.5 if before > _MUCH else 1.0
        self._usual[exe] = (weight * before + contacts, weight * failed_before + failed)


class OutboundScans:
    """The trails of processes, and what is usual of their executables (`usual`); `evicted` trails were forgotten."""

    def __init__(self, staging: Staging, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self.usual = Failures()
        self._staging = staging
        self._trails: dict[Process, _Trail] = {}

    def opened(self, record: ConnectionOpened, process: Process) -> tuple[Evidence, ...]:
        """Judge the outcome of an attempt to connect."""
        peer = (record.remote_address, record.remote_port)
        if peer in self._trail(process).contacts:
            return NOTHING
        size = self._steps(process.exe)
        success = record.outcome == _ESTABLISHED
        if not success and record.outcome not in _FAILED:
            size = UNANSWERED
        return self._enter(process, _Contact(peer, success, size, record.timestamp))

    def sent(self, record: DatagramSent, process: Process) -> tuple[Evidence, ...]:
        """Judge the first datagram to a peer."""
        if record.datagrams != 1 or record.remote_port in _TRACEROUTE:
            return NOTHING
        trail = self._trail(process)
        ports = trail.udp.get(record.remote_address, 0) + 1
        if ports == 1 and len(trail.udp) >= CONTACTS:
            return NOTHING
        trail.udp[record.remote_address] = ports
        if ports <= _USUAL_PORTS:
            return NOTHING
        peer = (record.remote_address, -record.remote_port)
        return self._enter(process, _Contact(peer, success=False, size=UNANSWERED, now=record.timestamp))

    def ended(self, record: ProcessExit, process: Process, _host: Host) -> tuple[Evidence, ...]:
        """Let a process that has ended teach what is usual of its executable, unless something speaks against it."""
        trail = self._trails.pop(process, None)
        if trail is None or not trail.contacts or trail.told:
            return NOTHING
        if self._staging.admits(process.lineage, record.timestamp, known=False):
            self.usual.learn(process.exe, len(trail.contacts), trail.failed)
        return NOTHING

    def _steps(self, exe: str) -> Steps:
        contacts, failed = self.usual.of(exe)
        if not contacts:
            return OUTBOUND
        success = (contacts - failed + _PRIOR * _HONEST) / (contacts + _PRIOR)
        return steps(min(_HONEST, max(_WORST, success)), _SCANNER)

    def _enter(self, process: Process, contact: _Contact) -> tuple[Evidence, ...]:
        """Enter a contact for a process, and for its parent as long as the process has few."""
        trail = self._trail(process)
        found = self._step(process, trail, contact)
        parent = process.parent
        if parent is not None and parent.pid > 1 and len(trail.contacts) <= _OF_PARENT and not trail.told:
            found += self._step(parent, self._trail(parent), contact)
        return found

    def _step(self, process: Process, trail: _Trail, contact: _Contact) -> tuple[Evidence, ...]:
        if contact.peer in trail.contacts or len(trail.contacts) >= CONTACTS:
            return NOTHING
        trail.contacts.add(contact.peer)
        trail.failed += not contact.success
        level = trail.walk.step(contact.success, not contact.success, contact.size, contact.now)
        nats = min(level - OFFSET, OUTBOUND_SCAN.nats)
        if nats < LEAST or contact.success or len(trail.contacts) < trail.told * GROWTH:
            return NOTHING
        trail.told = len(trail.contacts)
        return (OUTBOUND_SCAN.about(process, _what(trail), nats),)

    def _trail(self, process: Process) -> _Trail:
        trail = self._trails.pop(process, None)
        if trail is None:
            trail = _Trail()
            if len(self._trails) >= self.capacity:
                del self._trails[next(iter(self._trails))]
                self.evicted += 1
        self._trails[process] = trail
        return trail


_ESTABLISHED: Final = int(Outcome.ESTABLISHED)
_FAILED: Final = frozenset(map(int, (Outcome.REFUSED, Outcome.TIMED_OUT, Outcome.UNREACHABLE)))
_HONEST: Final = 0.8
_SCANNER: Final = 0.2
_MUCH: Final = 10_000.0


def _what(trail: _Trail) -> str:
    hosts = {raw for raw, _ in trail.contacts}
    ports = {abs(port) for _, port in trail.contacts}
    protocol = "UDP" if any(port < 0 for _, port in trail.contacts) else "TCP"
    where = address_text(next(iter(hosts))) if len(hosts) == 1 else f"{len(hosts)} hosts"
    return f"{protocol} to {len(ports)} ports of {where}, {trail.failed} of {len(trail.contacts)} without success"
