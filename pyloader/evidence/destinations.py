"""Where programs go and where they wait: what is new for an executable that otherwise does the same all day."""

from collections.abc import Callable
from functools import partial
from typing import Final

from pyloader.evidence.catalogue import Kind, shown
from pyloader.evidence.item import NOTHING, Evidence, Group
from pyloader.evidence.network_kinds import (
    INFAMOUS_PORT,
    RARE_DESTINATION,
    RARE_LISTENER,
    RARE_PORT,
    SERVICE_CONNECTS,
    SHELL_CONNECTS,
)
from pyloader.evidence.novelty import Contexts, S, Table
from pyloader.evidence.programs import Programs, Role, base_name
from pyloader.evidence.rarity import Experiences
from pyloader.evidence.staging import Staging
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import ConnectionOpened, Direction, SocketListening, address_text, reach
from pyloader.records.addresses import LOOPBACK, PUBLIC

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

CONTEXTS: Final = 4_096
"""So many executables, in each of three roles, each of two generations holds."""

_INBOUND: Final = int(Direction.INBOUND)

_TAKEN_UP: Final = -1
"""What stands among the ports for a connection that was taken up."""

_HOST: Final = ""


class Destinations:
    """What executables connect to and wait at, and what this host as a whole connects to (`contexts`)."""

    def __init__(self, staging: Staging) -> None:
        self.contexts: Contexts = Experiences(CONTEXTS)
        self._staging = staging
        self._programs = Programs()
        self._addresses: Table[bytes] = self._table("address", bytes.hex, bytes.fromhex)
        self._of_host: Table[bytes] = self._table("address of host", bytes.hex, bytes.fromhex)
        self._ports: Table[int] = self._table("port", str, int)
        self._listens: Table[int] = self._table("listener", str, int)

    @property
    def evicted(self) -> int:
        """How many executables were forgotten."""
        return self.contexts.evicted

    def novelty(self, record: ConnectionOpened, process: Process) -> float:
        """Return how new a destination is for a process, in nats; 0 if it or its host is known to this one.

        Ask before `opened` learns of it.
        """
        remote, now = record.remote_address, record.timestamp
        host = self._of_host.of(_HOST, now)
        if remote in host or is_near(record):
            return 0.0
        seen = self._addresses.of(process.exe, now)
        surprise = max(
            self._addresses.weigh(seen, process.exe, remote, now), self._of_host.weigh(host, _HOST, remote, now)
        )
        if seen.seen or process.traits & Trait.EARLIER:
            return surprise
        program, _ = self._programs.of(process)
        anything = program.roles & _ANYTHING or not process.exe.startswith(_INSTALLED)
        return max(surprise, NOVEL if anything else STRANGE_START)

    def opened(self, record: ConnectionOpened, process: Process, *, accused: bool = False) -> tuple[Evidence, ...]:
        """Judge a connection that a process made, or took up; `accused` is whether it is evidence already."""
        exe = process.exe or process.comm
        now, lineage = record.timestamp, process.lineage
        if record.direction == _INBOUND:
            self._ports.take(self._ports.of(exe, now), lineage, exe, _TAKEN_UP, now=now, suspicious=False)
            return NOTHING
        if is_near(record):
            return NOTHING
        program, _ = self._programs.of(process)
        remote, port = record.remote_address, record.remote_port
        ports = self._ports.of(exe, now)
        found: list[Evidence] = []
        if program.roles & Role.SHELL:
            found.append(SHELL_CONNECTS.about(process, _place(remote, port), 6.0 if reach(remote) == PUBLIC else 3.0))
        served = ports.of(_TAKEN_UP)
        if served >= SERVED_ONLY and served == ports.seen and program.roles & Role.SERVER:
            found.append(SERVICE_CONNECTS.about(process, _place(remote, port)))
        if port in INFAMOUS:
            found.append(INFAMOUS_PORT.about(process, _place(remote, port)))
        accused = accused or bool(found)
        judge = partial(self._judge, process=process, what=partial(_place, remote, port), now=now, accused=accused)
        if not self._addresses.knows(self._addresses.of(exe, now), remote, now):
            found += judge(self._addresses, RARE_DESTINATION, symbol=remote)
        if not self._ports.knows(ports, port, now):
            found += judge(self._ports, RARE_PORT, symbol=port)
        host = self._of_host.of(_HOST, now)
        self._of_host.take(host, lineage, _HOST, remote, now=now, suspicious=accused or bool(found))
        return tuple(found)

    def listening(self, record: SocketListening, process: Process) -> tuple[Evidence, ...]:
        """Judge where a process waits for connections."""
        exe, port, now = process.exe or process.comm, record.local_port, record.timestamp
        if reach(record.local_address) == LOOPBACK:
            seen = self._listens.of(exe, now)
            self._listens.take(seen, process.lineage, exe, port, now=now, suspicious=False)
            return NOTHING
        where = f"port {port}"
        return tuple(
            self._judge(self._listens, RARE_LISTENER, process=process, symbol=port, what=lambda: where, now=now)
        )

    def disown(self, record: ConnectionOpened, process: Process) -> None:
        """Forget a destination that was learned before it turned out to be suspicious."""
        now = record.timestamp
        self._addresses.of(process.exe or process.comm, now).forget(record.remote_address)
        self._of_host.of(_HOST, now).forget(record.remote_address)

    def _judge(
        self,
        table: Table[S],
        kind: Kind,
        *,
        process: Process,
        symbol: S,
        what: Callable[[], str],
        now: int,
        accused: bool = False,
    ) -> list[Evidence]:
        """Judge what is new for an executable, and let it be learned, now or later."""
        exe = process.exe or process.comm
        seen = table.of(exe, now)
        number, nats = seen.seen, table.weigh(seen, exe, symbol, now)
        told = table.take(seen, process.lineage, exe, symbol, now=now, suspicious=accused or nats > 0.0)
        if nats == 0.0 or not told:
            return []
        nats = self._staging.afford(process.lineage, min(nats, kind.nats), now)
        if nats == 0.0:
            return []
        counted = f"{what()}, as none of {number:,.0f} before of {shown(base_name(exe))}"
        return [kind.about(process, counted, nats, table.lesson(exe, symbol))]

    def _table(self, name: str, encode: Callable[[S], str], decode: Callable[[str], S]) -> Table[S]:
        return Table(name, Group.OUTBOUND, self._staging, self.contexts, encode=encode, decode=decode)


def is_near(record: ConnectionOpened) -> bool:
    """Return whether the other side is this host itself."""
    return record.remote_address == record.local_address or reach(record.remote_address) == LOOPBACK


def _place(remote: bytes, port: int) -> str:
    return f"{address_text(remote)}:{port}"
