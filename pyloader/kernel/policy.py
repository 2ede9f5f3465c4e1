"""What the kernel's administrator forbids, to whom."""

from pyloader.errors import LockdownError, NotPermittedError
from pyloader.kernel.features import can_use_bpf
from pyloader.kernel.finding import Finding
from pyloader.kernel.host import Host
from pyloader.kernel.rights import Capability, effective, missing

LOCKDOWN = "/sys/kernel/security/lockdown"
BPF_FOR_ALL = "/proc/sys/kernel/unprivileged_bpf_disabled"
PARANOID = "/proc/sys/kernel/perf_event_paranoid"

_FILTER = "2"
"""SECCOMP_MODE_FILTER in include/uapi/linux/seccomp.h."""

_PARANOID_FOR_ALL = 2
"""The strictest setting of the kernel itself; some distributions add stricter ones that ask for CAP_SYS_ADMIN."""


def lockdown(host: Host) -> Finding:
    """Return how far the kernel is locked down; in `confidentiality` no program may read its memory."""
    said = host.text(LOCKDOWN)
    if said is None:
        mounted = host.mounts("securityfs")
        detail = "this kernel has none" if mounted else "cannot be told: securityfs is not mounted"
        return Finding("lockdown", detail)
    mode = said.partition("[")[2].partition("]")[0]
    if mode != "confidentiality":
        return Finding("lockdown", mode)
    return Finding(
        "lockdown",
        mode,
        LockdownError(
            "the kernel is locked down to 'confidentiality', in which no program may read its memory: start it with"
            " lockdown=integrity, or with Secure Boot off"
        ),
    )


def bpf_for_all(host: Host) -> Finding:
    """Return whether ordinary users may load programs, too."""
    subject = "kernel.unprivileged_bpf_disabled"
    said = host.text(BPF_FOR_ALL)
    if said == "0":
        return Finding(
            subject,
            "0: every user may load programs",
            advice=f"few hosts need that, and attacks use it: sysctl -w {subject}=2",
        )
    return Finding(subject, "not told by this kernel" if said is None else f"{said}: only with capabilities")


def paranoid(host: Host) -> Finding:
    """Return whether perf events, by which plain tracepoints and kprobes are attached, ask for more rights."""
    subject = "kernel.perf_event_paranoid"
    said = host.text(PARANOID)
    if said is None:
        return Finding(
            subject,
            "not told by this kernel",
            advice="without perf events neither plain tracepoints nor kprobes can be attached: use a kernel with"
            " CONFIG_PERF_EVENTS=y",
        )
    if forbids_perf_events(host):
        return Finding(
            subject,
            said,
            advice=f"plain tracepoints and kprobes may ask for {Capability.SYS_ADMIN} with it: grant that, or"
            f" sysctl -w {subject}={_PARANOID_FOR_ALL}",
        )
    return Finding(subject, f"{said}: no obstacle")


def forbids_perf_events(host: Host) -> bool:
    """Return whether perf events may be refused although CAP_PERFMON is held."""
    said = host.text(PARANOID)
    return said is not None and int(said) > _PARANOID_FOR_ALL and Capability.SYS_ADMIN not in effective(host)


def seccomp(host: Host) -> Finding:
    """Return whether a system call filter, as containers have, lets bpf(2) pass."""
    if host.status.get("Seccomp", "0") != _FILTER:
        return Finding("seccomp", "no filter")
    if missing(host):
        return Finding("seccomp", "a filter is at work; not tried without the capabilities")
    if can_use_bpf():
        return Finding("seccomp", "a filter is at work, and lets bpf(2) pass")
    return Finding("seccomp", "a filter is at work, and bpf(2) is refused", filter_refusal())


def filter_refusal() -> NotPermittedError:
    """Return what to say where a system call filter stands in the way."""
    return NotPermittedError(
        "a seccomp filter, as containers have, forbids bpf(2) or perf_event_open(2): start the container with a profile"
        " that allows both (--security-opt seccomp=FILE), or run on the host"
    )
