"""Records, evidence and alerts that tests vary: each function fills in what a test does not care about."""

from tests.unit.examples.connections import (
    closed_record,
    datagram_record,
    listening_record,
    opened_record,
    socket_record,
)
from tests.unit.examples.ground import HOME, MINUTE, PEER, SECOND, padded
from tests.unit.examples.judgements import alert, evidence, process, subject
from tests.unit.examples.memory import (
    access_record,
    fault_record,
    oom_record,
    origin_record,
    protection_record,
    request_record,
    usage_record,
)
from tests.unit.examples.packets import anomaly_record, source_record, traffic_record
from tests.unit.examples.processes import (
    REVERSE_SHELL,
    cgroup_record,
    credential_record,
    exec_record,
    exit_record,
    fork_record,
    seen_record,
)
from tests.unit.examples.sensor import HEADER, NESTED, loss_record, recording

__all__ = [
    "HEADER",
    "HOME",
    "MINUTE",
    "NESTED",
    "PEER",
    "REVERSE_SHELL",
    "SECOND",
    "access_record",
    "alert",
    "anomaly_record",
    "cgroup_record",
    "closed_record",
    "credential_record",
    "datagram_record",
    "evidence",
    "exec_record",
    "exit_record",
    "fault_record",
    "fork_record",
    "listening_record",
    "loss_record",
    "oom_record",
    "opened_record",
    "origin_record",
    "padded",
    "process",
    "protection_record",
    "recording",
    "request_record",
    "seen_record",
    "socket_record",
    "source_record",
    "subject",
    "traffic_record",
    "usage_record",
]
