"""An emulated machine that boots a kernel with a file system and gives back the report of its guest.

The processor is emulated in software, which works on every machine and says nothing about speed.
"""

import subprocess
from pathlib import Path

from tests.vm.report import MARKER, Report, decode

TIMEOUT = 600
"""Seconds for a guest; the slowest needs about a third of it."""

_QEMU = {
    "x86_64": ("qemu-system-x86_64", "-machine", "q35", "-cpu", "max"),
    # Pointer authentication in its real, slow form would take most of the time.
    "aarch64": ("qemu-system-aarch64", "-machine", "virt", "-cpu", "max,pauth-impdef=on"),
}
_CONSOLE = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}
_TAIL = 60
"""Lines of the console that a failure shows."""


class GuestError(Exception):
    """A guest gave no report; the message ends with its console."""


def boot(architecture: str, kernel: Path, initramfs: Path, timeout: float = TIMEOUT) -> Report:
    """Boot a kernel and return what the guest reports."""
    command = [
        *_QEMU[architecture],
        *("-accel", "tcg,thread=single", "-smp", "2", "-m", "1024"),
        *("-nodefaults", "-nographic", "-serial", "stdio", "-no-reboot"),
        *("-kernel", str(kernel), "-initrd", str(initramfs)),
        *("-append", f"console={_CONSOLE[architecture]} quiet loglevel=1 panic=-1 mitigations=off"),
    ]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError:
        message = f"{command[0]} is not installed: run `make test-tools` as root"
        raise GuestError(message) from None
    except subprocess.TimeoutExpired as error:
        message = f"{kernel.name} was not done after {timeout} s:\n{_tail(error.stdout or b'')}"
        raise GuestError(message) from None
    _, found, rest = done.stdout.partition(MARKER)
    if not found:
        message = f"{kernel.name} powered off without a report:\n{_tail(done.stdout)}"
        raise GuestError(message)
    return decode(rest.splitlines()[0])


def _tail(console: bytes) -> str:
    return "\n".join(console.decode(errors="replace").splitlines()[-_TAIL:]) or "(its console is empty)"
