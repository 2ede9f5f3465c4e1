"""The process monitor: an execution, a birth, three deaths and a change of ids, with every field of their records."""

import os
import signal
import subprocess
import time
from pathlib import Path

from pyloader.monitors import Rung
from pyloader.records import (
    CredentialChange,
    ExecFlag,
    Explanation,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    Stdio,
)
from tests.vm.guest.comparing import child, every, own_comm, same, start_ticks, the
from tests.vm.guest.rungs import Check, Checks

BUSYBOX = "/usr/bin/busybox"
USER, GROUP = 1000, 1001

_NAMESPACES = (("pid", "pid"), ("mount", "mnt"))
_MEANWHILE = 0.3
"""Seconds that a child lives, so that it can be looked at, and leaves the CPU."""


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
        process = subprocess.Popen(
            words,
            executable=BUSYBOX,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=error,
            user=USER,
            group=GROUP,
            extra_groups=[],
        )
    ticks = start_ticks(process.pid)
    assert process.stdin is not None
    pipe = os.fstat(process.stdin.fileno()).st_ino
    process.communicate()
    script = Path("/tmp/script")  # noqa: S108 -- likewise.
    script.write_text(f"#!{BUSYBOX}\n")
    script.chmod(0o755)
    scripted = subprocess.Popen([script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    scripted.wait()
    records = yield

    image = os.stat(BUSYBOX)  # noqa: PTH116 -- the path is a string for what else it is used.
    args = b"".join(os.fsencode(word) + b"\0" for word in words)
    record = the(ProcessExec, records, process.pid)
    same(
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
            "parent_comm": own_comm(),
            "filename": BUSYBOX.encode(),
            "exe": BUSYBOX.encode(),
            "args": args,
        },
    )
    flags = ExecFlag(0) if "script" in rung.blind_to else ExecFlag.SCRIPT
    expected = {"filename": os.fsencode(script), "exe": BUSYBOX.encode(), "flags": flags}
    same(the(ProcessExec, records, scripted.pid), expected | {"uid": 0, "capabilities": _own_capabilities()})


def check_fork(_rung: Rung) -> Check:
    """Make a child that does nothing but live for a moment."""
    pid = child(lambda: time.sleep(_MEANWHILE))
    ticks = start_ticks(pid)
    os.waitpid(pid, 0)
    records = yield

    record = the(ProcessFork, records, pid)
    expected = {"start": ticks, "parent_start": start_ticks(os.getpid()), "uid": 0, "comm": own_comm()}
    same(record, _surroundings() | {"ppid": os.getpid()} | expected)


def check_exit(_rung: Rung) -> Check:
    """End one child with a status, and one by a signal."""
    begin = time.monotonic_ns()
    left = child(lambda: time.sleep(_MEANWHILE), status=42)
    os.waitpid(left, 0)
    killed = child(lambda: time.sleep(60))
    os.kill(killed, signal.SIGTERM)
    os.waitpid(killed, 0)
    elapsed = time.monotonic_ns() - begin
    records = yield

    expected = {"ppid": os.getpid(), "uid": 0, "core_dumped": 0, "comm": own_comm()}
    record = the(ProcessExit, records, left)
    same(record, expected | {"code": 42, "signal": 0})
    assert _MEANWHILE * 1e9 <= record.lifetime < elapsed, f"lifetime is {record.lifetime}"
    same(the(ProcessExit, records, killed), expected | {"code": 0, "signal": signal.SIGTERM})


def check_credentials(_rung: Rung) -> Check:
    """Let a child give up its ids and go on, without an exec."""

    def action() -> None:
        os.setgid(GROUP)
        os.setuid(USER)
        time.sleep(_MEANWHILE)

    pid = child(action)
    os.waitpid(pid, 0)
    records = yield

    changes = every(CredentialChange, records, pid)
    assert changes, "no change of credentials was observed"
    assert {one.explanation for one in changes} == {Explanation.SET_ID}, f"it was explained by {changes}"
    before = {"old_uid": 0, "old_euid": 0, "old_gid": 0, "old_capabilities": _own_capabilities()}
    same(changes[0], before | {"ppid": os.getpid(), "comm": own_comm()})
    same(changes[-1], {"uid": USER, "euid": USER, "gid": GROUP, "capabilities": 0})


def _surroundings() -> dict[str, object]:
    """Return what every child of this process shares with it."""
    return {"session": os.getsid(0), "cgroup": Path("/sys/fs/cgroup").stat().st_ino}


def _namespaces() -> dict[str, object]:
    return {f"{name}_namespace": Path(f"/proc/self/ns/{file}").stat().st_ino for name, file in _NAMESPACES}


def _own_capabilities() -> int:
    return int(Path("/proc/self/status").read_text().split("CapEff:")[1].split()[0], 16)


HOOKS: Checks = {"exec": check_exec, "fork": check_fork, "exit": check_exit, "credentials": check_credentials}
