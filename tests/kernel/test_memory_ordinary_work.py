"""What compilers, debuggers, virtual machines and failing tests do to memory all day raises no alert of 62 or more."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.acts import waiting
from tests.kernel.command import running

SECONDS = int(os.environ.get("PYLOADER_WORKLOAD_SECONDS", "4"))
"""How long each workload runs; tests/README.md."""

WORKLOADS = Path(__file__).parent / "workloads"

Work = Callable[[Path, Path], None]


def done(command: Sequence[str | Path], status: int = 0) -> None:
    """Run a command, and fail if it does not end as it should."""
    words = [str(word) for word in command]
    ended = subprocess.run(words, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=60 + SECONDS)
    assert ended.returncode == status, ended


def node(_programs: Path, _folder: Path) -> None:
    """Serve and ask over the network in code that V8 compiles, with WebAssembly, a worker and other programs."""
    done(["node", WORKLOADS / "busy.js", str(SECONDS)])


def java(_programs: Path, folder: Path) -> None:
    """Compile a program and run it: a server with hot methods, null pointers that fault, and other programs."""
    done(["javac", "-d", folder, WORKLOADS / "Busy.java"])
    done(["java", "-cp", folder, "Busy", str(SECONDS)])


def pypy(_programs: Path, _folder: Path) -> None:
    """Run loops that PyPy compiles, with connections and other programs."""
    done(["pypy3", WORKLOADS / "busy.py", str(SECONDS)])


def luajit(_programs: Path, _folder: Path) -> None:
    """Run traces that LuaJIT compiles, with calls back from C and other programs."""
    done(["luajit", WORKLOADS / "busy.lua", str(SECONDS)])


def emulator(_programs: Path, _folder: Path) -> None:
    """Let QEMU translate the firmware of a machine without disks, for a while."""
    command = ["qemu-system-x86_64", "-accel", "tcg", "-nodefaults", "-display", "none"]
    done(["timeout", str(SECONDS), *command], status=124)


def debugger(programs: Path, _folder: Path) -> None:
    """Debug a program from its start to its end, with a breakpoint, a variable changed and a call of a function."""
    script = ["break main", "run", "print getpid()", "set var $pc = $pc", "next", "continue"]
    orders = [word for line in script for word in ("-ex", line)]
    done(["gdb", "-batch", "-nx", *orders, "--args", programs / "threads"])


def debugger_attached(programs: Path, _folder: Path) -> None:
    """Look into a process that runs already, as when it hangs."""
    with waiting([programs / "target"], lines=2) as target:
        done(["gdb", "-batch", "-nx", "-p", str(target.process.pid), "-ex", "backtrace", "-ex", "detach"])


def tracer(_programs: Path, folder: Path) -> None:
    """Trace the system calls of a program and its children."""
    done(["strace", "-f", "-o", folder / "calls", "sh", "-c", "ls / | sort"])


def failing_test(programs: Path, _folder: Path) -> None:
    """Run a test ten times that fails an assertion, and one that crashes, from a shell."""
    for fault in ("assertion", "wild"):
        script = f"for i in 1 2 3 4 5 6 7 8 9 10; do {programs / 'fault'} {fault} || true; done"
        done(["sh", "-c", script])


def pressure(_programs: Path, folder: Path) -> None:
    """Fill a GiB of memory again and again."""
    vm = ["--vm", "2", "--vm-bytes", "1G", "--timeout", str(SECONDS)]
    done(["stress-ng", *vm, "--temp-path", folder])


def children(programs: Path, _folder: Path) -> None:
    """Start programs in every way that the C library has, from several threads."""
    done([programs / "spawn"])


def coroutines(programs: Path, _folder: Path) -> None:
    """Connect on a stack that a library made, as coroutines do."""
    for call in ("connect", "map"):
        done([programs / "origin", "file", "coroutine", call])


WORK: tuple[Work, ...] = (
    node,
    java,
    pypy,
    luajit,
    emulator,
    debugger,
    debugger_attached,
    tracer,
    failing_test,
    pressure,
    children,
    coroutines,
)


def of_ours(lines: list[dict[str, Any]]) -> set[int]:
    """Return the pids of this process and of all that it started meanwhile, and they in turn."""
    pids = {os.getpid()}
    for line in lines:
        if line.get("event") == "process_fork" and line["ppid"] in pids:
            pids.add(line["pid"])
    return pids


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_ordinary_work_raises_no_alert(work: Work, programs: Path, tmp_path: Path) -> None:
    """No ordinary work, by itself, raises an alert of 62 or more about any process that it consists of."""
    with running(tmp_path, "--monitors", "process,memory", "--events") as sensor:
        work(programs, tmp_path)

    lines = sensor.lines()
    assert lines[-1]["lost"] == {}
    ours = of_ours(lines)
    assert len(ours) > 1
    assert [alert["summary"] for alert in sensor.alerts() if alert["subject"]["pid"] in ours] == []
