"""Programs that watch executions, run as their users run them.

Each writes to memory instead of a terminal, so that it can be told afterwards how many executions it reported: a
watcher that was not ready, or has died, would look cheap.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.bench.figures import CannotMeasureError

START_LIMIT = 30.0
SETTLING = 1.0
"""Seconds from the first attached program until the watcher is taken to be at rest."""

PYLOADER = [sys.executable, "-P", "-m", "pyloader"]
"""-P: the installed package, whatever the current folder holds."""


class Watcher(NamedTuple):
    """A command, and how to count what it reported from its output and its diagnostics."""

    name: str
    command: list[str]
    reported: Callable[[str, str], int]

    @property
    def missing(self) -> bool:
        """Whether it is not installed."""
        return shutil.which(self.command[0]) is None


def _lines(output: str, _diagnostics: str) -> int:
    return output.count("\n")


def _summary(_output: str, diagnostics: str) -> int:
    """Return the N of "N process_exec" in the summary of `pyloader run`."""
    before, found, _ = diagnostics.partition(" process_exec")
    return int(before.split()[-1]) if found else 0


PYLOADER_RUN = Watcher("pyloader run", [*PYLOADER, "run", "--no-state", "--monitors", "process"], _summary)
EXECSNOOP = Watcher("execsnoop", ["execsnoop"], _lines)
BPFTRACE_EXEC = Watcher(
    "bpftrace sched_process_exec",
    ["bpftrace", "-e", 'tracepoint:sched:sched_process_exec { printf("%d %s\\n", pid, str(args->filename)); }'],
    _lines,
)
BPFTRACE_EXECVE = Watcher(
    "bpftrace sys_enter_execve",
    ["bpftrace", "-e", "tracepoint:syscalls:sys_enter_execve { join(args->argv); }"],
    _lines,
)


@dataclass
class Running:
    """A watcher at work; what it wrote to standard output, and how much it reported, are known when it has ended."""

    pid: int
    output: str = ""
    reported: int = 0

    def cpu_seconds(self) -> float:
        """Return the processor time that the watcher has used, in user space and in the kernel.

        The scheduler's own account is to the nanosecond; /proc/PID/stat counts ticks, which miss short spells of work.
        """
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


@contextmanager
def running(watcher: Watcher) -> Iterator[Running]:
    """Run a watcher from when it has attached its programs until the end of the block, where it is interrupted."""
    if watcher.missing:
        reason = f"needs {watcher.command[0]}"
        raise CannotMeasureError(reason)
    with _memory() as output, _memory() as diagnostics:
        process = subprocess.Popen(watcher.command, stdout=output, stderr=diagnostics)
        try:
            _wait_until_attached(process)
            state = Running(process.pid)
            yield state
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
        state.output = _text(output)
        state.reported = watcher.reported(state.output, _text(diagnostics))


@contextmanager
def _memory() -> Iterator[int]:
    descriptor = os.memfd_create("output")
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _text(descriptor: int) -> str:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")


def _wait_until_attached(process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT
    while not _holds_attachment(process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            message = f"{process.args!r} did not start"
            raise RuntimeError(message)
        time.sleep(0.01)
    time.sleep(SETTLING)


def _holds_attachment(pid: int) -> bool:
    """Return whether a process has a descriptor of an attachment, of either kind that the kernel knows."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if str(descriptor.readlink()) in {"anon_inode:bpf_link", "anon_inode:[perf_event]"}:
                return True
        except FileNotFoundError:
            continue
    return False
