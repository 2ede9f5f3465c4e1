"""What this kernel and this user may do.

Each question is asked once, by trying wherever that is possible, and answered with what is missing and the way out.
"""

import functools
import os
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from pyloader.binding import can_create_map
from pyloader.binding.probe import MAP_RINGBUF
from pyloader.errors import NotPermittedError, PyloaderError, UnsupportedError

BTF_PATH = Path("/sys/kernel/btf/vmlinux")
ARCHITECTURES = ("x86_64", "aarch64")


class Capability(IntEnum):
    """The capabilities that matter here (include/uapi/linux/capability.h)."""

    SYS_ADMIN = 21
    PERFMON = 38
    BPF = 39


class Finding(NamedTuple):
    """One answer: `problem` is `None` if all is well, else an exception that says what is missing and what to do."""

    subject: str
    detail: str
    problem: PyloaderError | None = None


@functools.cache
def findings() -> tuple[Finding, ...]:
    """Return everything that a monitor needs of the host, in the order in which it should be mended."""
    return (_architecture(), _capabilities(), _btf(), _ring_buffer())


def require() -> None:
    """Raise the first problem of this host (`NotPermittedError` or `UnsupportedError`), if there is one."""
    for finding in findings():
        if finding.problem is not None:
            raise finding.problem


def effective_capabilities() -> frozenset[Capability]:
    """Return which of the capabilities above this process has in effect."""
    status = Path("/proc/self/status").read_text()
    mask = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    return frozenset(capability for capability in Capability if mask >> capability & 1)


def _architecture() -> Finding:
    machine = os.uname().machine
    if machine in ARCHITECTURES:
        return Finding("architecture", machine)
    return Finding(
        "architecture",
        machine,
        UnsupportedError(f"{machine} is not supported; pyloader runs on {' and '.join(ARCHITECTURES)}"),
    )


def _capabilities() -> Finding:
    held = effective_capabilities()
    if Capability.SYS_ADMIN in held or {Capability.BPF, Capability.PERFMON} <= held:
        return Finding("capabilities", "CAP_BPF and CAP_PERFMON are in effect")
    missing = " and ".join(f"CAP_{one.name}" for one in (Capability.BPF, Capability.PERFMON) if one not in held)
    user = "root without its capabilities" if os.geteuid() == 0 else "not root"
    return Finding(
        "capabilities",
        f"missing {missing}",
        NotPermittedError(f"loading kernel programs needs {missing}, and this user is {user}; run as root"),
    )


def _btf() -> Finding:
    if BTF_PATH.is_file():
        return Finding("kernel types", str(BTF_PATH))
    return Finding(
        "kernel types",
        f"{BTF_PATH} is missing",
        UnsupportedError(
            f"this kernel ({os.uname().release}) does not describe its types: {BTF_PATH} is missing;"
            " use a kernel built with CONFIG_DEBUG_INFO_BTF=y"
        ),
    )


def _ring_buffer() -> Finding:
    if can_create_map(MAP_RINGBUF) is False and _capabilities().problem is None:
        return Finding(
            "ring buffer",
            "refused",
            UnsupportedError(f"this kernel ({os.uname().release}) has no BPF ring buffer; use Linux 5.8 or newer"),
        )
    return Finding("ring buffer", "available")
