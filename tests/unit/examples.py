"""Records, evidence and alerts that tests vary: each function fills in what a test does not care about."""

import msgspec
from msgspec.structs import replace

from pyloader.alerts import Alert, Severity, Subject
from pyloader.alerts.alert import Reason
from pyloader.evidence import Evidence, Group
from pyloader.host import Process
from pyloader.records import (
    AnyRecord,
    CgroupSeen,
    ConnectionClosed,
    ConnectionOpened,
    CredentialChange,
    DatagramSent,
    EventLoss,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    ProcessSeen,
    SocketCreated,
    SocketListening,
)
from pyloader.records.codec import encode
from pyloader.records.recording import Header

SECOND = 1_000_000_000
MINUTE = 60 * SECOND

HEADER = Header(
    version=1,
    boot_id="9f6ba5ab-7f32-4c0c-a5f4-1b1ad0eac4ba",
    hostname="host",
    kernel="6.1.0",
    machine="x86_64",
    realtime_offset=1_700_000_000 * SECOND,
)


def padded(comm: bytes) -> bytes:
    """Return a name as the kernel gives it: 16 bytes, filled up with NUL."""
    return comm.ljust(16, b"\0")


_EXEC = ProcessExec(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    parent_start=1,
    session=1,
    uid=1000,
    euid=1000,
    gid=1000,
    capabilities=0,
    cgroup=7,
    pid_namespace=1,
    mount_namespace=2,
    inode=3,
    device=4,
    flags=0,
    stdio=0x222,
    stdin_inode=0,
    stdout_inode=0,
    args_size=5,
    comm=padded(b"true"),
    parent_comm=padded(b"sh"),
    filename=b"/usr/bin/true",
    exe=b"/usr/bin/true",
    args=b"true\0",
)


def exec_record(**fields: object) -> ProcessExec:
    """Return the execution of /usr/bin/true by process 100, a child of process 1."""
    return replace(_EXEC, **fields)


_FORK = ProcessFork(
    timestamp=SECOND,
    pid=101,
    ppid=100,
    start=2000,
    parent_start=1000,
    session=1,
    uid=1000,
    cgroup=7,
    comm=padded(b"true"),
)


def fork_record(**fields: object) -> ProcessFork:
    """Return the birth of process 101, a child of process 100."""
    return replace(_FORK, **fields)


_EXIT = ProcessExit(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    code=0,
    signal=0,
    core_dumped=0,
    lifetime=SECOND,
    comm=padded(b"true"),
)


def exit_record(**fields: object) -> ProcessExit:
    """Return the quiet end of process 100."""
    return replace(_EXIT, **fields)


_SEEN = ProcessSeen(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=0,
    session=1,
    uid=1000,
    cgroup=7,
    comm=b"bash",
    exe=b"/usr/bin/bash",
    args=b"-bash\0",
)


def seen_record(**fields: object) -> ProcessSeen:
    """Return process 100, a login shell that ran before the sensor."""
    return replace(_SEEN, **fields)


_CREDENTIALS = CredentialChange(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    explanation=0,
    old_uid=1000,
    old_euid=1000,
    old_gid=1000,
    old_capabilities=0,
    uid=0,
    euid=0,
    gid=0,
    capabilities=(1 << 41) - 1,
    comm=padded(b"true"),
)


def credential_record(**fields: object) -> CredentialChange:
    """Return process 100 as it becomes root without an explanation."""
    return replace(_CREDENTIALS, **fields)


HOME = bytes(10) + b"\xff\xff\xc0\x00\x02\x01"
"""192.0.2.1, this host."""

PEER = bytes.fromhex("20010db8") + bytes(11) + b"\x09"
"""2001:db8::9, another host."""

_OPENED = ConnectionOpened(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=10,
    protocol=6,
    comm=padded(b"true"),
    direction=2,
    outcome=1,
    error=0,
    local_address=HOME,
    local_port=40_000,
    remote_address=PEER,
    remote_port=443,
    duration=2_000_000,
)


def opened_record(**fields: object) -> ConnectionOpened:
    """Return a connection of process 100 to a web server."""
    return replace(_OPENED, **fields)


_CLOSED = ConnectionClosed(
    timestamp=2 * SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=10,
    protocol=6,
    comm=padded(b"true"),
    direction=2,
    error=0,
    local_address=HOME,
    local_port=40_000,
    remote_address=PEER,
    remote_port=443,
    duration=SECOND,
    sent=100,
    received=5000,
)


def closed_record(**fields: object) -> ConnectionClosed:
    """Return the end of that connection."""
    return replace(_CLOSED, **fields)


_LISTENING = SocketListening(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=2,
    protocol=6,
    comm=padded(b"true"),
    local_address=HOME,
    local_port=8080,
    backlog=128,
)


def listening_record(**fields: object) -> SocketListening:
    """Return process 100 as it begins to listen on port 8080."""
    return replace(_LISTENING, **fields)


_DATAGRAM = DatagramSent(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=2,
    protocol=17,
    comm=padded(b"true"),
    local_address=HOME,
    local_port=50_000,
    remote_address=PEER,
    remote_port=53,
    datagrams=1,
    size=40,
    peers=1,
)


def datagram_record(**fields: object) -> DatagramSent:
    """Return the first question of process 100 to a name server."""
    return replace(_DATAGRAM, **fields)


_SOCKET = SocketCreated(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=17,
    protocol=3,
    comm=padded(b"true"),
    socket_type=3,
)


def socket_record(**fields: object) -> SocketCreated:
    """Return the packet socket of process 100, which sees every packet."""
    return replace(_SOCKET, **fields)


def loss_record(count: int = 3, timestamp: int = SECOND, lost: int = 1) -> EventLoss:
    """Return a loss of executions on CPU 0."""
    return EventLoss(timestamp=timestamp, lost=lost, cpu=0, count=count)


def cgroup_record(path: bytes, cgroup: int = 7) -> CgroupSeen:
    """Return the announcement of a control group."""
    return CgroupSeen(timestamp=SECOND, cgroup=cgroup, path=path)


REVERSE_SHELL = exec_record(
    stdio=0x666, comm=padded(b"bash"), filename=b"/bin/bash", exe=b"/usr/bin/bash", args=b"bash\0-i\0"
)
"""A shell whose three standard streams are one network socket; no threshold lets it pass."""


def recording(*records: AnyRecord, header: Header = HEADER) -> bytes:
    """Return a recording as a file would hold it."""
    return msgspec.msgpack.encode(header) + b"".join(map(encode, records))


NESTED = msgspec.msgpack.encode([*msgspec.msgpack.decode(encode(_FORK)), None])[:-1] + b"\x91" * 60_000 + b"\x00"
"""A fork with one more field, which is nested deeper than any decoder that calls itself can go."""


def process(pid: int = 100, start: int = 1000, comm: str = "true", parent: Process | None = None) -> Process:
    """Return a process that no table knows."""
    made = Process(pid, start, parent, parent.pid if parent is not None else 1)
    made.comm = comm
    return made


def evidence(
    nats: float = 8.0,
    *,
    code: str = "sample",
    group: Group = Group.PROCESS,
    about: Process | None = None,
    floor: int = 0,
) -> Evidence:
    """Return an item of evidence of the given weight."""
    whom = about if about is not None else process()
    return Evidence(code, group, nats, f"the text of {code}", "T1059", whom, floor)


_SUBJECT = Subject(pid=6864, ppid=1, start=1000, comm="netcat", exe="/usr/bin/nc", args=["netcat"], uid=0, container="")

_ALERT = Alert(
    id="0123456789abcdef",
    timestamp=SECOND,
    time="2023-11-14T22:13:21.000000Z",
    score=62.4,
    severity=Severity.HIGH,
    domain="process",
    summary="netcat runs a program",
    subject=_SUBJECT,
    evidence=[Reason("sample", 8.0, "the text of sample")],
    techniques=["T1059"],
    confidence=1.0,
)


def subject(**fields: object) -> Subject:
    """Return process 6864, which is netcat."""
    return replace(_SUBJECT, **fields)


def alert(**fields: object) -> Alert:
    """Return an alert about process 6864."""
    return replace(_ALERT, **fields)
