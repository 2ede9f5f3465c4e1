"""An assessment on its way from a worker to its parent.

The record goes as it stands on the wire, and evidence and alerts as they are. Of a process or of packets only what is
told of them goes along: what arrives is a copy, with a lineage of its own, without ancestors and without a ledger.
"""

from typing import Any, Final, Self

import msgspec

from pyloader.alerts import Alert, NetworkSubject, Subject
from pyloader.evidence import Evidence, Group
from pyloader.host import Activity, Entity, Lineage, Process
from pyloader.host.sources import Source
from pyloader.pipeline import Assessment
from pyloader.records import AnyRecord


class ToldProcess(msgspec.Struct, array_like=True, tag=0, frozen=True):
    """A process, as far as it is told; the names are those of `Process`."""

    pid: int
    start: int
    ppid: int
    session: int
    uid: int
    cgroup: int
    container: str
    flags: int
    stdio: int
    stdin_inode: int
    stdout_inode: int
    comm: str
    exe: str
    filename: str
    args: tuple[str, ...]
    alive: bool
    depth: int
    lineage: str

    @classmethod
    def of(cls, process: Process) -> Self:
        """Return what is told of a process."""
        told: dict[str, Any] = {name: getattr(process, name) for name in _OF_PROCESS}
        return cls(**told, lineage=process.lineage.label)

    def copy(self) -> Process:
        """Return a process of which this is known."""
        process = Process(self.pid, self.start, None, self.ppid)
        for name in _OF_PROCESS:
            setattr(process, name, getattr(self, name))
        process.lineage = Lineage(self.lineage, self.session, self.cgroup)
        return process


class ToldActivity(msgspec.Struct, array_like=True, tag=1, frozen=True):
    """What packets do, as far as it is told; `source` and `prefix` are empty and 0 if there is no single source."""

    kind: str
    source: bytes
    prefix: int
    source_port: int
    destination: bytes
    destination_port: int
    protocol: int
    interface: int
    ports: tuple[int, ...]

    @classmethod
    def of(cls, activity: Activity) -> Self:
        """Return what is told of an activity."""
        source = activity.source
        return cls(
            kind=activity.kind,
            source=source.address if source is not None else b"",
            prefix=source.prefix if source is not None else 0,
            source_port=activity.source_port,
            destination=activity.destination,
            destination_port=activity.destination_port,
            protocol=activity.protocol,
            interface=activity.interface,
            ports=tuple(activity.ports),
        )

    def copy(self) -> Activity:
        """Return an activity of which this is known."""
        activity = Activity(self.kind, Source(self.source, self.prefix) if self.source else None)
        activity.source_port = self.source_port
        activity.destination = self.destination
        activity.destination_port = self.destination_port
        activity.protocol = self.protocol
        activity.interface = self.interface
        activity.ports = self.ports
        return activity


class ToldEvidence(msgspec.Struct, array_like=True, frozen=True):
    """An item of evidence; without an `entity` it is about the process of its record."""

    code: str
    group: Group
    nats: float
    text: str
    technique: str
    entity: ToldProcess | ToldActivity | None
    floor: int
    context: tuple[str, ...]


class ToldAlert(msgspec.Struct, array_like=True, frozen=True):
    """An alert: its subject, which is a process or not, and all else by name."""

    about_process: bool
    subject: dict[str, Any]
    rest: dict[str, Any]

    @classmethod
    def of(cls, alert: Alert) -> Self:
        """Return an alert as it is told."""
        rest: dict[str, Any] = msgspec.to_builtins(alert)
        return cls(isinstance(alert.subject, Subject), rest.pop("subject"), rest)

    def copy(self) -> Alert:
        """Return the alert. Raises `msgspec.ValidationError` if it is none."""
        kind: type[Subject | NetworkSubject] = Subject if self.about_process else NetworkSubject
        rest = {name: msgspec.convert(value, _OF_ALERT[name]) for name, value in self.rest.items()}
        return Alert(subject=msgspec.convert(self.subject, kind), **rest)


class Told(msgspec.Struct, array_like=True, frozen=True):
    """An assessment; `call` is the score, and whether an invariant broke, if it calls for a higher posture at once."""

    record: AnyRecord
    process: ToldProcess | None
    score: float
    evidence: tuple[ToldEvidence, ...]
    alerts: tuple[ToldAlert, ...]
    answer: str
    container: str
    call: tuple[float, bool] | None = None

    @classmethod
    def of(cls, assessment: Assessment, call: tuple[float, bool] | None = None) -> Self:
        """Return an assessment as it is told."""
        process = assessment.process
        return cls(
            record=assessment.record,
            process=ToldProcess.of(process) if process is not None else None,
            score=assessment.score,
            evidence=tuple(_evidence(item, process) for item in assessment.evidence),
            alerts=tuple(map(ToldAlert.of, assessment.alerts)),
            answer=assessment.answer,
            container=assessment.container,
            call=call,
        )

    def copy(self) -> Assessment:
        """Return the assessment, with copies of those that it is about."""
        process = self.process.copy() if self.process is not None else None
        return Assessment(
            record=self.record,
            process=process,
            score=self.score,
            evidence=tuple(_item(told, process) for told in self.evidence),
            alerts=tuple(told.copy() for told in self.alerts),
            answer=self.answer,
            container=self.container,
        )


def _evidence(item: Evidence, process: Process | None) -> ToldEvidence:
    entity = item.entity if item.entity is not process else None
    return ToldEvidence(
        item.code, item.group, item.nats, item.text, item.technique, _entity(entity), item.floor, item.context
    )


def _entity(entity: Entity | None) -> ToldProcess | ToldActivity | None:
    if isinstance(entity, Process):
        return ToldProcess.of(entity)
    return ToldActivity.of(entity) if isinstance(entity, Activity) else None


def _item(told: ToldEvidence, process: Process | None) -> Evidence:
    entity: Entity = told.entity.copy() if told.entity is not None else process or _NOBODY
    return Evidence(told.code, told.group, told.nats, told.text, told.technique, entity, told.floor, told.context)


_NOBODY: Final = Activity("unknown")
_OF_PROCESS: Final = tuple(name for name in ToldProcess.__struct_fields__ if name != "lineage")
_OF_ALERT: Final = {field.name: field.type for field in msgspec.structs.fields(Alert)}
