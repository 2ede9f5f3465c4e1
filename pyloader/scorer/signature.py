"""What populations hear of an event: a few literals "feature=value" about it and about who did it.

A signature has few values, so that events of the same kind share one, and what was said of it can be remembered. Names
of programs stand in it as far as they come back (`names`), numbers only as classes: nothing in it is what an attacker
made up for one event.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from pyloader.evidence import Evidence, Group
from pyloader.evidence.files import TEMPORARY
from pyloader.evidence.memo import Memo
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import (
    AnyRecord,
    CallOrigin,
    ConnectionOpened,
    CredentialChange,
    Direction,
    ExecFlag,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    Outcome,
    PacketAnomaly,
    ProcessExec,
    Record,
    SourceSummary,
    Stdio,
    reach,
)
from pyloader.scorer.names import OTHER, Names

_OUTBOUND: Final = int(Direction.OUTBOUND)
_ESTABLISHED: Final = int(Outcome.ESTABLISHED)

CODES: Final = 4
"""So many codes of evidence stand in a signature."""

CAPACITY: Final = 4_096
"""So many executions and connections are remembered by their signature, and so many programs by their path."""

Literals = tuple[str, ...]


class Signature(NamedTuple):
    """Which population hears of an event, and what."""

    group: Group
    literals: Literals


class Signatures:
    """Makes signatures, and remembers what they tell of processes and executions, which are many and alike."""

    __slots__ = ("_connections", "_executions", "_forgotten", "_names", "_programs", "_who")

    def __init__(self) -> None:
        self._names = Names()
        self._programs: dict[str, _Program] = {}
        """Those of which the name is told, by path."""
        self._who: Memo[_Who, Literals] = Memo()
        self._executions: dict[tuple[object, ...], Literals] = {}
        self._connections: dict[tuple[object, ...], Literals] = {}
        self._forgotten = 0

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {
            "signatures": self._forgotten + self._who.evicted,
            "recurring names": self._names.evicted,
        }

    def of(self, record: AnyRecord, process: Process | None, items: Sequence[Evidence]) -> tuple[Group, Literals]:
        """Return the signature of an event of one of the kinds in `HEARD`, as a plain tuple: most are not kept."""
        group, user, describe = _TOLD[type(record)]
        if user is None:
            literals: Literals = describe(record)
        elif process is None:
            literals = (f"uid={_uid(user(record))}", *describe(record))
        elif type(record) is ConnectionOpened:
            literals = self._connection(record, process)
        elif type(record) is ProcessExec:
            literals = self._execution(record, process)
        else:
            literals = (*self._of(process, user(record)), *describe(record))
        if items:
            literals += tuple(f"code={item.code}" for item in items[:CODES])
        return group, literals

    def _of(self, process: Process, uid: int) -> Literals:
        """Return what is told of the process of every event."""
        parent = process.parent
        who = (
            self._program(process),
            process.traits & _ROLE_BITS,
            parent.traits & _ROLE_BITS if parent is not None else -1,
            _uid(uid),
            not process.container,
        )
        return self._who.get(who, _in_words)

    def _execution(self, record: ProcessExec, process: Process) -> Literals:
        parent, programs = process.parent, self._programs
        above = (programs.get(parent.exe) or self._program(parent)) if parent is not None else None
        key = (
            programs.get(process.exe) or self._program(process),
            process.traits & _ROLE_BITS,
            above,
            parent.traits & _ROLE_BITS if parent is not None else -1,
            _uid(record.euid),
            not process.container,
            record.stdio & 0xFF,
            record.flags,
        )
        literals = self._executions.get(key)
        if literals is None:
            name = above.name if above is not None else ""
            literals = (*self._of(process, record.euid), f"parent={name}", *_exec(record))
            self._make_room(self._executions)
            self._executions[key] = literals
        return literals

    def _connection(self, record: ConnectionOpened, process: Process) -> Literals:
        parent, outbound = process.parent, record.direction == _OUTBOUND
        port = record.remote_port if outbound else record.local_port
        key = (
            self._programs.get(process.exe) or self._program(process),
            process.traits & _ROLE_BITS,
            parent.traits & _ROLE_BITS if parent is not None else -1,
            _uid(record.uid),
            not process.container,
            outbound,
            port if port <= _LAST_SYSTEM_PORT else -1 if port < _FIRST_EPHEMERAL_PORT else -2,
            reach(record.remote_address),
            record.outcome == _ESTABLISHED,
        )
        literals = self._connections.get(key)
        if literals is None:
            literals = (*self._of(process, record.uid), *_connection(record))
            self._make_room(self._connections)
            self._connections[key] = literals
        return literals

    def _program(self, process: Process) -> "_Program":
        """Return what is told of the program of a process."""
        exe = process.exe
        program = self._programs.get(exe)
        if program is None:
            name = self._names.of(exe[exe.rfind("/") + 1 :] or process.comm)
            program = _Program(name, _place(exe))
            if exe and name != OTHER:
                self._make_room(self._programs)
                self._programs[exe] = program
        return program

    def _make_room(self, table: dict[Any, Any]) -> None:
        """Forget a full table as a whole: what is needed of it is soon there again."""
        if len(table) >= CAPACITY:
            self._forgotten += len(table)
            table.clear()


def of_lineage(codes: Sequence[str]) -> Signature:
    """Return what the population of sequences hears of a lineage: what was held against it lately, in order."""
    return Signature(Group.SEQUENCE, tuple(f"code={code}" for code in codes[-2 * CODES :]))


_PLACES: Final[tuple[tuple[str, str], ...]] = (
    ("/usr/", "system"),
    ("/bin/", "system"),
    ("/sbin/", "system"),
    ("/lib", "system"),
    ("/opt/", "local"),
    ("/home/", "home"),
    ("/root/", "home"),
    *((prefix, "temporary") for prefix in TEMPORARY),
    ("memfd:", "memory"),
    ("/memfd:", "memory"),
)

_ROLES: Final = (
    (Trait.SERVER | Trait.MAILER, "server"),
    (Trait.APPLICATION, "application"),
    (Trait.SHELL, "shell"),
    (Trait.ELEVATOR, "elevator"),
    (Trait.TERMINAL, "terminal"),
    (Trait.DAEMON | Trait.INETD, "daemon"),
)


_ROLE_BITS: Final = sum(bits for bits, _ in _ROLES)


def _place(path: str) -> str:
    for prefix, place in _PLACES:
        if path.startswith(prefix):
            return place
    return "elsewhere"


def _role(traits: int) -> str:
    for bits, role in _ROLES:
        if traits & bits:
            return role
    return "program"


_FIRST_USER: Final = 1_000


def _uid(uid: int) -> str:
    if uid == 0:
        return "root"
    return "user" if uid >= _FIRST_USER else "service"


class _Program(NamedTuple):
    """What is told of a program: its name and the place that it lies in."""

    name: str
    place: str


_Who = tuple[_Program, int, int, str, bool]
"""A process: its program, its role and that of its parent as bits, or -1, its user, whether it is in no container."""


def _in_words(who: _Who) -> Literals:
    program, role, by, uid, on_host = who
    return (
        f"exe={program.name}",
        f"role={_role(role)}",
        f"by={_role(by) if by >= 0 else 'unknown'}",
        f"uid={uid}",
        f"place={program.place}",
        f"on={'host' if on_host else 'container'}",
    )


_STDIN: Final = tuple(f"stdin={Stdio(kind).name.lower()}" for kind in range(16))
_STDOUT: Final = tuple(f"stdout={Stdio(kind).name.lower()}" for kind in range(16))

_IMAGES: Final = (
    (int(ExecFlag.MEMFD), "image=memory"),
    (int(ExecFlag.DELETED), "image=deleted"),
    (int(ExecFlag.SETUID | ExecFlag.SETGID | ExecFlag.FILE_CAPABILITIES), "image=privileged"),
    (int(ExecFlag.WORLD_WRITABLE), "image=writable"),
    (int(ExecFlag.SCRIPT), "image=script"),
)


def _image(flags: int) -> str:
    if flags:
        for bits, image in _IMAGES:
            if flags & bits:
                return image
    return "image=plain"


def _exec(record: ProcessExec) -> Literals:
    return (_STDIN[record.stdio & 0xF], _STDOUT[record.stdio >> 4 & 0xF], _image(record.flags))


def _credentials(record: CredentialChange) -> Literals:
    return (
        f"to={_uid(record.euid)}",
        f"gained={'yes' if record.capabilities & ~record.old_capabilities else 'no'}",
        f"explanation={record.explanation}",
    )


def _protection(record: MemoryProtection) -> Literals:
    return (f"technique={record.technique}", f"exposure={record.exposure}")


def _access(record: MemoryAccess) -> Literals:
    return (f"method={record.method}", f"refused={'yes' if record.error else 'no'}")


def _origin(record: CallOrigin) -> Literals:
    return (f"call={record.call}", f"suspicions={record.suspicions}")


def _fault(record: MemoryFault) -> Literals:
    return (f"signal={record.signal}", f"exposure={record.exposure}")


_LAST_SYSTEM_PORT: Final = 1_023
_FIRST_EPHEMERAL_PORT: Final = 32_768


def _port(port: int) -> str:
    if port <= _LAST_SYSTEM_PORT:
        return str(port)
    return "registered" if port < _FIRST_EPHEMERAL_PORT else "high"


def _connection(record: ConnectionOpened) -> Literals:
    outbound = record.direction == _OUTBOUND
    return (
        f"way={'out' if outbound else 'in'}",
        f"port={_port(record.remote_port if outbound else record.local_port)}",
        f"peer={reach(record.remote_address)}",
        f"done={'yes' if record.outcome == _ESTABLISHED else 'no'}",
    )


def _many(count: int) -> str:
    return str(count.bit_length() // 2)


def _source(record: SourceSummary) -> Literals:
    done = record.handshakes * 10 // max(1, record.syn)
    return (
        f"peer={reach(record.source)}",
        f"ports={_many(record.ports)}",
        f"addresses={_many(record.addresses)}",
        f"packets={_many(record.packets)}",
        f"done={min(done, 10) // 5}",
        f"odd={'yes' if record.anomalies else 'no'}",
        f"udp={'yes' if record.udp * 2 > record.packets else 'no'}",
    )


def _anomaly(record: PacketAnomaly) -> Literals:
    return (f"peer={reach(record.source)}", f"anomaly={record.kind}", f"port={_port(record.destination_port)}")


_USER: Final = attrgetter("uid")

_TOLD: Final[dict[type[Record], tuple[Group, Callable[[Any], int] | None, Callable[[Any], Literals]]]] = {
    ProcessExec: (Group.PROCESS, attrgetter("euid"), _exec),
    CredentialChange: (Group.CREDENTIALS, attrgetter("old_uid"), _credentials),
    MemoryProtection: (Group.MEMORY, _USER, _protection),
    MemoryAccess: (Group.MEMORY, _USER, _access),
    CallOrigin: (Group.MEMORY, _USER, _origin),
    MemoryFault: (Group.MEMORY, _USER, _fault),
    ConnectionOpened: (Group.OUTBOUND, _USER, _connection),
    SourceSummary: (Group.INBOUND, None, _source),
    PacketAnomaly: (Group.INBOUND, None, _anomaly),
}
"""Which population hears of a record, whose deed it tells of, and what it tells beside that."""

HEARD: Final = frozenset(_TOLD)
"""The types of records that populations listen to."""
