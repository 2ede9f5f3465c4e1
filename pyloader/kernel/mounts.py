"""The file systems through which the kernel is told what to attach and what to keep."""

from pathlib import Path

from pyloader.kernel.finding import Finding
from pyloader.kernel.host import Host

BPFFS = "/sys/fs/bpf"
TRACEFS = "/sys/kernel/tracing"
DEBUGFS = "/sys/kernel/debug"


def tracefs(host: Host) -> Finding:
    """Return whether tracepoints and kprobes can be found by name; libbpf looks for them in two places only."""
    usable = [place for place in (f"{DEBUGFS}/tracing", TRACEFS) if _opens(host, f"{place}/events")]
    if usable:
        return Finding("tracefs", f"mounted at {usable[-1]}")
    purpose = "plain tracepoints and kprobes need it; BTF tracepoints and fentry do not"
    if places := [place for place in host.mounts("tracefs") if place in (TRACEFS, f"{DEBUGFS}/tracing")]:
        return Finding(
            "tracefs",
            f"mounted at {places[0]}, not readable for uid {host.uid}",
            advice=f"{purpose}: run as root, or mount -o remount,mode=755 {places[0]}",
        )
    return Finding("tracefs", "not mounted", advice=f"{purpose}: mount -t tracefs tracefs {TRACEFS}")


def bpffs(host: Host) -> Finding:
    """Return whether programs can be pinned."""
    places = host.mounts("bpf")
    if BPFFS in places:
        return Finding("bpffs", f"mounted at {BPFFS}")
    elsewhere = f"mounted at {places[0]}, not at {BPFFS}" if places else "not mounted"
    return Finding("bpffs", elsewhere, advice=f"only `pyloader load` needs it: mount -t bpf bpf {BPFFS}")


def _opens(host: Host, absolute: str) -> bool:
    """Return whether this user can list a folder."""
    try:
        return any(Path(host.path(absolute)).iterdir())
    except OSError:
        return False
