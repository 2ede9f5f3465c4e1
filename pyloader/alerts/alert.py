"""What an alert says."""

from enum import StrEnum

import msgspec

from pyloader.scorer import Baseline, Similar


class Severity(StrEnum):
    """How urgent an alert is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


MEDIUM_FROM = 50.0
HIGH_FROM = 62.0
CRITICAL_FROM = 80.0


def severity_of(score: float) -> Severity:
    """Return the severity of a score."""
    if score >= CRITICAL_FROM:
        return Severity.CRITICAL
    if score >= HIGH_FROM:
        return Severity.HIGH
    return Severity.MEDIUM if score >= MEDIUM_FROM else Severity.LOW


class Subject(msgspec.Struct, frozen=True):
    """A process that an alert is about. `start` is nanoseconds of the boot-time clock."""

    pid: int
    ppid: int
    start: int
    comm: str
    exe: str
    args: list[str]
    uid: int
    container: str


class NetworkSubject(msgspec.Struct, frozen=True):
    """Packets that an alert is about.

    `src` is an address, or a network as `192.0.2.0/24`, or `many`; `dst` an address of this host, or empty if none is
    known. A port is 0 where there is none. `ports` are ports of this host that were tried, as far as they are known one
    by one. `protocol` is a name, or a number (IANA), and `interface` the interface's number.
    """

    src: str
    src_port: int
    dst: str
    dst_port: int
    protocol: str
    interface: int
    ports: list[int]


class Reason(msgspec.Struct, frozen=True):
    """One item of evidence, with the weight in nats that it has at the time of the alert, and what it adds to the sum.

    Dependent evidence adds less than it weighs. What all reasons add is the evidence of the alert.
    """

    code: str
    nats: float
    text: str
    adds: float = 0.0


class Alert(msgspec.Struct, frozen=True):
    """A process or another entity whose score reached the threshold.

    `timestamp` is nanoseconds of the boot-time clock and `time` the same as a date (RFC 3339, UTC). An alert that is
    raised again with a higher severity keeps its `id`, and `update` counts up.

    `period` is how often, in seconds, ordinary work on this host looks at least this bad, and `rarity` the same in
    words. `baseline` says how much of that the host has taught, `similar` which earlier episodes were alike, and
    `confidence` (0 to 1) how complete the records are that the alert rests on.
    """

    id: str
    timestamp: int
    time: str
    score: float
    severity: Severity
    domain: str
    summary: str
    subject: Subject | NetworkSubject
    evidence: list[Reason]
    techniques: list[str]
    confidence: float
    period: float
    rarity: str
    baseline: Baseline
    similar: list[Similar] = msgspec.field(default_factory=list)
    update: int = 0
