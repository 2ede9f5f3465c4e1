"""Who belongs together."""

from pyloader.host import Host, Process
from tests.unit.examples import exec_record, fork_record


def test_a_child_belongs_to_the_lineage_of_its_parent() -> None:
    """A process and what it forks and executes in the same session and control group are of one lineage."""
    host = Host()
    shell = host.apply(exec_record(pid=10, start=10, session=10, cgroup=7))
    child = host.apply(fork_record(ppid=10, parent_start=10, pid=11, start=11, session=10, cgroup=7))
    host.apply(exec_record(pid=11, start=11, ppid=10, parent_start=10, session=10, cgroup=7))

    assert shell is not None
    assert child is not None
    assert child.lineage is shell.lineage


def test_leaving_the_session_begins_a_lineage() -> None:
    """A process that is found in another session or control group than its lineage begins one of its own."""
    host = Host()
    shell = _applied(host, exec_record(pid=10, start=10, session=10, cgroup=7))
    daemon = _applied(host, fork_record(ppid=10, parent_start=10, pid=11, start=11, session=11, cgroup=7))
    service = _applied(host, fork_record(ppid=10, parent_start=10, pid=12, start=12, session=10, cgroup=8))

    assert len({id(one.lineage) for one in (shell, daemon, service)}) == 3
    assert (shell.lineage.session, daemon.lineage.session, service.lineage.cgroup) == (10, 11, 8)


def test_what_was_held_against_a_lineage_follows_who_leaves_it() -> None:
    """A process that leaves its session takes along what is known against its lineage."""
    host = Host()
    shell = _applied(host, exec_record(pid=10, start=10, session=10, cgroup=7))
    shell.lineage.case = case = object()
    daemon = _applied(host, fork_record(ppid=10, parent_start=10, pid=11, start=11, session=11, cgroup=7))

    assert daemon.lineage.case is case


def test_a_lineage_learns_where_it_is() -> None:
    """A process of which only the name was known does not begin another lineage when its session is told."""
    process = Process(10, 5, None, 1)
    before = process.lineage
    process.moved(10, 7)

    assert process.lineage is before
    assert (before.session, before.cgroup) == (10, 7)


def _applied(host: Host, record: object) -> Process:
    process = host.apply(record)  # type: ignore[arg-type]
    assert process is not None
    return process
