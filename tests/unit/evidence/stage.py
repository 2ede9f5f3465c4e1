"""A stage on which processes start as on a host, and on which evidence adds up as in the scorer."""

import math
import shlex
from collections.abc import Callable, Sequence

from pyloader.evidence import Evidence, EvidenceStage
from pyloader.host import Host, Process
from pyloader.records import (
    AnyRecord,
    CgroupSeen,
    CredentialChange,
    ExecFlag,
    Explanation,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    ProcessSeen,
    Stdio,
)
from tests.unit.examples import (
    access_record,
    fault_record,
    oom_record,
    origin_record,
    protection_record,
    request_record,
    usage_record,
)

SECOND = 1_000_000_000
HIGH = 62
TERMINAL = (Stdio.CHARACTER, Stdio.CHARACTER)


class Stage:
    """Starts programs by records, as the sensor would see them, and keeps the evidence about them.

    Streams are a kind, or the inode of a pipe.
    """

    def __init__(self) -> None:
        self.host = Host()
        self.evidence = EvidenceStage()
        self.now = 100 * SECOND
        self.items: dict[str, list[Evidence]] = {}
        self.last: Sequence[Evidence] = ()
        self._pid = 1_000
        self._inode = 10_000

    def pipe(self) -> int:
        """Return the inode of a new pipe."""
        self._inode += 1
        return self._inode

    def apply(self, record: AnyRecord) -> Process:
        """Pass one record through the host state and the evidence stage."""
        process = self.host.apply(record)
        assert process is not None
        self.last = self.evidence.assess(record, process, self.host)
        for item in self.last:
            self.items.setdefault(item.entity.label, []).append(item)
        return process

    def fork(self, parent: Process | None) -> Process:
        """Let a process have a child."""
        self._pid += 1
        self.now += SECOND // 1000
        ppid, parent_start = (parent.pid, parent.start) if parent is not None else (0, 0)
        uid = parent.uid if parent is not None else 0
        comm = parent.comm.encode("utf-8", "surrogateescape") if parent is not None else b"init"
        return self.apply(
            ProcessFork(self.now, self._pid, ppid, self.now, parent_start, 1, uid, 1, comm),
        )

    def execute(
        self,
        process: Process,
        argv: Sequence[str],
        exe: str = "",
        *,
        stdin: Stdio | int = Stdio.CHARACTER,
        stdout: Stdio | int = Stdio.CHARACTER,
        flags: int = 0,
        uid: int | None = None,
        euid: int | None = None,
        filename: str = "",
        capabilities: int = 0,
        cgroup: int = 1,
    ) -> Process:
        """Let a process execute an image; it is in /usr/bin if no path is given."""
        self.now += SECOND // 1000
        name = argv[0] if argv else "none"
        exe = exe or (name if name.startswith("/") else f"/usr/bin/{name}")
        uid = process.uid if uid is None else uid
        kinds = [stream if isinstance(stream, Stdio) else Stdio.PIPE for stream in (stdin, stdout)]
        inodes = [0 if isinstance(stream, Stdio) else stream for stream in (stdin, stdout)]
        parent = process.parent
        record = ProcessExec(
            timestamp=self.now,
            pid=process.pid,
            ppid=process.ppid,
            start=process.start,
            parent_start=parent.start if parent is not None else 0,
            session=1,
            uid=uid,
            euid=uid if euid is None else euid,
            gid=uid,
            capabilities=capabilities,
            cgroup=cgroup,
            pid_namespace=1,
            mount_namespace=1,
            inode=1,
            device=1,
            flags=flags,
            stdio=kinds[0] | kinds[1] << 4 | kinds[1] << 8,
            stdin_inode=inodes[0],
            stdout_inode=inodes[1],
            args_size=sum(len(word) + 1 for word in argv),
            comm=(filename or exe).rpartition("/")[2].encode("utf-8", "surrogateescape")[:15],
            parent_comm=parent.comm.encode("utf-8", "surrogateescape") if parent is not None else b"",
            filename=(filename or exe).encode("utf-8", "surrogateescape"),
            exe=exe.encode("utf-8", "surrogateescape"),
            args=b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in argv),
        )
        return self.apply(record)

    def run(self, argv: Sequence[str], parent: Process | None = None, exe: str = "", **how: object) -> Process:
        """Fork and execute."""
        return self.execute(self.fork(parent), argv, exe, **how)  # type: ignore[arg-type]

    def typed(self, line: str) -> Process:
        """Run a command line as an ordinary user."""
        return self.run(shlex.split(line), uid=1000)

    def sudo(self, argv: Sequence[str], parent: Process | None = None) -> Process:
        """Run a command through sudo and return the process of the command."""
        sudo = self.run(["sudo", *argv], parent, flags=int(ExecFlag.SETUID), uid=1000, euid=0)
        return self.run(argv, sudo, uid=0)

    def exit(self, process: Process, signal: int = 0) -> None:
        """End a process."""
        self.now += SECOND // 1000
        self.apply(ProcessExit(self.now, process.pid, process.ppid, process.start, 0, 0, signal, 0, 1, b"x"))

    def protect(self, process: Process, **fields: object) -> None:
        """Let a process make memory executable that it has written."""
        self._remember(protection_record, process, fields)

    def access(self, process: Process, target: Process, **fields: object) -> None:
        """Let a process write to another one by ptrace."""
        relation = {
            "target_pid": target.pid,
            "target_ppid": target.ppid,
            "target_start": target.start,
            "target_comm": target.comm.encode("utf-8", "surrogateescape"),
        }
        self._remember(access_record, process, relation | fields)

    def call(self, process: Process, **fields: object) -> None:
        """Let a process make a call whose origin is looked at."""
        self._remember(origin_record, process, fields)

    def fault(self, process: Process, **fields: object) -> None:
        """Let a process fault."""
        self._remember(fault_record, process, fields)

    def request(self, process: Process, **fields: object) -> None:
        """Let a process ask for a facility."""
        self._remember(request_record, process, fields)

    def use(self, process: Process, **fields: object) -> None:
        """Let a process use memory."""
        self._remember(usage_record, process, fields)

    def starve(self, process: Process, **fields: object) -> None:
        """Let a process be killed for want of memory."""
        self._remember(oom_record, process, fields)

    def _remember(self, made: Callable[..., AnyRecord], process: Process, fields: dict[str, object]) -> None:
        self.now += SECOND // 1000
        own = {
            "timestamp": self.now,
            "pid": process.pid,
            "start": process.start,
            "uid": process.uid,
            "comm": process.comm.encode("utf-8", "surrogateescape"),
        }
        if made is not oom_record:
            own["ppid"] = process.ppid
        self.apply(made(**own | fields))

    def seen(self, pid: int, exe: str, argv: Sequence[str]) -> Process:
        """Let a process have run before the sensor."""
        comm = exe.rpartition("/")[2].encode()
        args = b"".join(word.encode() + b"\0" for word in argv)
        return self.apply(ProcessSeen(self.now, pid, 0, 1, 1, 0, 1, comm, exe.encode(), args))

    def container(self, cgroup: int) -> None:
        """Tell that a control group belongs to a container."""
        path = b"/system.slice/docker-" + b"0123456789abcdef" * 4 + b".scope"
        self.host.apply(CgroupSeen(self.now, cgroup, path))

    def change(self, process: Process, explanation: Explanation, old: tuple[int, int], new: tuple[int, int]) -> None:
        """Change the uid and effective uid of a process."""
        self.apply(
            CredentialChange(
                timestamp=self.now,
                pid=process.pid,
                ppid=process.ppid,
                start=process.start,
                explanation=explanation,
                old_uid=old[0],
                old_euid=old[1],
                old_gid=old[0],
                old_capabilities=0,
                uid=new[0],
                euid=new[1],
                gid=new[0],
                capabilities=0,
                comm=process.comm.encode("utf-8", "surrogateescape"),
            )
        )

    def close(self, process: Process) -> None:
        """Let the episode of a process end: quietly if nobody of its line reached a high score."""
        self.evidence.closed(process.lineage, quiet=self.score(process) < HIGH, now=self.now)

    def codes(self, process: Process) -> set[str]:
        """Return the codes of everything that was said about a process."""
        return {item.code for item in self.items.get(process.label, [])}

    def score(self, process: Process) -> float:
        """Return the score of a process from its own evidence and that of its ancestors."""
        floor = max((item.floor for item in self.items.get(process.label, [])), default=0)
        return max(floor, min(100.0, 12.5 * math.log10(60 * math.exp(self.nats(process)))))

    def nats(self, process: Process) -> float:
        """Return the combined evidence about a process and its ancestors."""
        groups: dict[int, dict[str, float]] = {}
        for member in (process, *process.ancestors()):
            for item in self.items.get(member.label, []):
                codes = groups.setdefault(item.group, {})
                codes[item.code] = max(codes.get(item.code, 0.0), item.nats)
        nats = 0.0
        for codes in groups.values():
            total = 0.0
            for weight in sorted(codes.values()):
                total = weight + total / 4
            nats += total
        return nats
