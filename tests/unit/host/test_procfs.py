"""What /proc tells, and that nothing in it can do harm."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pyloader.host import procfs
from pyloader.host.processes import CLOCK_TICK_NS
from pyloader.records import CgroupSeen, ProcessSeen
from tests.unit.examples import SECOND

KERNEL_THREAD = 0x00200000

MakeProcess = Callable[..., Path]


@pytest.fixture(name="proc")
def _proc(tmp_path: Path) -> Path:
    """Return an empty /proc whose unified hierarchy lies in a folder of the test."""
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    hierarchy = tmp_path / "cgroup"
    (hierarchy / "app").mkdir(parents=True)
    (proc / "self" / "mounts").write_text(f"proc /proc proc rw 0 0\ncgroup2 {hierarchy} cgroup2 rw,nosuid 0 0\n")
    return proc


@pytest.fixture(name="add")
def _add(proc: Path) -> MakeProcess:
    """Return a function that adds a process to the fake /proc."""

    def add(pid: int, *, ppid: int = 1, comm: bytes = b"bash", flags: int = 0x400000, start: int = 500) -> Path:
        folder = proc / str(pid)
        folder.mkdir()
        tail = f"S {ppid} {pid} 42 0 -1 {flags} " + "0 " * 12 + f"{start} 1000 200\n"
        (folder / "stat").write_bytes(b"%d (%s) %s" % (pid, comm, tail.encode()))
        (folder / "status").write_bytes(b"Name:\tbash\nUid:\t1000\t0\t0\t0\nGid:\t7\t7\t7\t7\n")
        (folder / "cmdline").write_bytes(b"-bash\0--login\0")
        (folder / "cgroup").write_bytes(b"12:cpu:/legacy\n0::/app\n")
        (folder / "exe").symlink_to("/usr/bin/bash")
        return folder

    return add


def _only(proc: Path) -> ProcessSeen:
    """Return the one process of a fake /proc."""
    [found] = procfs.processes(SECOND, proc)
    return found


def test_process(proc: Path, add: MakeProcess, tmp_path: Path) -> None:
    """A process is told with everything that /proc knows of it: its start in nanoseconds, its real user."""
    add(100)

    assert _only(proc) == ProcessSeen(
        timestamp=SECOND,
        pid=100,
        ppid=1,
        start=500 * CLOCK_TICK_NS,
        session=42,
        uid=1000,
        cgroup=(tmp_path / "cgroup" / "app").stat().st_ino,
        comm=b"bash",
        exe=b"/usr/bin/bash",
        args=b"-bash\0--login\0",
    )


@pytest.mark.parametrize(
    "comm", [b"a) b (c", b") R 1 1", b"((((", b"))))", b"a b c", b"new\nline", b"\xff\xfe", b"", b"1 (x) S 2 3"]
)
def test_hostile_names(proc: Path, add: MakeProcess, comm: bytes) -> None:
    """No name of a process can pass for the fields behind it."""
    add(100, ppid=77, comm=comm)
    found = _only(proc)

    assert (comm, 77, 42) == (found.comm, found.ppid, found.session)


def test_kernel_threads_are_left_out(proc: Path, add: MakeProcess) -> None:
    """Kernel threads are no processes."""
    add(2, flags=KERNEL_THREAD | 0x40)
    add(100)

    assert [found.pid for found in procfs.processes(SECOND, proc)] == [100]


def test_parents_come_first(proc: Path, add: MakeProcess) -> None:
    """Parents come before their children, whatever their pids."""
    add(300, ppid=1, start=10)
    add(200, ppid=300, start=20)
    add(100, ppid=200, start=30)

    assert [found.pid for found in procfs.processes(SECOND, proc)] == [300, 200, 100]


def test_parents_come_first_within_a_tick(proc: Path, add: MakeProcess) -> None:
    """Parents come before their children even if both began in one tick, between which the pids began anew."""
    add(32_000, ppid=1, start=10)
    add(300, ppid=32_000, start=10)

    assert [found.pid for found in procfs.processes(SECOND, proc)] == [32_000, 300]


def test_other_entries_are_no_processes(proc: Path, add: MakeProcess) -> None:
    """Only folders with a number for a name are processes."""
    (proc / "sys").mkdir()
    (proc / "12ab").mkdir()
    add(100)

    assert [found.pid for found in procfs.processes(SECOND, proc)] == [100]


@pytest.mark.parametrize("missing", ["stat", "status", "cmdline"])
def test_process_that_ends_meanwhile(proc: Path, add: MakeProcess, missing: str) -> None:
    """A process that vanishes while it is read is left out, and the others are told."""
    (add(50) / missing).unlink()
    add(100)

    assert [found.pid for found in procfs.processes(SECOND, proc)] == [100]


@pytest.mark.parametrize("stat", [b"", b"100", b"100 (bash", b"100 (bash) S", b"100 (bash) S x y z", b"\0"])
def test_nonsense_in_stat(proc: Path, add: MakeProcess, stat: bytes) -> None:
    """A process whose state makes no sense is left out."""
    (add(50) / "stat").write_bytes(stat)
    add(100)

    assert [found.pid for found in procfs.processes(SECOND, proc)] == [100]


@pytest.mark.parametrize("missing", ["exe", "cgroup"])
def test_process_with_a_secret(proc: Path, add: MakeProcess, missing: str) -> None:
    """A process whose image or control group cannot be read is told without it."""
    (add(100) / missing).unlink()
    found = _only(proc)

    assert (found.exe, bool(found.cgroup)) == ((b"", True) if missing == "exe" else (b"/usr/bin/bash", False))


def test_long_fields_are_cut(proc: Path, add: MakeProcess) -> None:
    """No field is longer than the record allows."""
    (add(100) / "cmdline").write_bytes(b"x" * 10_000)

    assert len(_only(proc).args) == 4096


def test_control_group(proc: Path, add: MakeProcess, tmp_path: Path) -> None:
    """The unified control group is told by its number and path; those of the old hierarchies are not."""
    add(100)
    expected = CgroupSeen(timestamp=SECOND, cgroup=(tmp_path / "cgroup" / "app").stat().st_ino, path=b"/app")

    assert expected == procfs.cgroup(100, SECOND, proc)


@pytest.mark.parametrize("content", [b"", b"12:cpu:/legacy\n", b"0::/gone\n"])
def test_control_group_that_cannot_be_found(proc: Path, add: MakeProcess, content: bytes) -> None:
    """A process without a unified control group, or in one that was removed, has none."""
    (add(100) / "cgroup").write_bytes(content)

    assert procfs.cgroup(100, SECOND, proc) is None


def test_control_group_of_nobody(proc: Path) -> None:
    """A process that does not exist has no control group."""
    assert procfs.cgroup(4_000_000, SECOND, proc) is None


def test_control_group_with_a_hostile_name(proc: Path, add: MakeProcess, tmp_path: Path) -> None:
    """Whoever may make control groups may name them with bytes that are no text; they are told as they are."""
    name = b"/\xff\xfe\x85"
    folder = tmp_path / "cgroup" / os.fsdecode(name[1:])
    folder.mkdir()
    (add(100) / "cgroup").write_bytes(b"0::" + name + b"\n")

    assert CgroupSeen(timestamp=SECOND, cgroup=folder.stat().st_ino, path=name) == procfs.cgroup(100, SECOND, proc)
    assert _only(proc).pid == 100


@pytest.mark.parametrize(
    "line", [b"x /home/eve/\xff fuse rw 0 0", b"x /home/eve/\x1c\xc2\x85\x0b fuse rw 0 0", b"", b"x"]
)
def test_mount_with_a_hostile_name(proc: Path, add: MakeProcess, tmp_path: Path, line: bytes) -> None:
    """Users may mount (FUSE) where they like; no name of such a place hides the control groups."""
    mounts = proc / "self" / "mounts"
    mounts.write_bytes(line + b"\n" + mounts.read_bytes())
    add(100)
    seen = procfs.cgroup(100, SECOND, proc)

    assert seen is not None
    assert (tmp_path / "cgroup" / "app").stat().st_ino == seen.cgroup
    assert _only(proc).cgroup == seen.cgroup


def test_host_without_unified_hierarchy(proc: Path, add: MakeProcess) -> None:
    """Where the unified hierarchy is not mounted, processes are told all the same."""
    (proc / "self" / "mounts").write_text("proc /proc proc rw 0 0\n")
    add(100)

    assert _only(proc).cgroup == 0


def test_this_process() -> None:
    """The real /proc tells of this very process, after its parent, and of no kernel thread."""
    found = {record.pid: record for record in procfs.processes(SECOND)}
    mine = found[os.getpid()]
    order = list(found)

    assert os.getppid() == mine.ppid
    assert os.getsid(0) == mine.session
    assert os.getuid() == mine.uid
    assert os.fsencode(Path("/proc/self/exe").readlink()) == mine.exe
    assert Path("/proc/self/cmdline").read_bytes()[:4096] == mine.args
    assert Path("/proc/self/comm").read_bytes().rstrip(b"\n") == mine.comm
    assert mine.start % CLOCK_TICK_NS == 0
    assert order.index(os.getppid()) < order.index(os.getpid()) or os.getppid() == 0
    assert 2 not in found or found[2].comm != b"kthreadd"


def test_all_control_groups(proc: Path, tmp_path: Path) -> None:
    """Every group of the unified hierarchy is told by its number and path, the root first."""
    root = tmp_path / "cgroup"
    (root / "a.slice" / "b.scope").mkdir(parents=True)
    told = {seen.path: seen.cgroup for seen in procfs.cgroups(SECOND, proc)}

    assert told[b"/"] == root.stat().st_ino
    assert told[b"/a.slice/b.scope"] == (root / "a.slice" / "b.scope").stat().st_ino
    assert next(iter(told)) == b"/"
