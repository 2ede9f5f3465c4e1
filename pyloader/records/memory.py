"""Records of the memory monitor (`bpf/memory_monitor.bpf.c`).

What could come in storms, because a process does it again and again, is told the first eight times and then whenever
its number has doubled: `count` is that number, so nothing between two records is hidden. Of processes in focus each
time is told. When the sensor cannot keep up, memory usage and repeats of what concerns memory are told in part.
"""

from enum import IntEnum, IntFlag

from pyloader.records.wire import U8, U16, U32, U64, Comm, FileName, Path, Record


class Protection(IntFlag):
    """What a memory area allows (`vm_flags` in include/linux/mm.h)."""

    READ = 1
    WRITE = 2
    EXECUTE = 4
    SHARED = 8


class Area(IntEnum):
    """What kind of memory an address lies in."""

    NONE = 0
    """Nothing is mapped there."""
    ANONYMOUS = 1
    HEAP = 2
    STACK = 3
    """The main stack, or any area that grows down."""
    THREAD_STACK = 4
    """The area that also holds the thread's own control block."""
    SIGNAL_STACK = 5
    """The thread's alternate stack for signal handlers."""
    FILE = 6
    MEMFD = 7
    """An anonymous memory file (memfd_create)."""
    SHARED_MEMORY = 8
    """Shared memory without a name of its own: a shared anonymous mapping or System V shared memory."""
    KERNEL = 9
    """What the kernel maps itself, such as the vdso."""

    @classmethod
    def _missing_(cls, value: object) -> "Area":  # noqa: ARG003 -- enum's signature.
        """Take what a newer kernel side tells, or a damaged recording, for plain memory."""
        return cls.ANONYMOUS


class Technique(IntEnum):
    """How memory became executable."""

    WRITABLE = 1
    """It is writable and executable at once."""
    WRITTEN = 2
    """It was writable, or holds what the process wrote, and is executable now."""
    ANONYMOUS = 3
    """No file stands behind it, and nothing was written to it yet."""
    STACK = 4
    HEAP = 5
    TEXT_RELOCATION = 6
    """Pages of a private file mapping that the process changed."""
    MEMFD = 7
    """An anonymous memory file was mapped executable."""
    DUAL_MAPPING = 8
    """The same, and it is mapped writable elsewhere: writing there changes the code here."""
    MOVED = 9
    """Executable memory was given another address or other pages (mremap, remap_file_pages)."""


class Exposure(IntFlag):
    """Which network sockets a process holds among its first descriptors."""

    LISTENS = 1
    CONNECTED = 2


class AccessMethod(IntEnum):
    """How a process reached into another one."""

    ATTACH = 1
    """ptrace: PTRACE_ATTACH or PTRACE_SEIZE."""
    POKE = 2
    """ptrace: words were written."""
    SET_REGISTERS = 3
    """ptrace: registers were changed."""
    VM_READ = 4
    """process_vm_readv."""
    VM_WRITE = 5
    """process_vm_writev."""
    OPEN = 6
    """/proc/PID/mem was opened for writing."""
    WRITE = 7
    """/proc/PID/mem was written to."""
    OPEN_TO_READ = 8
    """/proc/PID/mem was opened for reading only."""


class Facility(IntEnum):
    """What a process asked the kernel for."""

    USERFAULTFD = 1
    MEMFD = 2


class Call(IntEnum):
    """A system call at which the monitor looks where it came from."""

    EXEC = 1
    PROTECT = 2
    """mprotect that makes memory executable."""
    MAP = 3
    """mmap of executable memory."""
    CONNECT = 4
    """connect of a TCP socket."""


class Suspicion(IntFlag):
    """What was odd about the origin of a call."""

    CODE = 1
    """The instruction lies in memory that no file stands behind."""
    STACK = 2
    """The stack pointer lies outside every stack of the thread."""
    FRESH_CODE = 4
    """The process made written memory executable within the last minute."""


class UsageReason(IntFlag):
    """Why memory usage is reported: what has doubled, or what else calls for it."""

    RESIDENT = 1
    FAULTS = 2
    CALLS = 4
    MAPPED = 8
    EXIT = 16
    ATTENTION = 32


class OomScope(IntEnum):
    """Which limit was hit."""

    HOST = 0
    CGROUP = 1


class MemoryProtection(Record, frozen=True, tag=5):
    """A process made memory executable in a way that loading a program does not."""

    pid: U32
    tid: U32
    ppid: U32
    start: U64
    uid: U32
    technique: U8
    area: U8
    was: U8
    """`Protection` before; 0 for a new mapping."""
    now: U8
    exposure: U8
    count: U32
    """How many areas this process has treated so, this one included; each area counts once."""
    cgroup: U64
    address: U64
    """What the call named, or where the new mapping lies."""
    length: U64
    area_start: U64
    area_end: U64
    ip: U64
    """The instruction behind the system call."""
    comm: Comm
    file: Path
    """The file behind the area, or empty."""


class MemoryAccess(Record, frozen=True, tag=6):
    """A process reached into the memory or the registers of another one, or was refused.

    It may have been its own memory, by /proc/PID/mem, which lets even pages be written that are not writable.
    """

    pid: U32
    ppid: U32
    start: U64
    uid: U32
    method: U8
    error: U16
    """The errno of a refusal, or 0."""
    count: U32
    """How often this process has done so to this target."""
    target_pid: U32
    target_ppid: U32
    target_start: U64
    target_uid: U32
    descent: U8
    """How many generations the target descends from this process: 1 for a child; 0 if it does not, within 16."""
    address: U64
    length: U64
    comm: Comm
    target_comm: Comm


class MemoryRequest(Record, frozen=True, tag=7):
    """A process asked for a facility that exploits like: userfaultfd, or an anonymous memory file."""

    pid: U32
    ppid: U32
    start: U64
    uid: U32
    facility: U8
    privileged: U8
    """Whether it holds CAP_SYS_PTRACE, which lets it do so anyway."""
    flags: U32
    count: U32
    comm: Comm
    name: FileName
    """The name of the memory file, or empty."""


class MemoryFault(Record, frozen=True, tag=8):
    """A signal that tells of a fault: SEGV, BUS, ILL, FPE, TRAP, ABRT or SYS. Traced processes' traps are left out."""

    pid: U32
    tid: U32
    ppid: U32
    start: U64
    parent_start: U64
    uid: U32
    signal: U8
    code: U32
    """`si_code`, as an unsigned number."""
    handled: U8
    """1 if a handler of the process gets it, 0 if it is fatal."""
    exposure: U8
    count: U32
    cgroup: U64
    address: U64
    """What the fault was about (`si_addr`), or 0."""
    ip: U64
    sp: U64
    address_area: U8
    address_protection: U8
    ip_area: U8
    ip_protection: U8
    sp_area: U8
    comm: Comm
    file: Path
    """The file behind the instruction, or empty."""
    message: FileName
    """What glibc said as it aborted, for example `*** stack smashing detected ***: terminated`, or empty."""


class CallOrigin(Record, frozen=True, tag=9):
    """A system call came from where calls of compiled programs do not come from."""

    pid: U32
    tid: U32
    ppid: U32
    start: U64
    uid: U32
    call: U8
    suspicions: U8
    exposure: U8
    count: U32
    ip: U64
    sp: U64
    ip_area: U8
    ip_protection: U8
    sp_area: U8
    sp_protection: U8
    since_written: U64
    """Nanoseconds since the process last made written memory executable, or 0 if it did not within a minute."""
    comm: Comm
    file: Path
    """The file behind the instruction, or empty."""


class MemoryUsage(Record, frozen=True, tag=10):
    """What a process has used since the monitor first saw it; told at its exit only if it was told before."""

    pid: U32
    ppid: U32
    start: U64
    uid: U32
    reasons: U8
    cgroup: U64
    resident: U64
    """Bytes in memory. At an exit, before Linux 6.16, this, `virtual` and `heap` are 0."""
    peak: U64
    virtual: U64
    """Bytes of address space."""
    heap: U64
    """Bytes between the start of the heap and its break."""
    minor_faults: U64
    major_faults: U64
    maps: U64
    mapped: U64
    """Bytes."""
    unmaps: U64
    unmapped: U64
    """Bytes."""
    breaks: U64
    duration: U64
    """Nanoseconds for which calls have been counted."""
    comm: Comm


class OomKill(Record, frozen=True, tag=11):
    """The kernel chose a process to kill for want of memory."""

    pid: U32
    start: U64
    uid: U32
    scope: U8
    cgroup: U64
    limit: U64
    """Bytes that the control group may have; 0 if the host ran out."""
    usage: U64
    """Bytes that the control group had."""
    virtual: U64
    anonymous: U64
    file: U64
    shared: U64
    score_adjustment: U16
    """`oom_score_adj` plus 1,000: 0 to 2,000."""
    cause_pid: U32
    """Whose demand for memory could not be met."""
    comm: Comm
    cause_comm: Comm
