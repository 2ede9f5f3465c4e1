"""Records of memory: each function fills in what a test does not care about."""

from msgspec.structs import replace

from pyloader.records import (
    AccessMethod,
    Area,
    Call,
    CallOrigin,
    Facility,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    MemoryRequest,
    MemoryUsage,
    OomKill,
    OomScope,
    Protection,
    Technique,
    UsageReason,
)
from tests.unit.examples.ground import SECOND, padded

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
