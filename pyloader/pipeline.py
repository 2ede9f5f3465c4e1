"""From a record to its assessment: the stages behind the reader, joined.

A pipeline is a pure function of the header and the records that it was given, in order: no clock, no randomness, no
look at the host. That is why a replay gives the verdicts of the live run.
"""

from collections import Counter
from collections.abc import Iterable

import msgspec

from pyloader.alerts import Alert, AlertPolicy
from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.evidence import Evidence, EvidenceStage
from pyloader.host import Host, Process
from pyloader.records import EVENTS, AnyRecord, EventLoss, HookInUse, Record, event_name, text
from pyloader.records.recording import Header
from pyloader.scorer import Scorer

_HOOKS = 256
"""No set of monitors has more hooks; a recording that claims more gets no more room."""


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """A record and what it means.

    `process` is the process that the record is about, as it stands after the record; `None` for records about no
    process. `score` is 0 to 100, that of the process or of the packets that the record tells of. `evidence` is what
    this record added, `alerts` what it raised.
    """

    record: AnyRecord
    process: Process | None
    score: float
    evidence: tuple[Evidence, ...] = ()
    alerts: tuple[Alert, ...] = ()


class Hook(msgspec.Struct, frozen=True, omit_defaults=True):
    """A hook, the rung of its ladder that held, and what that rung cannot see or costs."""

    monitor: str
    hook: str
    rung: str
    blind_to: str = ""
    cost: str = ""


class Summary(msgspec.Struct, frozen=True, tag="summary"):
    """What a run came to.

    Records and losses by event name, the number of alerts, what the tables gave up for want of room, and the hooks by
    which the records came.
    """

    records: dict[str, int]
    lost: dict[str, int]
    alerts: int
    evicted: dict[str, int]
    hooks: list[Hook]


class Pipeline:
    """Host state, evidence, scorer and alert policy of one stream of records."""

    def __init__(self, header: Header, *, min_score: float = MEDIUM_FROM) -> None:
        self.host = Host()
        self._evidence = EvidenceStage()
        self._scorer = Scorer()
        self._policy = AlertPolicy(boot_id=header.boot_id, realtime_offset=header.realtime_offset, threshold=min_score)
        self._records: Counter[type[Record]] = Counter()
        self._lost: Counter[str] = Counter()
        self._alerts = 0
        self._hooks: dict[tuple[bytes, bytes], HookInUse] = {}

    def assess(self, record: AnyRecord) -> Assessment:
        """Take in one record."""
        self._records[type(record)] += 1
        process = self.host.apply(record)
        items = self._evidence.assess(record, process, self.host)
        if items:
            return self._with_evidence(record, process, items)
        if type(record) is EventLoss:
            self._lost[EVENTS.get(record.lost, str(record.lost))] += record.count
        elif type(record) is HookInUse and len(self._hooks) < _HOOKS:
            self._hooks[record.monitor, record.hook] = record
        return Assessment(record, process, self._scorer.score(record, process))

    def assess_all(self, records: Iterable[AnyRecord]) -> list[Assessment]:
        """Take in many records."""
        return [self.assess(record) for record in records]

    def summary(self) -> Summary:
        """Return the counts so far."""
        return Summary(
            records={event_name(kind): count for kind, count in sorted(self._records.items(), key=_by_name)},
            lost=dict(sorted(self._lost.items())),
            alerts=self._alerts,
            hooks=[
                Hook(text(one.monitor), text(one.hook), text(one.rung), text(one.blind_to), text(one.cost))
                for one in self._hooks.values()
            ],
            evicted=self.host.evicted | self._evidence.evicted | {"episodes": self._policy.evicted},
        )

    def _with_evidence(self, record: AnyRecord, process: Process | None, items: tuple[Evidence, ...]) -> Assessment:
        now = record.timestamp
        alerts = []
        score = None
        for verdict in self._scorer.weigh(items, now):
            if verdict.entity is process:
                score = verdict.score
            elif process is None:
                score = max(score or 0.0, verdict.score)
            alert = self._policy.consider(verdict, now)
            if alert is not None:
                alerts.append(alert)
                # An update shows an alert again that was counted when it was raised.
                self._alerts += alert.update == 0
        if score is None:
            score = self._scorer.score(record, process)
        return Assessment(record, process, score, items, tuple(alerts))


def _by_name(counted: tuple[type[Record], int]) -> str:
    return event_name(counted[0])
