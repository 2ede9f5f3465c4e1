"""The record types: the single declaration from which the C side is generated.

`AnyRecord` is the tagged union that one msgspec decoder reads; `EVENTS` maps each tag to the event's public name.
"""

import re
from typing import TypeAlias, cast

from pyloader.records.addresses import address, address_text, reach
from pyloader.records.connection import (
    ConnectionClosed,
    ConnectionOpened,
    DatagramSent,
    Direction,
    Outcome,
    SocketCreated,
    SocketListening,
    SocketRecord,
)
from pyloader.records.memory import (
    AccessMethod,
    Area,
    Call,
    CallOrigin,
    Exposure,
    Facility,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    MemoryRequest,
    MemoryUsage,
    OomKill,
    OomScope,
    Protection,
    Suspicion,
    Technique,
    UsageReason,
)
from pyloader.records.network import (
    Anomaly,
    Counter,
    Doubled,
    NetworkFlow,
    PacketAnomaly,
    PacketFlag,
    Policy,
    SourceSummary,
    Traffic,
    Tunnel,
)
from pyloader.records.process import (
    CredentialChange,
    ExecFlag,
    Explanation,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    Stdio,
)
from pyloader.records.sensor import (
    AnalystLabel,
    CgroupSeen,
    Elsewhere,
    EventLoss,
    HookInUse,
    Malformed,
    NetworkTraffic,
    OfHost,
    ProcessSeen,
    WorkerGap,
)
from pyloader.records.wire import Record, text

KERNEL_RECORDS: tuple[type[Record], ...] = (
    ProcessExec,
    ProcessFork,
    ProcessExit,
    CredentialChange,
    MemoryProtection,
    MemoryAccess,
    MemoryRequest,
    MemoryFault,
    CallOrigin,
    MemoryUsage,
    OomKill,
    NetworkFlow,
    PacketAnomaly,
    SourceSummary,
    ConnectionOpened,
    ConnectionClosed,
    SocketListening,
    DatagramSent,
    SocketCreated,
)
"""Records that kernel programs write; their tags are below `TAG_LIMIT` and index the loss counters."""

VITAL_RECORDS: tuple[type[Record], ...] = (
    ProcessExec,
    CredentialChange,
    MemoryProtection,
    MemoryAccess,
    MemoryFault,
    CallOrigin,
    OomKill,
    SourceSummary,
    SocketListening,
    SocketCreated,
)
"""Kernel records that are rare and valuable; in each monitor they have a ring of their own."""

SENSOR_RECORDS: tuple[type[Record], ...] = (
    EventLoss,
    ProcessSeen,
    CgroupSeen,
    Malformed,
    HookInUse,
    NetworkTraffic,
    AnalystLabel,
    Elsewhere,
    WorkerGap,
)
"""Records that the sensor writes."""

TAG_LIMIT = 64

AnyRecord: TypeAlias = (
    ProcessExec
    | ProcessFork
    | ProcessExit
    | CredentialChange
    | MemoryProtection
    | MemoryAccess
    | MemoryRequest
    | MemoryFault
    | CallOrigin
    | MemoryUsage
    | OomKill
    | NetworkFlow
    | PacketAnomaly
    | SourceSummary
    | ConnectionOpened
    | ConnectionClosed
    | SocketListening
    | DatagramSent
    | SocketCreated
    | EventLoss
    | ProcessSeen
    | CgroupSeen
    | Malformed
    | HookInUse
    | NetworkTraffic
    | AnalystLabel
    | Elsewhere
    | WorkerGap
)


def tag_of(record: type[Record]) -> int:
    """Return the first element of the record's array."""
    return cast("int", record.__struct_config__.tag)


def event_name(record: type) -> str:
    """Return the public name of a type: `ProcessExec` is `process_exec`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", record.__name__).lower()


EVENTS: dict[int, str] = {tag_of(record): event_name(record) for record in KERNEL_RECORDS + SENSOR_RECORDS}

__all__ = [
    "EVENTS",
    "KERNEL_RECORDS",
    "SENSOR_RECORDS",
    "TAG_LIMIT",
    "VITAL_RECORDS",
    "AccessMethod",
    "AnalystLabel",
    "Anomaly",
    "AnyRecord",
    "Area",
    "Call",
    "CallOrigin",
    "CgroupSeen",
    "ConnectionClosed",
    "ConnectionOpened",
    "Counter",
    "CredentialChange",
    "DatagramSent",
    "Direction",
    "Doubled",
    "Elsewhere",
    "EventLoss",
    "ExecFlag",
    "Explanation",
    "Exposure",
    "Facility",
    "HookInUse",
    "Malformed",
    "MemoryAccess",
    "MemoryFault",
    "MemoryProtection",
    "MemoryRequest",
    "MemoryUsage",
    "NetworkFlow",
    "NetworkTraffic",
    "OfHost",
    "OomKill",
    "OomScope",
    "Outcome",
    "PacketAnomaly",
    "PacketFlag",
    "Policy",
    "ProcessExec",
    "ProcessExit",
    "ProcessFork",
    "ProcessSeen",
    "Protection",
    "Record",
    "SocketCreated",
    "SocketListening",
    "SocketRecord",
    "SourceSummary",
    "Stdio",
    "Suspicion",
    "Technique",
    "Traffic",
    "Tunnel",
    "UsageReason",
    "WorkerGap",
    "address",
    "address_text",
    "event_name",
    "reach",
    "tag_of",
    "text",
]
