"""Records, evidence and alerts that tests vary: each function fills in what a test does not care about."""

import msgspec
from msgspec.structs import replace

from pyloader.alerts import Alert, Severity, Subject
from pyloader.alerts.alert import Reason
from pyloader.evidence import Evidence, Group
from pyloader.host import Entity, Process
from pyloader.records import (
    AccessMethod,
    AnyRecord,
    Area,
    Call,
    CallOrigin,
    CgroupSeen,
    ConnectionClosed,
    ConnectionOpened,
    CredentialChange,
    DatagramSent,
    EventLoss,
    Facility,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    MemoryRequest,
    MemoryUsage,
    NetworkTraffic,
    OomKill,
    OomScope,
    PacketAnomaly,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    ProcessSeen,
    Protection,
    SocketCreated,
    SocketListening,
    SourceSummary,
    Technique,
    UsageReason,
)
from pyloader.records.codec import encode
from pyloader.records.recording import Header
from pyloader.scorer import Baseline

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


_ANOMALY = PacketAnomaly(
    timestamp=SECOND,
    kind=14,
    interface=2,
    source=PEER,
    destination=HOME,
    source_port=40_000,
    destination_port=22,
    protocol=6,
    flags=3,
    tunnel=0,
    vlan=0,
    length=60,
    untold=0,
)


def anomaly_record(**fields: object) -> PacketAnomaly:
    """Return a packet from the other host with SYN and FIN."""
    return replace(_ANOMALY, **fields)


_SOURCE = SourceSummary(
    timestamp=2 * SECOND,
    source=PEER,
    prefix=128,
    doubled=1,
    first_seen=SECOND,
    bytes=960,
    syn=16,
    fin=0,
    rst=0,
    udp=0,
    icmp=0,
    other=0,
    handshakes=0,
    anomalies=0,
    anomaly_kinds=0,
    ports=1,
    addresses=1,
    salience=18,
    interface=2,
    destination=HOME,
    destination_port=22,
    protocol=6,
)


def source_record(**fields: object) -> SourceSummary:
    """Return what is known of the other host after sixteen SYNs."""
    return replace(_SOURCE, **fields)


_TRAFFIC = NetworkTraffic(
    timestamp=2 * SECOND, interval=SECOND, counts=b"", dispersion=b"", peak=0, peak_window=1 << 23
)


def traffic_record(**fields: object) -> NetworkTraffic:
    """Return the totals of a second without packets."""
    return replace(_TRAFFIC, **fields)


def loss_record(count: int = 3, timestamp: int = SECOND, lost: int = 1) -> EventLoss:
    """Return a loss of executions on CPU 0."""
    return EventLoss(timestamp=timestamp, lost=lost, cpu=0, count=count)


def cgroup_record(path: bytes, cgroup: int = 7) -> CgroupSeen:
    """Return the announcement of a control group."""
    return CgroupSeen(timestamp=SECOND, cgroup=cgroup, path=path)


_PROTECTION = MemoryProtection(
    timestamp=SECOND,
    pid=100,
    tid=100,
    ppid=1,
    start=1000,
    uid=1000,
    technique=Technique.WRITTEN,
    area=Area.ANONYMOUS,
    was=Protection.READ | Protection.WRITE,
    now=Protection.READ | Protection.EXECUTE,
    exposure=0,
    count=1,
    cgroup=7,
    address=0x7F00_0000_0000,
    length=4096,
    area_start=0x7F00_0000_0000,
    area_end=0x7F00_0000_1000,
    ip=0x7F00_1000_0000,
    comm=padded(b"true"),
    file=b"",
)


def protection_record(**fields: object) -> MemoryProtection:
    """Return process 100 as it makes a page executable that it has written."""
    return replace(_PROTECTION, **fields)


_ACCESS = MemoryAccess(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    method=AccessMethod.POKE,
    error=0,
    count=1,
    target_pid=300,
    target_ppid=1,
    target_start=500,
    target_uid=1000,
    descent=0,
    address=0x7F00_0000_0000,
    length=8,
    comm=padded(b"true"),
    target_comm=padded(b"victim"),
)


def access_record(**fields: object) -> MemoryAccess:
    """Return process 100 as it writes to process 300, a stranger, by ptrace."""
    return replace(_ACCESS, **fields)


_REQUEST = MemoryRequest(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    facility=Facility.USERFAULTFD,
    privileged=0,
    flags=0,
    count=1,
    comm=padded(b"true"),
    name=b"",
)


def request_record(**fields: object) -> MemoryRequest:
    """Return process 100 as it asks for userfaultfd without privileges."""
    return replace(_REQUEST, **fields)


_FAULT = MemoryFault(
    timestamp=SECOND,
    pid=100,
    tid=100,
    ppid=1,
    start=1000,
    parent_start=1,
    uid=1000,
    signal=11,
    code=1,
    handled=0,
    exposure=0,
    count=1,
    cgroup=7,
    address=0,
    ip=0x5500_0000_1234,
    sp=0x7FFF_0000_0000,
    address_area=Area.NONE,
    address_protection=0,
    ip_area=Area.FILE,
    ip_protection=Protection.READ | Protection.EXECUTE,
    sp_area=Area.STACK,
    comm=padded(b"true"),
    file=b"/usr/bin/true",
    message=b"",
)


def fault_record(**fields: object) -> MemoryFault:
    """Return process 100 as it dies of a null pointer."""
    return replace(_FAULT, **fields)


_ORIGIN = CallOrigin(
    timestamp=SECOND,
    pid=100,
    tid=100,
    ppid=1,
    start=1000,
    uid=1000,
    call=Call.EXEC,
    suspicions=0,
    exposure=0,
    count=1,
    ip=0x7F00_0000_0000,
    sp=0x7FFF_0000_0000,
    ip_area=Area.ANONYMOUS,
    ip_protection=Protection.READ | Protection.EXECUTE,
    sp_area=Area.STACK,
    sp_protection=Protection.READ | Protection.WRITE,
    since_written=0,
    comm=padded(b"true"),
    file=b"",
)


def origin_record(**fields: object) -> CallOrigin:
    """Return an exec of process 100 with nothing odd about it."""
    return replace(_ORIGIN, **fields)


_USAGE = MemoryUsage(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    reasons=UsageReason.RESIDENT,
    cgroup=7,
    resident=2 << 30,
    peak=2 << 30,
    virtual=4 << 30,
    heap=0,
    minor_faults=1,
    major_faults=0,
    maps=1,
    mapped=4 << 30,
    unmaps=0,
    unmapped=0,
    breaks=0,
    duration=5 * SECOND,
    comm=padded(b"true"),
)


def usage_record(**fields: object) -> MemoryUsage:
    """Return process 100 as it has filled two GiB within five seconds."""
    return replace(_USAGE, **fields)


_OOM = OomKill(
    timestamp=SECOND,
    pid=100,
    start=1000,
    uid=1000,
    scope=OomScope.HOST,
    cgroup=7,
    limit=0,
    usage=0,
    virtual=4 << 30,
    anonymous=2 << 30,
    file=0,
    shared=0,
    score_adjustment=1_000,
    cause_pid=200,
    comm=padded(b"true"),
    cause_comm=padded(b"other"),
)


def oom_record(**fields: object) -> OomKill:
    """Return process 100 as it is killed because process 200 wants memory."""
    return replace(_OOM, **fields)


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
    about: Entity | None = None,
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
    evidence=[Reason("sample", 8.0, "the text of sample", 8.0)],
    techniques=["T1059"],
    confidence=1.0,
    period=86_400.0,
    rarity="about once a day",
    baseline=Baseline(days=0.0, episodes=0, learning=True),
)


def subject(**fields: object) -> Subject:
    """Return process 6864, which is netcat."""
    return replace(_SUBJECT, **fields)


def alert(**fields: object) -> Alert:
    """Return an alert about process 6864."""
    return replace(_ALERT, **fields)
