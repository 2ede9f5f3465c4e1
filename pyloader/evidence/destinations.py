"""Where programs go and where they wait: what is new for an executable that otherwise does the same all day."""

from ipaddress import IPv4Address, IPv6Address
from typing import Final

from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import (
    INFAMOUS_PORT,
    RARE_DESTINATION,
    RARE_LISTENER,
    RARE_PORT,
    SERVICE_CONNECTS,
    SHELL_CONNECTS,
)
from pyloader.evidence.programs import Programs, Role
from pyloader.evidence.rarity import Experience, Experiences
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import ConnectionOpened, Direction, SocketListening

INFAMOUS: Final = frozenset({1337, 3333, 4444, 4445, 5555, 6666, 6667, 9001, 12345, 14444, 31337, 45700, 54321})
"""Ports that tools of attackers use unless told otherwise; others use them as well."""

SERVED_ONLY: Final = 20
"""A service that took up so many connections and made none is known to make none."""

NOVEL: Final = 3.4
STRANGE_START: Final = 1.5
"""Nats for a destination of a program of which nothing is known yet: an interpreter, or one from no place of the system
might be anything; an installed program has destinations of its own."""

_INSTALLED: Final = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/snap/")
_ANYTHING: Final = Role.SHELL | Role.INTERPRETER | Role.DOWNLOADER | Role.RELAY
_LEAST_TOLD: Final = 1.0


class Destinations:
    """What executables connect to and wait at, and what this host as a whole connects to."""

    def __init__(self) -> None:
        self._programs = Programs()
        self._addresses: Experiences[str, bytes] = Experiences()
        self._ports: Experiences[str, int] = Experiences()
        self._listens: Experiences[str, int] = Experiences()
        self._host: Experience[bytes] = Experience()

    @property
    def evicted(self) -> int:
        """How many executables were forgotten."""
        return self._addresses.evicted + self._ports.evicted + self._listens.evicted

    def novelty(self, record: ConnectionOpened, process: Process) -> float:
        """Return how new a destination is for a process, in nats; 0 if it or its host is known to this one.

        Ask before `opened` learns of it.
        """
        remote = record.remote_address
        if remote in self._host or is_near(record):
            return 0.0
        seen = self._addresses.of(process.exe)
        surprise = max(seen.weight(remote), self._host.weight(remote))
        if seen.seen or process.traits & Trait.EARLIER:
            return surprise
        program, _ = self._programs.of(process)
        anything = program.roles & _ANYTHING or not process.exe.startswith(_INSTALLED)
        return max(surprise, NOVEL if anything else STRANGE_START)

    def opened(self, record: ConnectionOpened, process: Process) -> tuple[Evidence, ...]:
        """Judge a connection that a process made, or took up."""
        exe = process.exe or process.comm
        if record.direction == Direction.INBOUND:
            self._ports.of(exe).learn(-1)
            return NOTHING
        if is_near(record):
            return NOTHING
        program, _ = self._programs.of(process)
        where = f"{record.remote}:{record.remote_port}"
        remote, ports = self._addresses.of(exe), self._ports.of(exe)
        found: list[Evidence] = []
        if program.roles & Role.SHELL:
            found.append(SHELL_CONNECTS.about(process, where, 6.0 if is_public(record.remote) else 3.0))
        if ports.of(-1) >= SERVED_ONLY and ports.of(-1) == ports.seen and program.roles & Role.SERVER:
            found.append(SERVICE_CONNECTS.about(process, where))
        nats = remote.weight(record.remote_address)
        if nats >= _LEAST_TOLD:
            found.append(RARE_DESTINATION.about(process, where, nats))
        nats = min(ports.weight(record.remote_port), RARE_PORT.nats)
        if nats >= _LEAST_TOLD:
            found.append(RARE_PORT.about(process, where, nats))
        if record.remote_port in INFAMOUS:
            found.append(INFAMOUS_PORT.about(process, where))
        if not process.traits & Trait.ACCUSED:
            # Whoever is under suspicion teaches nothing.
            remote.learn(record.remote_address)
            ports.learn(record.remote_port)
            self._host.learn(record.remote_address)
        return tuple(found)

    def listening(self, record: SocketListening, process: Process) -> tuple[Evidence, ...]:
        """Judge where a process waits for connections."""
        seen = self._listens.of(process.exe or process.comm)
        nats = seen.weight(record.local_port)
        if not process.traits & Trait.ACCUSED:
            seen.learn(record.local_port)
        if record.local.is_loopback or nats < _LEAST_TOLD:
            return NOTHING
        return (RARE_LISTENER.about(process, f"port {record.local_port}", nats),)


def is_near(record: ConnectionOpened) -> bool:
    """Return whether the other side is this host itself."""
    return record.remote_address == record.local_address or record.remote.is_loopback


def is_public(remote: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of the internet."""
    return remote.is_global
