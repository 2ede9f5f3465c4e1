"""Whatever goes wrong ends with a clear message, the right exit code, and nothing left in the kernel.

The fixture of this folder proves the last of these for every test.
"""

import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kernel.command import PYLOADER

INSTANCE = "pyloader-faults"
ALONE = ["--instance", INSTANCE]
BPFFS = Path("/sys/fs/bpf")


def pyloader(*words: str, limit: Callable[[], None] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command of pyloader under a limit of its own."""
    command = [*PYLOADER, *words, *ALONE]
    return subprocess.run(command, check=False, capture_output=True, text=True, preexec_fn=limit, timeout=60)


def limited(kind: int, amount: int) -> Callable[[], None]:
    """Return what sets a resource limit for a child."""
    return lambda: resource.setrlimit(kind, (amount, amount))


def complaint(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the message of a command that failed, which is one line or two and no traceback."""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line]
    assert all(line.startswith("pyloader: ") for line in lines), done.stderr
    assert 1 <= len(lines) <= 3, done.stderr
    return done.stderr


@pytest.mark.parametrize("files", range(12, 28, 2))
def test_too_few_descriptors(files: int) -> None:
    """With hardly any file descriptors the run says so, wherever they run out, and exits 1 or 3."""
    done = pyloader("run", "--duration", "0.2", limit=limited(resource.RLIMIT_NOFILE, files))

    if done.returncode:
        assert done.returncode in (1, 3)
        complaint(done)


def test_rings_larger_than_memory() -> None:
    """Rings that do not fit into the address space end in a message that names them."""
    limit = limited(resource.RLIMIT_AS, 1 << 30)
    done = pyloader("run", "--duration", "0.2", "--ring-bytes", str(1 << 30), limit=limit)

    assert done.returncode in (1, 3)
    assert "emory" in complaint(done)


def test_pins_on_a_read_only_bpffs() -> None:
    """`load` on a read-only bpffs says so and pins nothing."""
    script = f"mount -o remount,bind,ro {BPFFS} && exec {PYLOADER[0]} load --instance {INSTANCE}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f"mount --bind {BPFFS} {BPFFS}; {script}"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 3
    assert "Read-only" in complaint(done)
    assert not (BPFFS / "pyloader" / INSTANCE).exists()


def test_pins_where_bpffs_is_not_mounted() -> None:
    """`load` without bpffs says how to mount it."""
    script = f"mount -t tmpfs none {BPFFS.parent} && mkdir {BPFFS} && exec {PYLOADER[0]} load --instance {INSTANCE}"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], check=False, capture_output=True, text=True)

    assert done.returncode == 3
    assert "mount -t bpf" in complaint(done)


def test_a_foreign_thing_in_the_place_of_our_folder() -> None:
    """When something else has the name of our folder, `load` says so and leaves it alone."""
    folder = BPFFS / "pyloader" / INSTANCE
    folder.mkdir(parents=True, mode=0o700)
    foreign = folder / "process"
    create = ["bpftool", "map", "create", str(foreign), "type", "array", "key", "4", "value", "4", "entries", "1"]
    subprocess.run([*create, "name", "foreign"], check=True)
    try:
        done = pyloader("load")

        assert done.returncode == 3
        assert str(foreign) in complaint(done)
        assert foreign.exists()
    finally:
        foreign.unlink()
        folder.rmdir()
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_while_it_starts(number: signal.Signals) -> None:
    """A signal at any step of the start ends the run as one that comes later does: exit code 0, no traceback."""
    for step in range(12):
        with subprocess.Popen(
            [*PYLOADER, "run", *ALONE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            _wait_for_main(process.pid)
            time.sleep(step * 0.02)
            process.send_signal(number)
            _, said = process.communicate(timeout=20)
            assert process.returncode == 0, (step, said)
            assert "Traceback" not in said


def _wait_for_main(pid: int) -> None:
    """Wait until the command has begun to hold signals back: before that they meet the interpreter, not pyloader."""
    stopping = 1 << (signal.SIGINT - 1) | 1 << (signal.SIGTERM - 1)
    status = Path(f"/proc/{pid}/status")
    for _ in range(2_000):
        masks = dict(line.split(":", 1) for line in status.read_text().splitlines())
        held = int(masks["SigBlk"], 16) | int(masks["SigCgt"], 16)
        if held & stopping == stopping:
            return
        time.sleep(0.001)
    pytest.fail("the command never began")
