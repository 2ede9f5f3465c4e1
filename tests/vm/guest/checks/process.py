"""The process monitor: an execution, a birth, three deaths and a change of ids, with every field of their records."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from pyloader.monitors import Rung
from pyloader.records import (
    AnyRecord,
    CredentialChange,
    ExecFlag,
    Explanation,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    Record,
    Stdio,
    text,
)
from tests.vm.guest.rungs import Check, Checks

BUSYBOX = "/usr/bin/busybox"
USER, GROUP = 1000, 1001

TICK_NS = 10_000_000
"""The unit of times in /proc."""

R = TypeVar("R", bound=Record)

_NAMESPACES = (("pid", "pid"), ("mount", "mnt"))
_MEANWHILE = 0.3
"""Seconds that a child lives, so that it can be looked at, and leaves the CPU."""


def start_ticks(pid: int) -> int:
    """Return when a process began, in hundredths of a second since boot, as /proc says."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def check_exec(rung: Rung) -> Check:
    """Run a program as another user, with awkward arguments, and a script."""
    words: list[str | bytes] = [
        "busybox",
        "sh",
        "-c",
        f"sleep {_MEANWHILE}; :",
        "",
        "two words",
        b"\xff\xfe",
        "line\nbreak",
    ]
    with Path("/tmp/error").open("w") as error:  # noqa: S108 -- nobody else is in this machine.
        child = subprocess.Popen(
            words,
            executable=BUSYBOX,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=error,
            user=USER,
            group=GROUP,
            extra_groups=[],
        )
    ticks = start_ticks(child.pid)
    assert child.stdin is not None
    pipe = os.fstat(child.stdin.fileno()).st_ino
    child.communicate()
    script = Path("/tmp/script")  # noqa: S108 -- likewise.
    script.write_text(f"#!{BUSYBOX}\n")
    script.chmod(0o755)
    scripted = subprocess.Popen([script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    scripted.wait()
    records = yield

    image = os.stat(BUSYBOX)  # noqa: PTH116 -- the path is a string for what else it is used.
    args = b"".join(os.fsencode(word) + b"\0" for word in words)
    record = _the(ProcessExec, records, child.pid)
    _same(
        record,
        _surroundings()
        | _namespaces()
        | {
            "ppid": os.getpid(),
            "start": ticks,
            "parent_start": start_ticks(os.getpid()),
            "uid": USER,
            "euid": USER,
            "gid": GROUP,
            "capabilities": 0,
            "inode": image.st_ino,
            "device": os.major(image.st_dev) << 20 | os.minor(image.st_dev),
            "flags": ExecFlag(0),
            "stdio": Stdio.PIPE | Stdio.CHARACTER << 4 | Stdio.FILE << 8,
            "stdin_inode": pipe,
            "stdout_inode": 0,
            "args_size": len(args),
            "comm": "busybox",
            "parent_comm": _own_comm(),
            "filename": BUSYBOX.encode(),
            "exe": BUSYBOX.encode(),
            "args": args,
        },
    )
    flags = ExecFlag(0) if "script" in rung.blind_to else ExecFlag.SCRIPT
    expected = {"filename": os.fsencode(script), "exe": BUSYBOX.encode(), "flags": flags}
    _same(_the(ProcessExec, records, scripted.pid), expected | {"uid": 0, "capabilities": _own_capabilities()})


def check_fork(_rung: Rung) -> Check:
    """Make a child that does nothing but live for a moment."""
    pid = _child(lambda: time.sleep(_MEANWHILE))
    ticks = start_ticks(pid)
    os.waitpid(pid, 0)
    records = yield

    record = _the(ProcessFork, records, pid)
    expected = {"start": ticks, "parent_start": start_ticks(os.getpid()), "uid": 0, "comm": _own_comm()}
    _same(record, _surroundings() | {"ppid": os.getpid()} | expected)


def check_exit(_rung: Rung) -> Check:
    """End one child with a status, and one by a signal."""
    begin = time.monotonic_ns()
    left = _child(lambda: time.sleep(_MEANWHILE), status=42)
    os.waitpid(left, 0)
    killed = _child(lambda: time.sleep(60))
    os.kill(killed, signal.SIGTERM)
    os.waitpid(killed, 0)
    elapsed = time.monotonic_ns() - begin
    records = yield

    expected = {"ppid": os.getpid(), "uid": 0, "core_dumped": 0, "comm": _own_comm()}
    record = _the(ProcessExit, records, left)
    _same(record, expected | {"code": 42, "signal": 0})
    assert _MEANWHILE * 1e9 <= record.lifetime < elapsed, f"lifetime is {record.lifetime}"
    _same(_the(ProcessExit, records, killed), expected | {"code": 0, "signal": signal.SIGTERM})


def check_credentials(_rung: Rung) -> Check:
    """Let a child give up its ids and go on, without an exec."""

    def action() -> None:
        os.setgid(GROUP)
        os.setuid(USER)
        time.sleep(_MEANWHILE)

    pid = _child(action)
    os.waitpid(pid, 0)
    records = yield

    changes = [one for one in records if isinstance(one, CredentialChange) and one.pid == pid]
    assert changes, "no change of credentials was observed"
    assert {one.explanation for one in changes} == {Explanation.SET_ID}, f"it was explained by {changes}"
    before = {"old_uid": 0, "old_euid": 0, "old_gid": 0, "old_capabilities": _own_capabilities()}
    _same(changes[0], before | {"ppid": os.getpid(), "comm": _own_comm()})
    _same(changes[-1], {"uid": USER, "euid": USER, "gid": GROUP, "capabilities": 0})


def _child(action: Callable[[], None], status: int = 0) -> int:
    """Return the pid of a copy of this process that performs an action and ends with a status."""
    pid = os.fork()
    if pid == 0:
        action()
        os._exit(status)
    return pid


def _surroundings() -> dict[str, object]:
    """Return what every child of this process shares with it."""
    return {"session": os.getsid(0), "cgroup": Path("/sys/fs/cgroup").stat().st_ino}


def _namespaces() -> dict[str, object]:
    return {f"{name}_namespace": Path(f"/proc/self/ns/{file}").stat().st_ino for name, file in _NAMESPACES}


def _own_comm() -> str:
    return Path("/proc/self/comm").read_text().strip()


def _own_capabilities() -> int:
    return int(Path("/proc/self/status").read_text().split("CapEff:")[1].split()[0], 16)


def _the(kind: type[R], records: Sequence[AnyRecord], pid: int) -> R:
    """Return the one record of a type and a process."""
    found = [one for one in records if isinstance(one, kind) and getattr(one, "pid", None) == pid]
    assert len(found) == 1, f"{len(found)} records of type {kind.__name__} instead of one"
    return found[0]


def _same(record: Record, expected: dict[str, object]) -> None:
    """Fail with every field that is not as expected; names of programs are text, starts are in ticks, as in /proc."""
    seen = msgspec.structs.asdict(record)
    for name, value in seen.items():
        if name.endswith("comm"):
            seen[name] = text(value)
        elif name.endswith("start"):
            seen[name] = value // TICK_NS
    wrong = [f"{name} is {seen[name]!r} and not {value!r}" for name, value in expected.items() if seen[name] != value]
    assert not wrong, f"{type(record).__name__}: {'; '.join(wrong)}"


HOOKS: Checks = {"exec": check_exec, "fork": check_fork, "exit": check_exit, "credentials": check_credentials}
