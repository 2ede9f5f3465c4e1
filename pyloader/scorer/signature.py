"""What populations hear of an event: a few literals "feature=value" about it and about who did it.

A signature has few values, so that events of the same kind share one, and what was said of it can be remembered. Names
of programs stand in it, numbers only as classes: nothing in it grows with what an attacker can choose but names, and
the memory of signatures is bounded.
"""

from collections.abc import Callable, Sequence
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

CODES: Final = 4
"""So many codes of evidence stand in a signature."""

Literals = tuple[str, ...]


class Signature(NamedTuple):
    """Which population hears of an event, and what."""

    group: Group
    literals: Literals


class Signatures:
    """Makes signatures, and remembers those of executions, which are many and alike."""

    __slots__ = ("_executions",)

    def __init__(self) -> None:
        self._executions: Memo[tuple[object, ...], Literals] = Memo(8_192)

    @property
    def evicted(self) -> int:
        """How many signatures were forgotten."""
        return self._executions.evicted

    def of(self, record: AnyRecord, process: Process | None, items: Sequence[Evidence]) -> Signature:
        """Return the signature of an event of one of the kinds in `HEARD`."""
        group, describe = _TOLD[type(record)]
        if type(record) is ProcessExec and process is not None:
            literals = self._execution(record, process)
        else:
            literals = describe(record, process)
        if items:
            literals += tuple(f"code={item.code}" for item in items[:CODES])
        return Signature(group, literals)

    def _execution(self, record: ProcessExec, process: Process) -> Literals:
        parent = process.parent
        key = (
            process.exe or process.comm,
            process.traits & _ROLE_BITS,
            parent and (parent.exe or parent.comm, parent.traits & _ROLE_BITS),
            record.euid,
            record.stdio & 0xFF,
            record.flags,
            not process.container,
        )
        return self._executions.get(key, lambda _: _exec(record, process))


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


def _name(process: Process) -> str:
    return process.exe.rpartition("/")[2] or process.comm


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


def _who(process: Process | None, uid: int) -> Literals:
    """Return what is told of the process of every event."""
    if process is None:
        return (f"uid={_uid(uid)}",)
    parent = process.parent
    by = _role(parent.traits) if parent is not None else "unknown"
    where = "container" if process.container else "host"
    return (
        f"exe={_name(process)}",
        f"role={_role(process.traits)}",
        f"by={by}",
        f"uid={_uid(uid)}",
        f"place={_place(process.exe)}",
        f"on={where}",
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


def _exec(record: ProcessExec, process: Process | None) -> Literals:
    parent = process.parent if process is not None else None
    return (
        *_who(process, record.euid),
        f"parent={_name(parent) if parent is not None else ''}",
        _STDIN[record.stdio & 0xF],
        _STDOUT[record.stdio >> 4 & 0xF],
        _image(record.flags),
    )


def _credentials(record: CredentialChange, process: Process | None) -> Literals:
    return (
        *_who(process, record.old_uid),
        f"to={_uid(record.euid)}",
        f"gained={'yes' if record.capabilities & ~record.old_capabilities else 'no'}",
        f"explanation={record.explanation}",
    )


def _protection(record: MemoryProtection, process: Process | None) -> Literals:
    return (*_who(process, record.uid), f"technique={record.technique}", f"exposure={record.exposure}")


def _access(record: MemoryAccess, process: Process | None) -> Literals:
    return (*_who(process, record.uid), f"method={record.method}", f"refused={'yes' if record.error else 'no'}")


def _origin(record: CallOrigin, process: Process | None) -> Literals:
    return (*_who(process, record.uid), f"call={record.call}", f"suspicions={record.suspicions}")


def _fault(record: MemoryFault, process: Process | None) -> Literals:
    return (*_who(process, record.uid), f"signal={record.signal}", f"exposure={record.exposure}")


_LAST_SYSTEM_PORT: Final = 1_023
_FIRST_EPHEMERAL_PORT: Final = 32_768


def _port(port: int) -> str:
    if port <= _LAST_SYSTEM_PORT:
        return str(port)
    return "registered" if port < _FIRST_EPHEMERAL_PORT else "high"


def _connection(record: ConnectionOpened, process: Process | None) -> Literals:
    outbound = record.direction == Direction.OUTBOUND
    return (
        *_who(process, record.uid),
        f"way={'out' if outbound else 'in'}",
        f"port={_port(record.remote_port if outbound else record.local_port)}",
        f"peer={reach(record.remote_address)}",
        f"done={'yes' if record.outcome == Outcome.ESTABLISHED else 'no'}",
    )


def _many(count: int) -> str:
    return str(count.bit_length() // 2)


def _source(record: SourceSummary, process: Process | None) -> Literals:  # noqa: ARG001 -- packets have no process.
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


def _anomaly(record: PacketAnomaly, process: Process | None) -> Literals:  # noqa: ARG001 -- packets have no process.
    return (f"peer={reach(record.source)}", f"anomaly={record.kind}", f"port={_port(record.destination_port)}")


_TOLD: Final[dict[type[Record], tuple[Group, Callable[[Any, Process | None], Literals]]]] = {
    ProcessExec: (Group.PROCESS, _exec),
    CredentialChange: (Group.CREDENTIALS, _credentials),
    MemoryProtection: (Group.MEMORY, _protection),
    MemoryAccess: (Group.MEMORY, _access),
    CallOrigin: (Group.MEMORY, _origin),
    MemoryFault: (Group.MEMORY, _fault),
    ConnectionOpened: (Group.OUTBOUND, _connection),
    SourceSummary: (Group.INBOUND, _source),
    PacketAnomaly: (Group.INBOUND, _anomaly),
}

HEARD: Final = frozenset(_TOLD)
"""The types of records that populations listen to."""
