"""The table of processes follows the records, and stays small whatever they say."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from pyloader.host import Process, ProcessTable
from pyloader.host.processes import CLOCK_TICK_NS, LINE_LIMIT, arguments
from pyloader.records import Stdio
from tests.unit.examples import exec_record, exit_record, fork_record, padded, seen_record


def _line(process: Process) -> list[int]:
    """Return the pids of a process' ancestors, the nearest first."""
    return [ancestor.pid for ancestor in process.ancestors()]


def _fork(table: ProcessTable, parent: Process | None, pid: int, start: int) -> Process:
    """Let a process fork."""
    above: dict[str, Any] = {"ppid": parent.pid, "parent_start": parent.start} if parent else {"ppid": 0}
    return table.forked(fork_record(pid=pid, start=start, **above))


def _exit(table: ProcessTable, process: Process) -> Process:
    """Let a process exit."""
    return table.exited(exit_record(pid=process.pid, start=process.start))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", ()),
        (b"sh\0", ("sh",)),
        (b"sh\0-c\0", ("sh", "-c")),
        (b"sh\0\0x\0", ("sh", "", "x")),
        (b"\0", ("",)),
        (b"sh\0cut", ("sh", "cut")),
        (b"\xff\0", ("\udcff",)),
    ],
)
def test_arguments(raw: bytes, expected: tuple[str, ...]) -> None:
    """Every argument is closed by NUL; empty ones, a cut one and bytes that are no UTF-8 are kept."""
    assert expected == arguments(raw)


def test_execution_tells_everything() -> None:
    """After an execution the process is what the record says."""
    table = ProcessTable()

    process = table.executed(exec_record(stdio=0x254, stdin_inode=11, stdout_inode=12, flags=64))

    assert table.get(100) is process
    assert (process.pid, process.ppid, process.start, process.uid) == (100, 1, 1000, 1000)
    assert (process.comm, process.exe, process.filename, process.args) == (
        "true",
        "/usr/bin/true",
        "/usr/bin/true",
        ("true",),
    )
    assert (process.stdin, process.stdout) == (Stdio.PIPE, Stdio.UNIX_SOCKET)
    assert (process.stdin_inode, process.stdout_inode, process.flags) == (11, 12, 64)
    assert (process.session, process.cgroup, process.alive) == (1, 7, True)


@pytest.mark.parametrize("stdio", [0x888, 0xFFF, 0x9, 0xA0])
def test_stream_of_an_unknown_kind(stdio: int) -> None:
    """A kind of stream that this version does not know, from a newer one or from damage, is some other stream."""
    process = ProcessTable().executed(exec_record(stdio=stdio))

    assert {process.stdin, process.stdout} & {Stdio.OTHER}


def test_second_execution_keeps_the_process() -> None:
    """A process that executes again has a new image, and its parent and children are the same."""
    table = ProcessTable()
    first = table.executed(exec_record())
    second = table.executed(exec_record(exe=b"/usr/bin/false", args=b"false\0-v\0"))

    assert first is second
    assert second.exe == "/usr/bin/false"
    assert second.args == ("false", "-v")
    assert len(table) == 2


def test_child_is_a_copy_of_its_parent() -> None:
    """A child that has not executed anything runs its parent's image with its parent's streams."""
    table = ProcessTable()
    parent = table.executed(exec_record(stdio=0x444, stdin_inode=5, stdout_inode=6, flags=8))
    parent.traits = 3

    child = table.forked(fork_record())

    assert child.parent is parent
    for name in ("comm", "exe", "filename", "args", "stdio", "stdin_inode", "stdout_inode", "flags", "traits"):
        assert getattr(parent, name) == getattr(child, name), name


def test_lineage() -> None:
    """The line of ancestors goes from the parent upwards."""
    table = ProcessTable()
    table.executed(exec_record(pid=1, start=1, ppid=0))
    table.forked(fork_record(pid=2, start=2, ppid=1, parent_start=1))
    third = table.forked(fork_record(pid=3, start=3, ppid=2, parent_start=2))

    assert _line(third) == [2, 1]


def test_missing_parent_is_added() -> None:
    """A parent whose own record was lost is added with the name that its child's record tells."""
    table = ProcessTable()
    process = table.executed(exec_record(ppid=50, parent_start=500, parent_comm=padded(b"cron")))

    assert process.parent is table.get(50)
    assert process.parent is not None
    assert (process.parent.comm, process.parent.start, process.parent.parent) == ("cron", 500, None)


def test_process_without_parent() -> None:
    """Parent 0 is nobody."""
    table = ProcessTable()

    assert table.executed(exec_record(ppid=0)).parent is None
    assert table.get(0) is None


@pytest.mark.parametrize("forked", [False, True])
def test_reused_pid_is_another_process(*, forked: bool) -> None:
    """A pid with another start time is a new process, even if the end of the old one was never seen."""
    table = ProcessTable()
    old = table.executed(exec_record())
    old.ledger = object()

    record = fork_record(pid=100, start=9999, ppid=1)
    new = table.forked(record) if forked else table.executed(exec_record(start=9999))

    assert table.get(100) is new
    assert new is not old
    assert new.ledger is None


def test_late_exit_spares_the_new_owner_of_the_pid() -> None:
    """The end of a process does not remove another one that has its pid by now."""
    table = ProcessTable()
    new = table.executed(exec_record(start=9999))

    ended = table.exited(exit_record(start=1000))

    assert table.get(100) is new
    assert new.alive
    assert not ended.alive


def test_exit_removes_the_process() -> None:
    """A process that exited is no longer found, but its children still know it."""
    table = ProcessTable()
    parent = table.executed(exec_record())
    child = table.forked(fork_record())

    ended = table.exited(exit_record())

    assert ended is parent
    assert not parent.alive
    assert table.get(100) is None
    assert child.parent is parent


def test_exit_of_an_unknown_process() -> None:
    """The end of a process that was never seen still tells who it was, and adds nothing to the table."""
    table = ProcessTable()

    ended = table.exited(exit_record(uid=33))

    assert (ended.pid, ended.comm, ended.uid, ended.alive) == (100, "true", 33, False)
    assert len(table) == 0


START = 123 * CLOCK_TICK_NS


@pytest.mark.parametrize("exact", [START, START + 1, START + CLOCK_TICK_NS - 1])
def test_seen_process_is_adopted(exact: int) -> None:
    """A process that /proc told with the tick of its start is the same one when a record tells the exact time."""
    table = ProcessTable()
    seen = table.seen(seen_record(start=START))
    seen.ledger = object()

    child = table.forked(fork_record(ppid=100, parent_start=exact))
    executed = table.executed(exec_record(start=exact))

    assert executed is seen
    assert executed.start == exact
    assert executed.ledger is seen.ledger
    assert child.parent is seen


@pytest.mark.parametrize("exact", [START - 1, START + CLOCK_TICK_NS])
def test_seen_process_of_another_tick(exact: int) -> None:
    """A process that started in another tick is another one."""
    table = ProcessTable()
    seen = table.seen(seen_record(start=START))

    assert table.executed(exec_record(start=exact)) is not seen


def test_adopted_process_has_one_start() -> None:
    """Once the exact start is known, another start within the same tick is another process."""
    table = ProcessTable()
    table.seen(seen_record(start=START))
    first = table.executed(exec_record(start=START + 5))

    assert table.executed(exec_record(start=START + 6)) is not first


def test_seen_processes_have_their_lineage() -> None:
    """Processes from /proc find their parents among those that were told before."""
    table = ProcessTable()
    parent = table.seen(seen_record(pid=1, ppid=0))
    child = table.seen(seen_record(pid=2, ppid=1))

    assert child.parent is parent
    assert (child.exe, child.args) == ("/usr/bin/bash", ("-bash",))


@pytest.mark.parametrize("start", [START, START + 5])
@pytest.mark.parametrize("exe", [b"/usr/bin/true", b""])
def test_known_process_that_is_seen_again(start: int, exe: bytes) -> None:
    """A sensor that goes on from its state keeps what it knew of a process that still runs."""
    table = ProcessTable()
    known = table.executed(exec_record(start=start))
    known.ledger = object()

    assert table.seen(seen_record(start=START, exe=exe)) is known
    assert table.get(100) is known


@pytest.mark.parametrize("changed", [{"start": START + CLOCK_TICK_NS}, {"exe": b"/usr/bin/bash"}])
def test_other_process_with_a_known_pid(changed: dict[str, object]) -> None:
    """One that began at another time, or has become another program unseen, is another process."""
    table = ProcessTable()
    known = table.executed(exec_record(start=START + 5))
    seen = table.seen(replace(seen_record(start=START, exe=b"/usr/bin/true"), **changed))

    assert seen is not known
    assert table.get(100) is seen


def test_process_named_by_another_record() -> None:
    """A process that another kind of record names is added with its name, or found."""
    table = ProcessTable()
    named = table.named(100, 1000, 1, padded(b"sudo"))

    assert (named.comm, named.ppid) == ("sudo", 1)
    assert table.named(100, 1000, 1, padded(b"sudo")) is named


def test_full_table_gives_up_the_longest_silent() -> None:
    """When the table is full, the process that was silent for longest leaves, and is counted."""
    table = ProcessTable(capacity=3)
    for pid in (1, 2, 3):
        table.executed(exec_record(pid=pid, start=pid, ppid=0))
    table.executed(exec_record(pid=1, start=1, ppid=0))

    table.executed(exec_record(pid=4, start=4, ppid=0))

    assert [pid for pid in (1, 2, 3, 4) if table.get(pid)] == [1, 3, 4]
    assert table.evicted == 1


def test_parent_stays_while_it_forks() -> None:
    """A parent that forks is not silent: it outlives its children in a full table."""
    table = ProcessTable(capacity=4)
    shell = table.executed(exec_record(pid=1, start=1, ppid=0))
    for pid in range(10, 40):
        assert _fork(table, shell, pid, pid).parent is shell

    assert table.get(1) is shell


def test_tiny_table() -> None:
    """Even a table with room for one process takes in every record."""
    table = ProcessTable(capacity=1)
    child = table.forked(fork_record())

    assert table.get(101) is child
    assert len(table) == 1


def test_line_of_dead_ancestors_is_cut() -> None:
    """A process that forks and exits, again and again, leaves no endless line behind."""
    table = ProcessTable()
    process = table.executed(exec_record(pid=1, start=1, ppid=0))
    for pid in range(2, 2000):
        child = _fork(table, process, pid, pid)
        _exit(table, process)
        process = child

    assert len(table) == 1
    assert 4 < len(_line(process)) <= LINE_LIMIT


def test_line_is_cut_when_the_youngest_exit_first() -> None:
    """A long line of processes that ends from its lower end is not kept by the last child."""
    table = ProcessTable()
    line = [table.executed(exec_record(pid=1, start=1, ppid=0))]
    for pid in range(2, 3000):
        line.append(_fork(table, line[-1], pid, pid))
    last = line.pop()
    for process in reversed(line):
        _exit(table, process)

    assert len(table) == 1
    assert len(_line(last)) <= LINE_LIMIT


def test_line_is_cut_when_exits_are_lost() -> None:
    """Two pids that are reused for ever, without their exits being seen, build no endless line."""
    table = ProcessTable()
    process = table.executed(exec_record(pid=1, start=1, ppid=0))
    for start in range(2, 3000):
        process = _fork(table, process, 1 + start % 2, start)

    assert len(table) <= 2
    assert len(_line(process)) <= LINE_LIMIT


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bounds_hold_for_any_order_of_events(seed: int) -> None:
    """A hundred thousand random events leave the table within its capacity, without dead processes or long lines."""
    chance = random.Random(seed)
    table = ProcessTable(capacity=64)
    alive: list[Process] = []
    for start in range(100_000):
        pid = chance.randrange(1, 200)
        action = chance.random()
        if action < 0.45 or not alive:
            alive.append(_fork(table, chance.choice(alive) if alive else None, pid, start))
        elif action < 0.55:
            alive.append(table.executed(exec_record(pid=pid, start=start, ppid=chance.randrange(0, 200))))
        else:
            _exit(table, alive.pop(chance.randrange(len(alive))))
        if start % 97 == 0:
            alive = alive[-100:]
            held = [process for process in map(table.get, range(200)) if process is not None]
            assert len(held) == len(table) <= table.capacity
            assert all(process.alive for process in held)
            assert max((len(_line(process)) for process in held), default=0) <= LINE_LIMIT
    assert table.evicted > 0
