"""What the kernel can do, found out by trying; who asks makes sure that bpf(2) can be used."""

import resource

from pyloader.binding import can_call_helper, can_create_map, can_load_program
from pyloader.binding.probe import (
    HELPER_KTIME_GET_COARSE_NS,
    MAP_ARRAY,
    MAP_RINGBUF,
    PROGRAM_SOCKET_FILTER,
    PROGRAM_TRACEPOINT,
)
from pyloader.errors import OldKernelError
from pyloader.kernel.finding import Finding
from pyloader.kernel.host import Host
from pyloader.kernel.rights import Capability, effective


def can_use_bpf() -> bool:
    """Return whether bpf(2) works at all: every kernel and every policy that allows it allows an array."""
    return can_create_map(MAP_ARRAY) is True


def program_kinds(host: Host) -> Finding:
    """Return whether there are plain tracepoint programs, the last rung of every ladder."""
    subject = "program kinds"
    if problem := too_old(host):
        return Finding(subject, "no tracepoint programs", problem)
    return Finding(subject, "tracepoints; the monitors below tell which others hold")


def too_old(host: Host) -> OldKernelError | None:
    """Return what to say of a kernel that has not even tracepoint programs, or `None` if it has."""
    if can_load_program(PROGRAM_TRACEPOINT) is not False:
        return None
    return OldKernelError(
        f"this kernel ({host.release}) cannot run programs on tracepoints, which came with Linux 4.7 and take"
        " CONFIG_BPF_EVENTS=y: use Linux 5.8 or newer"
    )


def ring_buffer(_host: Host) -> Finding:
    """Return how records come from the kernel."""
    if can_create_map(MAP_RINGBUF):
        return Finding("ring buffer", "available")
    return Finding(
        "ring buffer",
        "none: records come through perf buffers, one for each CPU",
        advice="nothing need be done; Linux 5.8 and newer have ring buffers, which keep the order across CPUs",
    )


def locked_memory(host: Host) -> Finding:
    """Return whether the limit on locked memory counts: before Linux 5.11 it bounded the maps."""
    subject = "locked memory"
    limit = counted_limit()
    if limit is None:
        return Finding(subject, "no limit counts")
    if Capability.SYS_RESOURCE in effective(host):
        return Finding(subject, f"limited to {limit} bytes, and raised by {Capability.SYS_RESOURCE}")
    return Finding(
        subject,
        f"limited to {limit} bytes",
        advice=f"this kernel counts maps as locked memory: grant {Capability.SYS_RESOURCE}, or ulimit -l unlimited",
    )


def counted_limit() -> int | None:
    """Return the limit on locked memory in bytes if there is one and this kernel counts maps against it.

    The kernel that has this helper counts them for the control group instead (both came with Linux 5.11); libbpf
    decides by it as well.
    """
    if can_call_helper(PROGRAM_SOCKET_FILTER, HELPER_KTIME_GET_COARSE_NS) is not False:
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return None if limit == resource.RLIM_INFINITY else limit
