"""Records of the process monitor (`bpf/process_monitor.bpf.c`).

A process is a thread group. It is named by `pid` (in the initial pid namespace) and `start`, the boot-time clock at
its creation, so that a reused pid is another process.
"""

from enum import IntEnum, IntFlag

from pyloader.records.wire import U8, U16, U32, U64, Arguments, Comm, FileName, Path, Record


class ExecFlag(IntFlag):
    """What was special about an execution."""

    SETUID = 1 << 0
    """The set-uid bit of the file changed the effective uid."""
    SETGID = 1 << 1
    """The set-gid bit of the file changed the effective gid."""
    FILE_CAPABILITIES = 1 << 2
    """Capabilities of the file added to the permitted set."""
    MEMFD = 1 << 3
    """The image lies in an anonymous memory file (memfd_create)."""
    DELETED = 1 << 4
    """The image has no name left in any directory."""
    WORLD_WRITABLE = 1 << 5
    """Everyone may write to the directory of the image, or to the image itself."""
    SCRIPT = 1 << 6
    """`filename` is a script (or binfmt_misc file) and `exe` its interpreter."""
    ARGUMENTS_TRUNCATED = 1 << 7
    """`args` holds the first 4,096 bytes; `args_size` tells the true length."""
    ARGUMENTS_UNREADABLE = 1 << 8
    """The argument area could not be read: `args` is empty and `args_size` tells the true length."""
    PATH_TRUNCATED = 1 << 9
    """`exe` lacks its leading directories: it is deeper or longer than a record holds."""


class Stdio(IntEnum):
    """What a standard stream is connected to."""

    OTHER = 0
    CLOSED = 1
    CHARACTER = 2
    FILE = 3
    PIPE = 4
    UNIX_SOCKET = 5
    INET_SOCKET = 6
    OTHER_SOCKET = 7

    @classmethod
    def _missing_(cls, value: object) -> "Stdio":  # noqa: ARG003 -- enum's signature.
        """Take what a newer kernel side tells, or a damaged recording, for something else."""
        return cls.OTHER


class Explanation(IntEnum):
    """What explains a change of credentials."""

    NONE = 0
    """Neither of the below: the kernel's own rules forbid this change."""
    EXEC = 1
    """Execution of a set-uid, set-gid or file-capability image."""
    SET_ID = 2
    """A call of the set*id or capset family, as far as the old credentials permit it."""
    USER_NAMESPACE = 3
    """The process entered another user namespace."""


class ProcessExec(Record, frozen=True, tag=1):
    """A process runs a new image (`sched_process_exec`)."""

    pid: U32
    ppid: U32
    start: U64
    parent_start: U64
    session: U32
    uid: U32
    euid: U32
    gid: U32
    capabilities: U64
    cgroup: U64
    pid_namespace: U32
    mount_namespace: U32
    inode: U64
    device: U32
    flags: U32
    stdio: U16
    """Three nibbles of `Stdio`: standard input lowest, then output, then error."""
    stdin_inode: U64
    """Inode of standard input if it is a pipe or socket, else 0. Two ends of one pipe have the same inode."""
    stdout_inode: U64
    args_size: U32
    comm: Comm
    parent_comm: Comm
    filename: FileName
    """The file as the caller named it, possibly relative."""
    exe: Path
    """The absolute path of the image, resolved in the kernel across mounts."""
    args: Arguments
    """The argument vector, each argument closed by a NUL byte."""

    @property
    def stdin(self) -> Stdio:
        """What standard input is connected to."""
        return Stdio(self.stdio & 0xF)

    @property
    def stdout(self) -> Stdio:
        """What standard output is connected to."""
        return Stdio(self.stdio >> 4 & 0xF)

    @property
    def stderr(self) -> Stdio:
        """What standard error is connected to."""
        return Stdio(self.stdio >> 8 & 0xF)


class ProcessFork(Record, frozen=True, tag=2):
    """A process was created (`sched_process_fork`); new threads are not reported."""

    pid: U32
    ppid: U32
    start: U64
    parent_start: U64
    session: U32
    uid: U32
    cgroup: U64
    comm: Comm


class ProcessExit(Record, frozen=True, tag=3):
    """The last thread of a process ended (`sched_process_exit`)."""

    pid: U32
    ppid: U32
    start: U64
    uid: U32
    code: U8
    """The exit status, 0 to 255; 0 if a signal ended the process."""
    signal: U8
    """The signal that ended the process, or 0."""
    core_dumped: U8
    lifetime: U64
    """Nanoseconds from the process' creation to its exit."""
    comm: Comm


class CredentialChange(Record, frozen=True, tag=4):
    """The ids or capabilities of a process differ from what they were."""

    pid: U32
    ppid: U32
    start: U64
    explanation: U8
    old_uid: U32
    old_euid: U32
    old_gid: U32
    old_capabilities: U64
    uid: U32
    euid: U32
    gid: U32
    capabilities: U64
    comm: Comm
