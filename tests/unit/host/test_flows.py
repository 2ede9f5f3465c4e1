"""Whose a connection is, and who listens."""

from pyloader.host import FlowTable, Host
from pyloader.records import Outcome
from tests.unit.examples import (
    closed_record,
    datagram_record,
    exec_record,
    exit_record,
    listening_record,
    opened_record,
    process,
    socket_record,
)


def test_open_connection_has_an_owner() -> None:
    """A connection that was established has an owner until it is closed."""
    table = FlowTable()
    owner = process()
    table.opened(opened_record(), owner)

    assert len(table) == 1
    assert table.closed(closed_record()) is owner
    assert table.closed(closed_record()) is None
    assert len(table) == 0


def test_ends_that_are_used_again_have_a_new_owner() -> None:
    """Who opens a connection between ends that are known is its owner, and the youngest of all."""
    table = FlowTable(capacity=2)
    second = process(2)
    for port, owner in ((10, process(1)), (11, process(1)), (10, second), (12, process(3))):
        table.opened(opened_record(local_port=port), owner)

    assert table.closed(closed_record(local_port=10)) is second
    assert table.closed(closed_record(local_port=11)) is None


def test_failed_attempt_is_no_connection() -> None:
    """Only what was established is open."""
    table = FlowTable()
    for outcome in set(Outcome) - {Outcome.ESTABLISHED}:
        table.opened(opened_record(outcome=outcome), process())

    assert len(table) == 0


def test_full_table_gives_up_the_oldest() -> None:
    """There is a cap; the oldest connections leave and are counted."""
    table = FlowTable(capacity=3)
    for port in range(10, 20):
        table.opened(opened_record(local_port=port), process())

    assert [port for port in range(10, 20) if table.closed(closed_record(local_port=port))] == [17, 18, 19]
    assert table.evicted == 7


def test_records_lead_to_the_process_that_they_name() -> None:
    """Every record of a socket leads to its process, known or not."""
    for record in (opened_record(), listening_record(), datagram_record(), socket_record()):
        host = Host()
        stranger = host.apply(record)
        assert stranger is not None
        assert (stranger.pid, stranger.comm, stranger.uid, stranger.cgroup) == (100, "true", 1000, 7)
        host = Host()
        assert host.apply(exec_record()) is host.apply(record)


def test_socket_without_a_process_leads_to_none() -> None:
    """What was opened before the monitor is nobody's."""
    host = Host()

    assert host.apply(opened_record(pid=0, start=0)) is None
    assert host.apply(listening_record(pid=0, start=0)) is None
    assert host.apply(closed_record(pid=0, start=0)) is None
    assert len(host.processes) == 0


def test_end_after_the_process() -> None:
    """The end of a connection leads to its process even if that has exited, and does not bring it back to life."""
    host = Host()
    owner = host.apply(exec_record())
    host.apply(opened_record())
    host.apply(exit_record())

    assert host.apply(closed_record()) is owner
    assert host.apply(opened_record(outcome=Outcome.ABANDONED)) is owner
    assert host.processes.get(100) is None


def test_end_long_after_the_process() -> None:
    """Of a process that is forgotten, its open connections still tell."""
    host = Host()
    owner = host.apply(opened_record())
    for pid in range(1000, 3000):
        host.apply(exit_record(pid=pid))
    host.apply(exit_record())
    for pid in range(1000, 3000):
        host.apply(exit_record(pid=pid))

    assert host.processes.find(100, 1000) is None
    assert host.apply(closed_record()) is owner
    assert host.apply(closed_record()) is None
