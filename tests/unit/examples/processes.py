"""Records of processes: each function fills in what a test does not care about."""

from msgspec.structs import replace

from pyloader.records import CgroupSeen, CredentialChange, ProcessExec, ProcessExit, ProcessFork, ProcessSeen
from tests.unit.examples.ground import SECOND, padded

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


def cgroup_record(path: bytes, cgroup: int = 7) -> CgroupSeen:
    """Return the announcement of a control group."""
    return CgroupSeen(timestamp=SECOND, cgroup=cgroup, path=path)


REVERSE_SHELL = exec_record(
    stdio=0x666, comm=padded(b"bash"), filename=b"/bin/bash", exe=b"/usr/bin/bash", args=b"bash\0-i\0"
)
"""A shell whose three standard streams are one network socket; no threshold lets it pass."""
