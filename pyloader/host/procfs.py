"""The processes that run already, read from /proc and told as records."""

import os
from collections.abc import Iterator
from pathlib import Path

from pyloader.host.processes import CLOCK_TICK_NS
from pyloader.records import CgroupSeen, ProcessSeen

_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD in include/linux/sched.h."""

_ARGUMENTS_LIMIT, _EXE_LIMIT, _PATH_LIMIT = 4_096, 1_024, 512


def processes(timestamp: int, proc: Path = Path("/proc")) -> Iterator[ProcessSeen]:
    """Yield every process but kernel threads, parents before their children.

    A process that ends while it is read is left out: nothing can be known of it any more.
    """
    found = [record for pid in _pids(proc) if (record := _process(proc / str(pid), pid, timestamp)) is not None]
    return iter(sorted(found, key=lambda record: (record.start, record.pid)))


def cgroup(pid: int, timestamp: int, proc: Path = Path("/proc")) -> CgroupSeen | None:
    """Return the unified control group that a process is in now, or `None` if it cannot be found out."""
    root = _cgroup_root(proc)
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
        path = next(line.removeprefix("0::") for line in lines if line.startswith("0::"))
        inode = (root / path.lstrip("/")).stat().st_ino if root is not None else 0
    except (OSError, StopIteration):
        return None
    return CgroupSeen(timestamp=timestamp, cgroup=inode, path=os.fsencode(path)[:_PATH_LIMIT])


def _pids(proc: Path) -> list[int]:
    return [int(entry.name) for entry in os.scandir(proc) if entry.name.isdigit()]


def _process(folder: Path, pid: int, timestamp: int) -> ProcessSeen | None:
    try:
        stat = (folder / "stat").read_bytes()
        # The name stands in parentheses and may contain any byte, so the rest begins behind the last one.
        name, _, rest = stat.partition(b"(")[2].rpartition(b")")
        fields = rest.split()
        ppid, session, flags, start = int(fields[1]), int(fields[3]), int(fields[6]), int(fields[19])
        if flags & _KERNEL_THREAD:
            return None
        args = (folder / "cmdline").read_bytes()
        seen = cgroup(pid, timestamp, folder.parent)
        return ProcessSeen(
            timestamp=timestamp,
            pid=pid,
            ppid=ppid,
            start=start * CLOCK_TICK_NS,
            session=session,
            uid=folder.stat().st_uid,
            cgroup=seen.cgroup if seen is not None else 0,
            comm=name[:16],
            exe=_image(folder),
            args=args[:_ARGUMENTS_LIMIT],
        )
    except (OSError, IndexError, ValueError):
        return None


def _image(folder: Path) -> bytes:
    try:
        return os.fsencode((folder / "exe").readlink())[:_EXE_LIMIT]
    except OSError:
        return b""


def _cgroup_root(proc: Path) -> Path | None:
    """Return where the unified hierarchy is mounted."""
    for line in (proc / "self" / "mounts").read_text().splitlines():
        _, target, kind, *_ = line.split(" ")
        if kind == "cgroup2":
            return Path(target)
    return None
