"""A record as named fields, for people and programs outside Python."""

from collections.abc import Callable
from typing import Any

from pyloader.host.processes import arguments
from pyloader.pipeline import Assessment
from pyloader.records import (
    EVENTS,
    AnalystLabel,
    Anomaly,
    ConnectionClosed,
    ConnectionOpened,
    CredentialChange,
    Direction,
    Doubled,
    Elsewhere,
    EventLoss,
    ExecFlag,
    Explanation,
    Malformed,
    NetworkTraffic,
    Outcome,
    PacketAnomaly,
    ProcessExec,
    ProcessSeen,
    Record,
    SourceSummary,
    Traffic,
    address,
    event_name,
    text,
)
from pyloader.scorer import Label

_ADDRESSES = {"local_address", "remote_address", "source", "destination"}


def fields(assessment: Assessment) -> dict[str, Any]:
    """Return the fields of an assessed record by name: text decoded, flags and enumerations by name."""
    shown = _fields(assessment.record)
    if assessment.process is not None:
        shown["container"] = assessment.container
    return shown


def _fields(record: Record) -> dict[str, Any]:
    shown = {name: getattr(record, name) for name in record.__struct_fields__}
    for name, value in shown.items():
        if type(value) is bytes:
            shown[name] = str(address(value)) if name in _ADDRESSES else text(value)
    special = _SPECIAL.get(type(record))
    if special is not None:
        special(record, shown)
    return shown


def _exec(record: ProcessExec, shown: dict[str, Any]) -> None:
    shown["args"] = list(arguments(record.args))
    shown["flags"] = [flag.name.lower() for flag in ExecFlag(record.flags) if flag.name]
    del shown["stdio"]
    for stream in ("stdin", "stdout", "stderr"):
        shown[stream] = getattr(record, stream).name.lower()


def _seen(record: ProcessSeen, shown: dict[str, Any]) -> None:
    shown["args"] = list(arguments(record.args))


def _credentials(record: CredentialChange, shown: dict[str, Any]) -> None:
    shown["explanation"] = _EXPLANATIONS.get(record.explanation, str(record.explanation))


def _opened(record: ConnectionOpened, shown: dict[str, Any]) -> None:
    shown["direction"] = Direction(record.direction).name.lower()
    shown["outcome"] = Outcome(record.outcome).name.lower()


def _closed(record: ConnectionClosed, shown: dict[str, Any]) -> None:
    shown["direction"] = Direction(record.direction).name.lower()


def _loss(record: EventLoss, shown: dict[str, Any]) -> None:
    shown["lost"] = EVENTS.get(record.lost, str(record.lost))


def _traffic(record: NetworkTraffic, shown: dict[str, Any]) -> None:
    shown["counts"] = {
        name: count
        for names, first in ((Traffic, 0), (Anomaly, Traffic.ANOMALY))
        for name, count in ((one.name.lower(), record.count(first + one)) for one in names)
        if count and name != "anomaly"
    }
    raw = record.dispersion
    shown["dispersion"] = [int.from_bytes(raw[at : at + 4], "big") for at in range(0, len(raw), 4)]


def _anomaly(record: PacketAnomaly, shown: dict[str, Any]) -> None:
    shown["kind"] = _ANOMALIES.get(record.kind, str(record.kind))


def _summary(record: SourceSummary, shown: dict[str, Any]) -> None:
    shown["doubled"] = [counter.name.lower() for counter in Doubled(record.doubled) if counter.name]
    shown["anomaly_kinds"] = [name for kind, name in _ANOMALIES.items() if record.anomaly_kinds >> kind & 1]


def _label(record: AnalystLabel, shown: dict[str, Any]) -> None:
    shown["label"] = _LABELS.get(record.label, str(record.label))


def _elsewhere(record: Elsewhere, shown: dict[str, Any]) -> None:
    shown["record"] = {"event": event_name(type(record.record)), **_fields(record.record)}


def _malformed(record: Malformed, shown: dict[str, Any]) -> None:
    shown["raw"] = record.raw.hex()


_LABELS = {int(one): one.name.lower() for one in Label}

_ANOMALIES = {int(one): one.name.lower() for one in Anomaly}

_EXPLANATIONS = {int(one): one.name.lower() for one in Explanation}

_SPECIAL: dict[type[Record], Callable[[Any, dict[str, Any]], None]] = {
    AnalystLabel: _label,
    ProcessExec: _exec,
    ProcessSeen: _seen,
    CredentialChange: _credentials,
    Elsewhere: _elsewhere,
    ConnectionOpened: _opened,
    ConnectionClosed: _closed,
    EventLoss: _loss,
    Malformed: _malformed,
    NetworkTraffic: _traffic,
    PacketAnomaly: _anomaly,
    SourceSummary: _summary,
}
