"""The processes that run already, read from /proc and told as records.

Everything here is bytes: names of processes, files and mounts are whatever their owners chose.
"""

import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from pyloader.host.processes import CLOCK_TICK_NS
from pyloader.records import CgroupSeen, ProcessSeen

_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD in include/linux/sched.h."""

_ARGUMENTS_LIMIT, _EXE_LIMIT, _PATH_LIMIT = 4_096, 1_024, 512

_CGROUPS = 16_384
"""So many control groups are looked at in one search, which bounds its time on a host that has more."""

_OCTAL = re.compile(rb"\\([0-7]{3})")


def processes(timestamp: int, proc: Path = Path("/proc")) -> Iterator[ProcessSeen]:
    """Yield every process but kernel threads, parents before their children.

    A process that ends while it is read is left out: nothing can be known of it any more.
    """
    root = _cgroup_root(proc)
    found = [_process(proc / str(pid), pid, root, timestamp) for pid in _pids(proc)]
    waiting = {record.pid: record for record in found if record is not None}
    while waiting:
        line = [next(iter(waiting))]
        while (parent := waiting[line[-1]].ppid) in waiting and parent not in line:
            line.append(parent)
        for pid in reversed(line):
            yield waiting.pop(pid)


def cgroup(pid: int, timestamp: int, proc: Path = Path("/proc")) -> CgroupSeen | None:
    """Return the unified control group that a process is in now, or `None` if it cannot be found out."""
    root = _cgroup_root(proc)
    try:
        path = _cgroup_path(proc / str(pid))
        inode = _cgroup_inode(root, path)
    except OSError:
        return None
    return CgroupSeen(timestamp=timestamp, cgroup=inode, path=path[:_PATH_LIMIT]) if inode else None


def cgroups(timestamp: int, proc: Path = Path("/proc")) -> Iterator[CgroupSeen]:
    """Yield the unified control groups of this host, those near the root first, at most `_CGROUPS` of them."""
    root = _cgroup_root(proc)
    waiting = deque([root] if root is not None else [])
    for _ in range(_CGROUPS):
        if root is None or not waiting:
            return
        folder = waiting.popleft()
        try:
            waiting += [entry.path for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
            inode = os.stat(folder).st_ino  # noqa: PTH116 -- bytes.
        except OSError:
            # The group was removed meanwhile.
            continue
        yield CgroupSeen(timestamp=timestamp, cgroup=inode, path=(folder[len(root) :] or b"/")[:_PATH_LIMIT])


def _pids(proc: Path) -> list[int]:
    return sorted(int(entry.name) for entry in os.scandir(proc) if entry.name.isdigit())


def _process(folder: Path, pid: int, cgroups: bytes | None, timestamp: int) -> ProcessSeen | None:
    try:
        stat = (folder / "stat").read_bytes()
        # The name stands in parentheses and may contain any byte, so the rest begins behind the last one.
        name, _, rest = stat.partition(b"(")[2].rpartition(b")")
        fields = rest.split()
        ppid, session, flags, start = int(fields[1]), int(fields[3]), int(fields[6]), int(fields[19])
        if flags & _KERNEL_THREAD:
            return None
        return ProcessSeen(
            timestamp=timestamp,
            pid=pid,
            ppid=ppid,
            start=start * CLOCK_TICK_NS,
            session=session,
            uid=_real_uid(folder),
            cgroup=_cgroup_of(folder, cgroups),
            comm=name[:16],
            exe=_image(folder),
            args=(folder / "cmdline").read_bytes()[:_ARGUMENTS_LIMIT],
        )
    except (OSError, IndexError, ValueError):
        return None


def _real_uid(folder: Path) -> int:
    """Return the real uid. The owner of the folder is root for every process that may not be dumped."""
    status = (folder / "status").read_bytes()
    return int(next(line.split()[1] for line in status.split(b"\n") if line.startswith(b"Uid:")))


def _image(folder: Path) -> bytes:
    try:
        return os.fsencode((folder / "exe").readlink())[:_EXE_LIMIT]
    except OSError:
        return b""


def _cgroup_of(folder: Path, root: bytes | None) -> int:
    try:
        return _cgroup_inode(root, _cgroup_path(folder))
    except OSError:
        return 0


def _cgroup_path(folder: Path) -> bytes:
    """Return the path in the unified hierarchy, which is numbered 0, or nothing."""
    lines = (folder / "cgroup").read_bytes().split(b"\n")
    return next((line.removeprefix(b"0::") for line in lines if line.startswith(b"0::")), b"")


def _cgroup_inode(root: bytes | None, path: bytes) -> int:
    """Return the id that the kernel gives the control group; 0 if it cannot be known."""
    return os.stat(os.path.join(root, path.lstrip(b"/"))).st_ino if root and path else 0  # noqa: PTH116, PTH118 -- bytes.


def _cgroup_root(proc: Path) -> bytes | None:
    """Return where the unified hierarchy is mounted. White space in a mount point is written in octal."""
    for line in (proc / "self" / "mounts").read_bytes().split(b"\n"):
        fields = line.split(b" ")
        if len(fields) > 2 and fields[2] == b"cgroup2":  # noqa: PLR2004 -- device, mount point, type.
            return _OCTAL.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), fields[1])
    return None
