"""From a record to its assessment: the stages behind the reader, joined.

A pipeline is a pure function of the header and the records that it was given, in order: no clock, no randomness, no
look at the host. That is why a replay gives the verdicts of the live run.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from pyloader.alerts import Alert, AlertPolicy
from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.evidence import Evidence, EvidenceStage
from pyloader.evidence.item import NOTHING
from pyloader.host import Host, Process
from pyloader.host.focus import Focus
from pyloader.records import (
    EVENTS,
    AnalystLabel,
    AnyRecord,
    EventLoss,
    HookInUse,
    Record,
    WorkerGap,
    event_name,
    text,
)
from pyloader.records.recording import Header
from pyloader.scorer import CALM, HEARD, Baseline, Change, Episode, Label, Level, Past, Scorer, Signature, Tail
from pyloader.scorer.sharing import Conclusion, Overview, Relabelled, Shared, Spoken, Taught
from pyloader.state import Classes, load, save

_LOG = logging.getLogger(__name__)

_WENT_BACK = 60 * 1_000_000_000
"""A clock of the records that goes back by more (ns) begins to count anew."""

_EARLY = 256
_WAITS = 10 * 1_000_000_000
"""So much that was said of processes waits for them to be known, and for so long (ns)."""

_LATER = 256
"""Of so many processes, the latest, descendants are looked for that have taken along what was said."""

_HOOKS = 256
"""No set of monitors has more hooks; a recording that claims more gets no more room."""


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """A record and what it means.

    `process` is the process that the record is about, as it stands after the record; `None` for records about no
    process. `score` is 0 to 100, that of the process or of the packets that the record tells of. `evidence` is what
    this record added, `alerts` what it raised, and `posture` the change of the host's posture that it brought about, if
    it did. `answer` says what became of a label that an analyst gave.
    `container` is that of the process at the time of the record, while `process` goes on to change.
    """

    record: AnyRecord
    process: Process | None
    score: float
    evidence: tuple[Evidence, ...] = ()
    alerts: tuple[Alert, ...] = ()
    posture: Change | None = None
    answer: str = ""
    container: str = ""


class Hook(msgspec.Struct, frozen=True, omit_defaults=True):
    """A hook, the rung of its ladder that held, and what that rung cannot see or costs."""

    monitor: str
    hook: str
    rung: str
    blind_to: str = ""
    cost: str = ""


class WorkerSummary(msgspec.Struct, frozen=True):
    """What one of several workers came to.

    `records` it has assessed, `lost` did not reach it. `restarts` is how often another has begun in its place, and
    `gap` how many records left no trace in what the others then knew. `untold` assessments found no room on the way to
    the parent, `untold_alerts` of them with alerts; `unshared` is how much of what the others were to learn found none.
    """

    worker: int
    records: int = 0
    lost: int = 0
    restarts: int = 0
    gap: int = 0
    untold: int = 0
    untold_alerts: int = 0
    unshared: int = 0


class Summary(msgspec.Struct, frozen=True, tag="summary"):
    """What a run came to.

    Records and losses by event name, the number of alerts, how many more were like one that was open, the posture of
    the host in the end, how much of what is ordinary the host has taught, what the tables gave up for want of room, and
    the hooks by which the records came. `labels` counts what analysts said, by label, and what they said of alerts that
    nobody remembers. `faults` counts records that brought a defect of the sensor to light, by type and error. `workers`
    are there if several processes score, and what they did is in all other counts. `nats`
    counts what became of what was to be published (see `PublisherStats.counts`), if anything was.
    """

    records: dict[str, int]
    lost: dict[str, int]
    alerts: int
    evicted: dict[str, int]
    hooks: list[Hook]
    grouped: int = 0
    posture: str = "calm"
    baseline: Baseline = Baseline(days=0.0, episodes=0, learning=True)
    labels: dict[str, int] = msgspec.field(default_factory=dict)
    faults: dict[str, int] = msgspec.field(default_factory=dict)
    workers: list[WorkerSummary] = msgspec.field(default_factory=list)
    nats: dict[str, int] = msgspec.field(default_factory=dict)


class Pipeline:
    """Host state, evidence, scorer and alert policy of one stream of records.

    With `share` it is one of several of this host: `share` is told what the others are to know (`learn` there), and
    posture and attention are decided for all of them (`overview`, `follow`, `take_call`).
    """

    def __init__(
        self, header: Header, *, min_score: float = MEDIUM_FROM, share: Callable[[Shared], object] | None = None
    ) -> None:
        self.host = Host()
        self._evidence = EvidenceStage(header.realtime_offset)
        self._scorer = Scorer(header.realtime_offset, seed=_seed_of(header), part=share is not None)
        self._share = share
        self._early: list[Spoken] = []
        """What was said of processes that are not known here yet."""
        if share is not None:
            self._scorer.share = share
            self._evidence.staging.share = lambda *taught: share(Taught(*taught))
        self._policy = AlertPolicy(
            self._scorer.journal,
            boot_id=header.boot_id,
            realtime_offset=header.realtime_offset,
            threshold=min_score,
        )
        self._records: Counter[type[Record]] = Counter()
        self._lost: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._alerts = 0
        self._latest = 0
        self._hooks: dict[tuple[bytes, bytes], HookInUse] = {}
        self._special: dict[type[Record], Callable[[Any], str]] = {
            EventLoss: self._count_loss,
            WorkerGap: self._note_gap,
            HookInUse: self._note_hook,
            AnalystLabel: self._take_label,
        }

    def assess(self, record: AnyRecord) -> Assessment:
        """Take in one record.

        A defect that a record brings to light costs this record its verdict and no other: it is counted and logged. No
        part is switched off for it, since a crafted record would then blind the sensor.
        """
        try:
            kind = type(record)
            self._records[kind] = self._records.get(kind, 0) + 1
            early = self._scorer.due - record.timestamp
            change = self._turn(record.timestamp) if early <= 0 or early > _WENT_BACK else None
            process = self.host.apply(record)
            items = self._evidence.assess(record, process, self.host)
            heard = None
            if kind in HEARD:
                items, heard = self._scorer.respond(record, process, items)
            if items:
                return self._with_evidence(record, process, items, heard, change)
            special = self._special.get(kind)
            answer = special(record) if special is not None else ""
            container = process.container if process is not None else ""
            score = self._scorer.score(record, process)
            return Assessment(record, process, score, NOTHING, (), change, answer, container)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the stream goes on.
            fault = f"{event_name(type(record))}: {type(error).__name__}"
            self._faults[fault] += 1
            if self._faults[fault] == 1:
                _LOG.warning("a %s could not be judged; more of the kind are counted", fault, exc_info=error)
            return Assessment(record, None, CALM)

    def assess_all(self, records: Iterable[AnyRecord]) -> list[Assessment]:
        """Take in many records."""
        return [self.assess(record) for record in records]

    def overview(self, now: int) -> Overview:
        """Return how the lineages stand, to be decided upon for all pipelines of this host."""
        return self._scorer.overview(now)

    def follow(self, now: int, level: Level, focus: Focus) -> None:
        """Take over what was decided for all pipelines of this host; time has passed without records, maybe."""
        early, self._early = self._early, []
        for spoken in early:
            if now - spoken.when < _WAITS:
                self._hold(spoken)
        if now >= self._scorer.due:
            self._turn(now)
        self._scorer.follow(now, level, focus)

    def take_call(self) -> tuple[float, bool] | None:
        """Return the score, and whether an invariant broke, if what was assessed calls for a higher posture at once."""
        call, self._scorer.called_for = self._scorer.called_for, None
        return call

    def learn(self, shared: Shared) -> None:
        """Learn what another pipeline of this host has shared."""
        match shared:
            case Conclusion():
                self._scorer.conclude(shared)
            case Relabelled(past, before, wall):
                self._scorer.relabelled(shared)
                self._excuse(past, before, wall - self._scorer.offset)
            case Spoken():
                self._hold(shared)
            case Taught(lesson, times, wall):
                self._evidence.staging.merge(lesson, times, wall)

    def _hold(self, spoken: Spoken) -> None:
        """Hold what another has heard against a process; it may be told of here only later."""
        process = self.host.processes.find(spoken.pid, spoken.start)
        if process is not None:
            self._scorer.hold(spoken, process, self.host.processes.latest(_LATER))
        elif len(self._early) < _EARLY:
            self._early.append(spoken)

    def remembers(self, alert: str) -> bool:
        """Return whether an alert is known here, so that a label of it can be taken in."""
        return self._scorer.remembers(alert)

    @property
    def tail(self) -> Tail:
        """How strong ordinary episodes are."""
        return self._scorer.tail

    def begin_run(self) -> None:
        """Count anew from here: what was brought back from a snapshot was told in the summary of another run."""
        self._records.clear()
        self._lost.clear()
        self._labels.clear()
        self._faults.clear()
        self._hooks.clear()
        self._alerts = 0
        self._policy.grouped = 0

    def report_from(self, min_score: float) -> None:
        """Let this be the lowest score that raises an alert from now on."""
        self._policy.threshold = min_score

    def summary(self) -> Summary:
        """Return the counts of this run."""
        return Summary(
            records={event_name(kind): count for kind, count in sorted(self._records.items(), key=_by_name)},
            lost=dict(sorted(self._lost.items())),
            alerts=self._alerts,
            grouped=self._policy.grouped,
            posture=self.posture.name.lower(),
            baseline=self._scorer.baseline(self._latest),
            labels=dict(sorted(self._labels.items())),
            faults=dict(sorted(self._faults.items())),
            hooks=[
                Hook(text(one.monitor), text(one.hook), text(one.rung), text(one.blind_to), text(one.cost))
                for one in self._hooks.values()
            ],
            evicted=self.host.evicted | self._evidence.evicted | self._scorer.evicted | self._policy.evicted,
        )

    @property
    def faults(self) -> int:
        """How many records brought a defect to light in this run."""
        return self._faults.total()

    @property
    def latest(self) -> int:
        """The latest time (ns) of a record, to the second."""
        return self._latest

    def learned(self) -> dict[str, object]:
        """Return by name all that outlives a boot: it refers to no process, and to no clock but that on the wall."""
        evidence, scorer = self._evidence.learned(), self._scorer.learned()
        return {
            **{f"evidence.{name}": component for name, component in evidence.items()},
            **{f"scorer.{name}": component for name, component in scorer.items()},
        }

    def save(self) -> bytes:
        """Return all that is known, for `restore`."""
        return save({"pipeline": self, **self.learned()}, Classes(PARTS))

    def restore(self, saved: bytes, *, same_boot: bool) -> dict[str, int]:
        """Bring back what another pipeline knew, into one that has not yet seen a record.

        In the same boot that is everything: what follows is as if there had been one pipeline. In another it is what
        was learned. Returns what this version could not use, by name, and how often. Raises `StateError` if the bytes
        are damaged; this pipeline is then of no more use.
        """
        return load(saved, {"pipeline": self} if same_boot else self.learned(), Classes(PARTS))

    @property
    def focus(self) -> Focus:
        """Whom the monitors are to report in full."""
        return self._scorer.focus

    @property
    def posture(self) -> Level:
        """How alert the host is."""
        return self._scorer.posture.level

    def _turn(self, now: int) -> Change | None:
        """Look at the whole, as the scorer asks for every second."""
        self._latest = max(self._latest, now)
        turn = self._scorer.turn(now, self.host.processes.pids())
        self._evidence.freeze(self._scorer.frozen_until)
        self._let_teach(turn.closed, now)
        return turn.change

    def _let_teach(self, closed: Iterable[Episode], now: int) -> None:
        """Let lineages teach the baselines what they had staged, if their episode ended quietly."""
        for episode in closed:
            self._evidence.closed(episode.lineage, quiet=episode.quiet, now=now)

    def _with_evidence(
        self,
        record: AnyRecord,
        process: Process | None,
        items: tuple[Evidence, ...],
        heard: Signature | None,
        change: Change | None,
    ) -> Assessment:
        now = record.timestamp
        if self._share is not None:
            for spoken in self._scorer.news(items, now):
                self._share(spoken)
        alerts = []
        score = None
        for verdict in self._scorer.weigh(items, now, heard):
            if verdict.entity is process:
                score = verdict.score
            elif process is None:
                score = max(score or 0.0, verdict.score)
            change = self._scorer.rise(verdict, now) or change
            alert = self._policy.consider(verdict, now)
            if alert is not None:
                alerts.append(alert)
                self._scorer.alerted(verdict, alert.id)
                # An update shows an alert again that was counted when it was raised.
                self._alerts += alert.update == 0
        self._let_teach(self._scorer.crowded_out(), now)
        if score is None:
            score = self._scorer.score(record, process)
        container = process.container if process is not None else ""
        return Assessment(record, process, score, items, tuple(alerts), change, "", container)

    def _count_loss(self, record: EventLoss) -> str:
        self._scorer.lost(record)
        self._lost[EVENTS.get(record.lost, str(record.lost))] += record.count
        return ""

    def _note_gap(self, record: WorkerGap) -> str:
        self._scorer.lost(record)
        return ""

    def _note_hook(self, record: HookInUse) -> str:
        if len(self._hooks) < _HOOKS:
            self._hooks[record.monitor, record.hook] = record
        return ""

    def _take_label(self, record: AnalystLabel) -> str:
        """Let an analyst's word change what is ordinary, and return what became of it."""
        alert = text(record.alert)
        try:
            label = Label(record.label)
        except ValueError:
            self._labels["unknown label"] += 1
            return f"there is no label {record.label}"
        changed = self._scorer.label(alert, label, text(record.note), record.timestamp)
        if changed is None:
            self._labels["unknown alert"] += 1
            return f"no alert {alert} is remembered"
        self._labels[label.name.lower()] += 1
        before, past = changed
        self._excuse(past, before, record.timestamp)
        return f"alert {alert} about {past.who}: {before.name.lower()} until now, {label.name.lower()} from now on"

    def _excuse(self, past: Past, before: Label, now: int) -> None:
        """Let what was seen in an episode count as ordinary as its label says, after what the one before said."""
        instances = _INSTANCES[past.label] - _INSTANCES[before]
        if instances:
            for context in past.contexts:
                self._evidence.teach(context, instances, now)


class Tally(Pipeline):
    """The pipeline of a host that scores nothing itself: it counts the records and passes them on."""

    def assess(self, record: AnyRecord) -> Assessment:
        """Count one record."""
        self._records[type(record)] += 1
        self._latest = max(self._latest, record.timestamp)
        special = self._special.get(type(record))
        return Assessment(record, None, 0.0, answer=special(record) if special is not None else "")


PARTS = tuple(
    f"pyloader.{part}" for part in ("host", "evidence", "learners", "scorer", "alerts", "records", "pipeline")
)
"""The parts of the package whose objects make up what is known."""

_INSTANCES = {Label.NONE: 0.0, Label.BENIGN: 20.0, Label.MALICIOUS: 0.0}
"""How many ordinary instances of what was seen a label is worth."""


def _seed_of(header: Header) -> int:
    """Return a seed for all chance of a run, which a replay repeats."""
    return int.from_bytes(blake2b(header.boot_id.encode(), digest_size=8).digest())


def _by_name(counted: tuple[type[Record], int]) -> str:
    return event_name(counted[0])
