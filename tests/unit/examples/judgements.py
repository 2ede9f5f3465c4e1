"""What is made of records: processes, evidence and alerts."""

from msgspec.structs import replace

from pyloader.alerts import Alert, Severity, Subject
from pyloader.alerts.alert import Reason
from pyloader.evidence import Evidence, Group
from pyloader.host import Entity, Process
from pyloader.scorer import Baseline
from tests.unit.examples.ground import SECOND


def process(pid: int = 100, start: int = 1000, comm: str = "true", parent: Process | None = None) -> Process:
    """Return a process that no table knows."""
    made = Process(pid, start, parent, parent.pid if parent is not None else 1)
    made.comm = comm
    return made


def evidence(
    nats: float = 8.0,
    *,
    code: str = "sample",
    group: Group = Group.PROCESS,
    about: Entity | None = None,
    floor: int = 0,
) -> Evidence:
    """Return an item of evidence of the given weight."""
    whom = about if about is not None else process()
    return Evidence(code, group, nats, f"the text of {code}", "T1059", whom, floor)


_SUBJECT = Subject(pid=6864, ppid=1, start=1000, comm="netcat", exe="/usr/bin/nc", args=["netcat"], uid=0, container="")

_ALERT = Alert(
    id="0123456789abcdef",
    timestamp=SECOND,
    time="2023-11-14T22:13:21.000000Z",
    score=62.4,
    severity=Severity.HIGH,
    domain="process",
    summary="netcat runs a program",
    subject=_SUBJECT,
    evidence=[Reason("sample", 8.0, "the text of sample", 8.0)],
    techniques=["T1059"],
    confidence=1.0,
    period=86_400.0,
    rarity="about once a day",
    baseline=Baseline(days=0.0, episodes=0, learning=True),
)


def subject(**fields: object) -> Subject:
    """Return process 6864, which is netcat."""
    return replace(_SUBJECT, **fields)


def alert(**fields: object) -> Alert:
    """Return an alert about process 6864."""
    return replace(_ALERT, **fields)
