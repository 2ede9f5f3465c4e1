"""The set of record types."""

import msgspec
import pytest

from pyloader.records import (
    EVENTS,
    KERNEL_RECORDS,
    SENSOR_RECORDS,
    TAG_LIMIT,
    VITAL_RECORDS,
    AnyRecord,
    EventLoss,
    ProcessExec,
    Record,
    Stdio,
    event_name,
    tag_of,
)
from tests.unit.examples import exec_record

EVERY = KERNEL_RECORDS + SENSOR_RECORDS


def test_tags_are_unique() -> None:
    """No two record types have the same tag."""
    assert len(EVERY) == len({tag_of(kind) for kind in EVERY})


def test_kernel_tags_index_the_counters() -> None:
    """The tags of the kernel's records fit into its array of loss counters, and only theirs."""
    assert all(0 < tag_of(kind) < TAG_LIMIT for kind in KERNEL_RECORDS)
    assert all(tag_of(kind) >= TAG_LIMIT for kind in SENSOR_RECORDS)


def test_vital_records() -> None:
    """The records that have a ring of their own are records of the kernel, and not all of them."""
    assert VITAL_RECORDS
    assert set(VITAL_RECORDS) < set(KERNEL_RECORDS)


def test_every_record_is_in_the_union() -> None:
    """The union that is decoded has exactly the types that are declared."""
    assert set(EVERY) == set(AnyRecord.__args__)


def test_tags_never_change() -> None:
    """Old recordings stay readable: a tag that was given to an event keeps its meaning."""
    assert EVENTS == {
        1: "process_exec",
        2: "process_fork",
        3: "process_exit",
        4: "credential_change",
        5: "memory_protection",
        6: "memory_access",
        7: "memory_request",
        8: "memory_fault",
        9: "call_origin",
        10: "memory_usage",
        11: "oom_kill",
        12: "network_flow",
        13: "packet_anomaly",
        14: "source_summary",
        16: "connection_opened",
        17: "connection_closed",
        18: "socket_listening",
        19: "datagram_sent",
        20: "socket_created",
        64: "event_loss",
        65: "process_seen",
        66: "cgroup_seen",
        67: "malformed",
        68: "hook_in_use",
        69: "network_traffic",
        70: "analyst_label",
        71: "elsewhere",
        72: "worker_gap",
    }


@pytest.mark.parametrize(("kind", "name"), [(ProcessExec, "process_exec"), (EventLoss, "event_loss")])
def test_event_names(kind: type[Record], name: str) -> None:
    """An event is named after its type, in lower case with underscores."""
    assert name == event_name(kind)


@pytest.mark.parametrize("kind", EVERY)
def test_records_are_told_by_tag_and_time(kind: type[Record]) -> None:
    """Every record begins with its tag and its time, as an array that no one can change."""
    assert kind.__struct_fields__[0] == "timestamp"
    assert kind.__struct_config__.array_like
    assert kind.__struct_config__.frozen


def test_streams_of_an_execution() -> None:
    """Each standard stream has a nibble of its own, standard input lowest."""
    record = exec_record(stdio=0x543)

    assert (record.stdin, record.stdout, record.stderr) == (Stdio.FILE, Stdio.PIPE, Stdio.UNIX_SOCKET)


def test_records_cannot_be_changed() -> None:
    """A record stays what it was when it came."""
    record = exec_record()

    with pytest.raises(AttributeError):
        record.pid = 1  # type: ignore[misc]


def test_field_from_the_future_is_ignored() -> None:
    """A record with more fields than this version knows is read all the same."""
    record = exec_record()
    longer = msgspec.msgpack.encode([*msgspec.msgpack.decode(msgspec.msgpack.encode(record)), 1, b"new"])

    assert record == msgspec.msgpack.decode(longer, type=AnyRecord)
