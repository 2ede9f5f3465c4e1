"""The processes of this host and how they descend from each other.

The table follows the records only: it never looks at the host, so that a replay builds the same table. It holds at most
`capacity` live processes. The one that was silent for longest leaves first, and `evicted` counts it. A process that
exited stays reachable from its descendants, in lines of at most `LINE_LIMIT` ancestors.
"""

from collections.abc import Iterator
from itertools import islice

from pyloader.host.lineage import Lineage
from pyloader.records import ProcessExec, ProcessExit, ProcessFork, ProcessSeen, Stdio, text

LINE_LIMIT = 16
"""A line that grows longer is cut in the middle: what lies further back is forgotten."""

CLOCK_TICK_NS = 10_000_000
"""The granularity of start times in /proc (USER_HZ is 100 on every architecture that is supported)."""

RECENTLY_EXITED = 512
"""At least so many processes are remembered after their exit: some of what they did comes to its end after them."""


class Process:
    """One process: what is known of it, and its parent.

    `args` is the argument vector of the last image, `exe` the path of the image, `filename` what was executed (the
    script, if `exe` is its interpreter), `container` the container's id or an empty string, `lineage` whom it belongs
    to. `ledger` and `echo` belong to the scorer, `traits` and `habits` to the evidence stage.
    """

    __slots__ = (
        "alive",
        "args",
        "cgroup",
        "comm",
        "container",
        "depth",
        "echo",
        "exe",
        "filename",
        "flags",
        "habits",
        "ledger",
        "lineage",
        "parent",
        "pid",
        "ppid",
        "session",
        "start",
        "stdin_inode",
        "stdio",
        "stdout_inode",
        "traits",
        "uid",
    )

    def __init__(self, pid: int, start: int, parent: "Process | None", ppid: int) -> None:
        self.pid = pid
        self.start = start
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.ppid = ppid
        self.session = 0
        self.uid = 0
        self.cgroup = 0
        self.container = ""
        self.flags = 0
        self.stdio = 0
        self.stdin_inode = 0
        self.stdout_inode = 0
        self.comm = ""
        self.exe = ""
        self.filename = ""
        self.args: tuple[str, ...] = ()
        self.alive = True
        self.traits = 0
        self.habits: object | None = None
        self.ledger: object | None = None
        self.echo: tuple[int, ...] | None = None
        self.lineage: Lineage = parent.lineage if parent is not None else Lineage(self.label)

    def __repr__(self) -> str:
        return f"Process(pid={self.pid}, start={self.start}, comm={self.comm!r})"

    def __str__(self) -> str:
        return f"{self.comm or 'process'} (pid {self.pid})"

    @property
    def label(self) -> str:
        """What tells this process from every other one, also from later ones with its pid."""
        return f"{self.pid:x}-{self.start:x}"

    @property
    def stdin(self) -> Stdio:
        """What standard input was connected to at the last exec."""
        return Stdio(self.stdio & 0xF)

    @property
    def stdout(self) -> Stdio:
        """What standard output was connected to at the last exec."""
        return Stdio(self.stdio >> 4 & 0xF)

    def moved(self, session: int, cgroup: int) -> None:
        """Note where the process is now; leaving the session or the control group begins a lineage."""
        self.session = session
        self.cgroup = cgroup
        lineage = self.lineage
        if lineage.session != session or lineage.cgroup != cgroup:
            self.lineage = lineage.left_for(self.label, session, cgroup)

    def ancestors(self) -> Iterator["Process"]:
        """Yield the parent, its parent, and so on, as far as they are known."""
        ancestor = self.parent
        while ancestor is not None:
            yield ancestor
            ancestor = ancestor.parent


class ProcessTable:
    """The live processes by pid."""

    def __init__(self, capacity: int = 16_384) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._live: dict[int, Process] = {}
        self._exited: dict[int, Process] = {}
        self._exited_before: dict[int, Process] = {}

    def __len__(self) -> int:
        return len(self._live)

    def pids(self) -> list[int]:
        """Return the ids of all live processes, whoever was silent for longest first."""
        return list(self._live)

    def latest(self, number: int) -> Iterator[Process]:
        """Yield so many live processes at most, whoever was heard of last first."""
        return islice(reversed(self._live.values()), number)

    def get(self, pid: int) -> Process | None:
        """Return the live process with this pid, if it is known."""
        return self._live.get(pid)

    def executed(self, record: ProcessExec) -> Process:
        """Give the process its new image."""
        process = self._known(record.pid, record.start)
        if process is None:
            parent = self._parent(record.ppid, record.parent_start, record.parent_comm)
            process = self._add(Process(record.pid, record.start, parent, record.ppid))
        else:
            self._touch(process)
        process.ppid = record.ppid
        process.uid = record.uid
        process.moved(record.session, record.cgroup)
        process.flags = record.flags
        process.stdio = record.stdio
        process.stdin_inode = record.stdin_inode
        process.stdout_inode = record.stdout_inode
        process.comm = text(record.comm)
        process.exe = exe = text(record.exe)
        process.filename = exe if record.filename == record.exe else text(record.filename)
        process.args = arguments(record.args)
        return process

    def forked(self, record: ProcessFork) -> Process:
        """Add a child that is a copy of its parent."""
        parent = self._parent(record.ppid, record.parent_start, record.comm)
        child = Process(record.pid, record.start, parent, record.ppid)
        child.uid = record.uid
        child.moved(record.session, record.cgroup)
        if parent is None:
            child.comm = text(record.comm)
        else:
            self._touch(parent)
            child.comm = parent.comm
            child.container = parent.container
            child.exe = parent.exe
            child.filename = parent.filename
            child.args = parent.args
            child.flags = parent.flags
            child.stdio = parent.stdio
            child.stdin_inode = parent.stdin_inode
            child.stdout_inode = parent.stdout_inode
            child.traits = parent.traits
        return self._add(child)

    def seen(self, record: ProcessSeen) -> Process:
        """Add a process that ran before the sensor, unless an earlier run of the sensor has left what it knew of it."""
        known = self._live.get(record.pid)
        if known is not None and _is_same(known, record):
            return known
        process = Process(record.pid, record.start, self._live.get(record.ppid), record.ppid)
        process.uid = record.uid
        process.moved(record.session, record.cgroup)
        process.comm = text(record.comm)
        process.exe = process.filename = text(record.exe)
        process.args = arguments(record.args)
        return self._add(process)

    def exited(self, record: ProcessExit) -> Process:
        """Remove a process. One that was never seen is returned all the same, for the sake of its record."""
        process = self._known(record.pid, record.start)
        if process is None:
            process = Process(record.pid, record.start, self._live.get(record.ppid), record.ppid)
            process.uid = record.uid
            process.comm = text(record.comm)
        else:
            del self._live[process.pid]
        process.alive = False
        if len(self._exited) >= RECENTLY_EXITED:
            self._exited_before, self._exited = self._exited, {}
        self._exited[process.pid] = process
        return process

    def find(self, pid: int, start: int) -> Process | None:
        """Return a process that lives, or has just exited, if it is known."""
        process = self._known(pid, start)
        if process is None:
            gone = self._exited.get(pid) or self._exited_before.get(pid)
            if gone is not None and gone.start == start:
                return gone
        return process

    def named(self, pid: int, start: int, ppid: int, comm: bytes) -> Process:
        """Return the process that a record of another kind names; it is added if it was not known."""
        process = self._known(pid, start)
        if process is None:
            process = self._add(Process(pid, start, self._live.get(ppid), ppid))
            process.comm = text(comm)
        return process

    def recalled(self, pid: int, start: int, ppid: int, comm: bytes) -> Process:
        """Return the process that a record of its end names; one that is not known stays outside of the table."""
        process = self._known(pid, start)
        if process is None:
            process = Process(pid, start, self._live.get(ppid), ppid)
            process.comm = text(comm)
            process.alive = False
        return process

    def _known(self, pid: int, start: int) -> Process | None:
        """Return the live process unless the pid now belongs to another one."""
        process = self._live.get(pid)
        if process is None or process.start == start:
            return process
        if process.start == start - start % CLOCK_TICK_NS:
            process.start = start
            return process
        return None

    def _parent(self, pid: int, start: int, comm: bytes) -> Process | None:
        """Return the parent; one that is missing is added with the little that its child's record tells."""
        if pid == 0:
            return None
        parent = self._known(pid, start)
        if parent is None:
            parent = self._add(Process(pid, start, None, 0))
            parent.comm = text(comm)
        return parent

    def _add(self, process: Process) -> Process:
        live = self._live
        reused = live.pop(process.pid, None)
        if reused is not None:
            reused.alive = False
        elif len(live) >= self.capacity:
            oldest = live.pop(next(iter(live)))
            oldest.parent = None
            self.evicted += 1
        live[process.pid] = process
        if process.depth > LINE_LIMIT:
            _cut_line(process)
        return process

    def _touch(self, process: Process) -> None:
        live = self._live
        if live.pop(process.pid, None) is not None:
            live[process.pid] = process


def _is_same(known: Process, record: ProcessSeen) -> bool:
    """Return whether a process has the image and the start, exactly or by the tick, that /proc tells."""
    starts = (known.start, known.start - known.start % CLOCK_TICK_NS)
    return record.start in starts and text(record.exe) in ("", known.exe)


def arguments(raw: bytes) -> tuple[str, ...]:
    """Split an argument vector in which every argument is closed by NUL."""
    if not raw:
        return ()
    return tuple(raw.removesuffix(b"\0").decode("utf-8", "surrogateescape").split("\0"))


def _cut_line(process: Process) -> None:
    """Forget the further half of a process' ancestors. Their other descendants may now seem deeper than they are."""
    kept = LINE_LIMIT // 2
    for distance, ancestor in enumerate(process.ancestors(), 1):
        if distance == kept:
            ancestor.parent = None
            break
    process.depth = kept
