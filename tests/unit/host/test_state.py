"""One way to bring the whole state up to date."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.host import Host
from pyloader.records import AnyRecord, UsageReason
from tests.unit.examples import (
    access_record,
    cgroup_record,
    credential_record,
    exec_record,
    exit_record,
    fault_record,
    fork_record,
    loss_record,
    oom_record,
    origin_record,
    protection_record,
    request_record,
    seen_record,
    usage_record,
)
from tests.unit.strategies import any_records


@pytest.mark.parametrize(
    ("record", "pid"),
    [
        (exec_record(), 100),
        (fork_record(), 101),
        (exit_record(), 100),
        (seen_record(), 100),
        (credential_record(), 100),
        (protection_record(), 100),
        (access_record(), 100),
        (request_record(), 100),
        (fault_record(), 100),
        (origin_record(), 100),
        (usage_record(), 100),
        (oom_record(), 100),
        (loss_record(), None),
        (cgroup_record(b"/"), None),
    ],
)
def test_record_leads_to_its_process(record: AnyRecord, pid: int | None) -> None:
    """Applying a record returns the process that it is about, if it is about one."""
    process = Host().apply(record)

    assert pid == (process.pid if process is not None else None)


def test_execution_connects_pipes() -> None:
    """A program that executes with a pipe is found at the end of that pipe."""
    host = Host()
    process = host.apply(exec_record(stdio=0x224, stdin_inode=9))

    assert host.pipes.reader(9) is process


def test_change_of_credentials_changes_the_user() -> None:
    """After a change of credentials the process belongs to its new user."""
    host = Host()
    process = host.apply(exec_record())
    assert process is not None

    assert host.apply(credential_record(uid=0)) is process
    assert process.uid == 0


def test_control_group_names_the_container() -> None:
    """An announced control group tells the container of the processes in it."""
    host = Host()
    host.apply(cgroup_record(b"/lxc/web", cgroup=7))

    assert host.containers.get(7) == "web"


@pytest.mark.parametrize("record", [protection_record(), fault_record(), usage_record(), oom_record()])
def test_memory_record_places_a_process_that_was_not_known(record: AnyRecord) -> None:
    """A process that is first heard of by its memory has the container of its control group and its user."""
    host = Host()
    host.apply(cgroup_record(b"/lxc/web", cgroup=7))
    process = host.apply(record)

    assert process is not None
    assert (process.container, process.uid, process.comm) == ("web", 1000, "true")
    assert host.processes.get(100) is process


def test_last_usage_revives_nobody() -> None:
    """What a process has used, told after its end, names it but does not bring it back into the table."""
    host = Host()
    host.apply(exec_record())
    host.apply(exit_record())
    process = host.apply(usage_record(reasons=UsageReason.EXIT))

    assert process is not None
    assert (process.pid, process.comm, process.alive) == (100, "true", False)
    assert host.processes.get(100) is None


def test_last_usage_of_a_live_process() -> None:
    """What a process has used, told before its end, is told of the process that is known."""
    host = Host()
    process = host.apply(exec_record())

    assert host.apply(usage_record(reasons=UsageReason.EXIT)) is process


def test_evictions_are_told_by_table() -> None:
    """Every table's losses for want of room are told under its name."""
    host = Host(processes=1)
    for pid in (1, 2, 3):
        host.apply(exec_record(pid=pid, start=pid, ppid=0))

    assert host.evicted == {"processes": 2, "pipes": 0, "containers": 0, "flows": 0, "sources": 0}


@given(st.lists(any_records, max_size=30))
def test_any_records_can_be_applied(records: list[AnyRecord]) -> None:
    """No record, however strange, upsets the state: recordings come from other versions and damaged disks."""
    host = Host(processes=4)
    for record in records:
        host.apply(record)

    assert len(host.processes) <= 4
