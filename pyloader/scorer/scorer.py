"""The score of a record, and where everyone stands.

Evidence enters the ledger of its entity and the case of its lineage. What an entity stands for is the larger of its own
ledger and of what its relatives did, attenuated, plus what the tactics of the lineage are worth together; how rare that
is on this host makes the score. The scorer knows no clock and no chance: it goes by the times of the records and by its
seed, so a replay repeats it.

In the words of those who asked for it: the levels of `posture` are the host's awareness, `attention` its focus, the
baselines and the `journal` its memory, and labels that come back are its feedback loop.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final, NamedTuple

import msgspec

from pyloader.evidence import Evidence, Group
from pyloader.evidence.catalogue import named
from pyloader.host import Activity, Entity, Process
from pyloader.host.focus import Focus
from pyloader.records import AnyRecord, EventLoss, ProcessFork, WorkerGap
from pyloader.scorer.attention import Attention, Suspect
from pyloader.scorer.calibration import Tail
from pyloader.scorer.case import ATTENUATION, case_of
from pyloader.scorer.episodes import Episode, Episodes
from pyloader.scorer.feedback import STEP_NATS, Lessons
from pyloader.scorer.journal import Journal, Label, Past
from pyloader.scorer.ledger import EMPTY, Counted, Ledger
from pyloader.scorer.losses import Losses
from pyloader.scorer.posture import ALERTING, OF_HOST, Change, Level, Posture, of_host, warranted
from pyloader.scorer.recognition import circumstance_of, scar_of
from pyloader.scorer.response import Responses
from pyloader.scorer.scale import CALM, score_of
from pyloader.scorer.sharing import Conclusion, Overview, Relabelled, Spoken
from pyloader.scorer.signature import Signature
from pyloader.scorer.standing import Outstanding
from pyloader.scorer.tactics import SIGN_NATS, Tactics

SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND

GENERATION_NS: Final = 60 * SECOND
"""How often units of the populations are born and die."""

TURN_NS: Final = SECOND
"""How often the scorer looks at the whole: closes episodes, lets the posture sink, and turns the attention."""

CONFIDENCE_AFTER_LOSS: Final = 0.5

_FADED: Final = 0.05
"""Evidence that is worth less, in nats, is no evidence."""


class Baseline(msgspec.Struct, frozen=True):
    """How much this host has taught: for how many days, in how many episodes, and whether its first day is not over."""

    days: float
    episodes: int
    learning: bool


class Verdict(NamedTuple):
    """An entity that new evidence speaks against, and where it stands now."""

    entity: Entity
    ledger: Ledger
    """Its own, or, if that weighs more, that of its lineage."""
    share: float
    """What of the ledger counts: 1, or `ATTENUATION` for that of the lineage."""
    own: float
    """The score that the entity has by its own ledger alone."""
    tactics: Tactics
    moved: float
    """By what labels have taught the sum was moved, in nats."""
    nats: float
    log_period: float
    score: float
    floor: int
    confidence: float
    lost: int
    """Records that were lost in the ten minutes before, among which may be what would change the verdict."""
    episode: Episode
    baseline: Baseline
    """How much the host has taught of what is ordinary."""

    def reasons(self, now: int) -> list[Counted]:
        """Return what the evidence consists of, the weightiest first; what it adds sums up to `nats`."""
        found = [
            Counted(evidence, nats, adds * self.share) if self.share < 1.0 else Counted(evidence, nats, adds)
            for evidence, nats, adds in self.ledger.counted(now)
        ]
        bonus = self.tactics.bonus(now)
        if bonus > 0.0:
            text = f"its lineage showed signs of {self.tactics.in_words()}"
            found.append(Counted(Evidence("tactics", Group.SEQUENCE, bonus, text, "", self.entity), bonus, bonus))
        if self.moved:
            weight = "more" if self.moved > 0 else "less"
            text = f"labels have taught that these kinds of evidence together weigh {weight}"
            taught = Evidence("labels", Group.SEQUENCE, self.moved, text, "", self.entity)
            found.append(Counted(taught, self.moved, self.moved))
        return found


class Turn(NamedTuple):
    """What came of a look at the whole: the episodes that closed, and a change of posture."""

    closed: list[Episode]
    change: Change | None


class Scorer:
    """Keeps what is held against everyone, and turns it into scores.

    A process starts with the ledger of its parent. Ledgers are kept on the entities themselves, and cases on their
    lineages, so that the tables of the host bound them. `realtime_offset` is the wall clock less the clock of the
    records (ns): what is learned is kept by the wall clock, since it outlives a boot.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"_offset", "is_part"})
    """What a new run is told anew (see `pyloader.state.classes`)."""

    def __init__(self, realtime_offset: int = 0, *, seed: int = 0, part: bool = False) -> None:
        self.is_part = part
        """It is one of several of this host: posture and attention are decided for all (`overview`, `follow`)."""
        self.called_for: tuple[float, bool] | None = None
        """As a part: the highest score, and whether an invariant broke, that call for another posture than is known."""
        self.share: Callable[[Conclusion | Relabelled], object] = _nobody
        """Is told what the other scorers of this host are to know."""
        self.tail = Tail()
        self.journal = Journal()
        self.lessons = Lessons()
        self.posture = Posture()
        self.responses = Responses(seed)
        self.attention = Attention(seed=seed)
        self.focus = Focus()
        """What is to be reported in full."""
        self.episodes = Episodes()
        self._outstanding = Outstanding()
        self.frozen_until = 0
        """No baseline learns from what happened before (ns, clock of the records)."""
        self.due = 0
        """When to look at the whole next (ns, clock of the records)."""
        self._offset = realtime_offset
        self._losses = Losses()
        self._last_turn: int | None = None
        self._looked_at: list[Episode] = []
        self._next_generation = 0

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {
            "open episodes": self.episodes.evicted,
            "past episodes": self.journal.evicted,
            "lessons": self.lessons.evicted,
            "episodes that waited for a label": self.tail.dropped,
            "focus": self.attention.evicted,
        } | self.responses.evicted

    def learned(self) -> dict[str, object]:
        """Return by name what was learned and is to outlive a restart: it refers to no process and to no boot."""
        return {
            "tail": self.tail,
            "journal": self.journal,
            "lessons": self.lessons,
            "responses": self.responses,
        }

    def baseline(self, now: int) -> Baseline:
        """Return how much this host has taught."""
        since = self.tail.since
        days = (now + self._offset - since) / DAY if since is not None else 0.0
        return Baseline(round(max(0.0, days), 2), len(self.tail), days < 1.0)

    def lost(self, record: EventLoss | WorkerGap) -> None:
        """Take in that records were lost: verdicts are less sure for a while, and no baseline learns."""
        self._losses.add(record)
        self.frozen_until = max(self.frozen_until, self._losses.blind_until)

    def score(self, record: AnyRecord, process: Process | None) -> float:
        """Return the score of a record, 0 to 100, as its process stands now."""
        if process is None:
            return CALM
        ledger = process.ledger
        if ledger is None and type(record) is ProcessFork and process.parent is not None:
            ledger = process.ledger = _inheritance(process.parent)
        return self._standing(ledger, record.timestamp) if isinstance(ledger, Ledger) else CALM

    def respond(
        self, record: AnyRecord, process: Process | None, items: tuple[Evidence, ...]
    ) -> tuple[tuple[Evidence, ...], Signature | None]:
        """Return the evidence of a record with what the populations say to it, and the signature that they heard.

        The record is one of the types in `HEARD`.
        """
        said = self.responses.hear(record, process, items)
        if said is None:
            return items, None
        about = process if process is not None else items[0].entity if items else None
        more = self.responses.evidence(said, about) if about is not None else None
        return (*items, more) if more is not None else items, said.signature

    def news(self, items: Iterable[Evidence], now: int) -> Iterator[Spoken]:
        """Yield what these items say against processes that was not said lately, before they are weighed."""
        by_process: dict[int, list[Evidence]] = {}
        for item in items:
            if isinstance(item.entity, Process) and _is_news(item, now):
                by_process.setdefault(id(item.entity), []).append(item)
        for found in by_process.values():
            if isinstance(found[0].entity, Process):
                yield Spoken.of(found[0].entity, found, now)

    def weigh(self, items: Iterable[Evidence], now: int, heard: Signature | None = None) -> list[Verdict]:
        """Enter new evidence into the ledgers of those it is about, and return where they stand.

        `heard` is the signature of the record that brought the evidence.
        """
        by_entity: dict[int, list[Evidence]] = {}
        for item in items:
            by_entity.setdefault(id(item.entity), []).append(item)
        lost = self._losses.within_memory(now)
        return [self._verdict(own, heard, now, lost) for own in by_entity.values()]

    def turn(self, now: int, processes: Sequence[int] = ()) -> Turn:
        """Look at the whole: close what is over, learn from it, and let posture and attention follow.

        `processes` are the ids of all that live, of which attention takes a look at some.
        """
        self.due = now + TURN_NS
        last = self._last_turn
        if last is None or now < last - _WENT_BACK:
            last = now
        self._last_turn = max(now, last)
        if self.posture.level >= Level.ELEVATED:
            self.frozen_until = max(self.frozen_until, now + TURN_NS)
        self.tail.watched(last + self._offset, now + self._offset)
        closed = self.episodes.over(now)
        for episode in closed:
            self._close(episode)
        if now >= self._next_generation:
            self._next_generation = now + GENERATION_NS
            self.responses.generation()
        if self.is_part:
            return Turn(closed, None)
        standing = self._standing_now(now)
        change = self._follow(standing, now)
        self._turn_attention(standing, now, processes)
        return Turn(closed, change)

    def overview(self, now: int) -> Overview:
        """Return how the lineages stand and who stands out: what a part tells whoever decides for all."""
        standing = self._standing_now(now)
        return Overview(
            nats=tuple(sorted((nats for nats in standing.values() if nats > 0.0), reverse=True)[:OF_HOST]),
            alerting=self._alerting(standing.values()),
            invariant=any(episode.floor for episode in standing),
            suspects=tuple(suspect for suspect, _ in self._suspects(standing, now).values()),
            loss=self._losses.blind_until > now,
        )

    def follow(self, now: int, level: Level, focus: Focus) -> None:
        """Take over what was decided for all scorers of this host."""
        self.posture.level = level
        self._look_at(focus, self._suspects(self._standing_now(now), now))

    def conclude(self, end: Conclusion) -> None:
        """Learn from an episode that has closed, here or at another scorer of this host."""
        past = end.past
        self.journal.add(past)
        if end.scar:
            self.journal.scar(past.scar, end.scar, past.time)
        self.responses.closed(past.signatures, invariant=end.invariant, quiet=end.quiet)
        end.teach(self.tail)

    def hold(self, spoken: Spoken, process: Process, later: Iterable[Process]) -> None:
        """Hold against a process, and against its lineage, what another scorer has heard; there it is judged.

        Of the processes that came `later`, its descendants have left it since, maybe into lineages of their own.
        """
        items = spoken.about(process)
        known = process.ledger if isinstance(process.ledger, Ledger) else EMPTY
        process.ledger = known.with_evidence(items, spoken.when)
        lineages = {process.lineage.label: process.lineage}
        for one in later:
            if one.start >= spoken.when and any(ancestor is process for ancestor in one.ancestors()):
                lineages[one.lineage.label] = one.lineage
        for lineage in lineages.values():
            lineage.case = case_of(lineage).with_evidence(items, spoken.when)

    def relabelled(self, said: Relabelled) -> None:
        """Learn from what an analyst said of an episode, or took back, here or at another scorer of this host."""
        past, label = said.past, said.past.label
        self.journal.add(past)
        if said.before is label:
            return
        direction = _DIRECTION[label] - _DIRECTION[said.before]
        circumstances = [(code, past.exe, past.parent_exe) for code in past.codes]
        self.lessons.teach(circumstances, direction * STEP_NATS, said.wall)
        self.responses.labelled(past)
        self.journal.heal(past.scar)
        if label is Label.MALICIOUS:
            self.journal.scar(past.scar, past.nats, said.wall)
        said.teach(self.tail)

    def crowded_out(self) -> list[Episode]:
        """Close the episodes for which there is no room any more, and return them."""
        crowded_out = self.episodes.crowded_out()
        for episode in crowded_out:
            self._close(episode)
        return crowded_out

    def rise(self, verdict: Verdict, now: int) -> Change | None:
        """Let the posture rise at once if a verdict calls for it."""
        invariant = bool(verdict.floor)
        if self.is_part:
            if warranted(verdict.score, invariant=invariant) > self.posture.level:
                score, broken = self.called_for or (0.0, False)
                self.called_for = max(score, verdict.score), broken or invariant
            return None
        return self.posture.rise(now, verdict.score, invariant=invariant)

    def alerted(self, verdict: Verdict, alert: str) -> None:
        """Note that a verdict was reported under this id, so that an analyst can answer to it."""
        alerts = verdict.episode.alerts
        if alert not in alerts and len(alerts) < _ALERTS:
            alerts.append(alert)

    def label(self, alert: str, label: Label, note: str, now: int) -> tuple[Label, Past] | None:
        """Take in what an analyst says of an alert; what was said of it before is taken back.

        Return the label before and the episode as it stands now, or `None` if no alert of this id is remembered.
        """
        past = self._past_of(alert)
        if past is None:
            return None
        before, past.label = past.label, label
        past.note = note
        said = Relabelled(past, before, now + self._offset)
        self.relabelled(said)
        self.share(said)
        return before, past

    @property
    def offset(self) -> int:
        """The wall clock less the clock of the records (ns)."""
        return self._offset

    def remembers(self, alert: str) -> bool:
        """Return whether `label` would find an alert."""
        return any(alert in episode.alerts for episode in self.episodes) or self.journal.of_alert(alert) is not None

    def _past_of(self, alert: str) -> Past | None:
        for episode in self.episodes:
            if alert in episode.alerts:
                past = self._entry(episode)
                self.journal.add(past)
                return past
        return self.journal.of_alert(alert)

    def _standing(self, ledger: Ledger, now: int) -> float:
        """Return the score of who has only this ledger."""
        nats = ledger.nats(now)
        if nats < _FADED:
            return max(CALM, float(ledger.floor))
        return max(score_of(self.tail.log_period(nats)), float(ledger.floor))

    def _verdict(self, items: Sequence[Evidence], heard: Signature | None, now: int, lost: int) -> Verdict:
        entity, wall = items[0].entity, now + self._offset
        lineage = entity.lineage
        items = self._as_taught(items, wall)
        items = [*items, *self._remembered(entity, items, wall)]
        known = entity.ledger if isinstance(entity.ledger, Ledger) else EMPTY
        entity.ledger = ledger = known.with_evidence(items, now)
        lineage.case = case = case_of(lineage).with_evidence(items, now)
        floor = ledger.floor
        nats, of_relatives, share = ledger.nats(now), ATTENUATION * case.ledger.nats(now), 1.0
        own = score_of(self.tail.log_period(nats))
        if of_relatives > nats:
            ledger, nats, share = case.ledger, of_relatives, ATTENUATION
        episode = self._enter(entity, items, heard, now)
        moved = self.responses.moved(episode.codes, nats)
        nats += case.tactics.bonus(now) + moved
        log_period = self.tail.log_period(nats)
        score = max(score_of(log_period), float(floor))
        episode.weighed(entity, nats, score, floor)
        self._outstanding.weighed(episode, nats, now)
        return Verdict(
            entity=entity,
            ledger=ledger,
            share=share,
            own=own,
            tactics=case.tactics,
            moved=moved,
            nats=nats,
            log_period=log_period,
            score=score,
            floor=floor,
            confidence=CONFIDENCE_AFTER_LOSS if lost else 1.0,
            lost=lost,
            episode=episode,
            baseline=self.baseline(now),
        )

    def _as_taught(self, items: Sequence[Evidence], wall: int) -> Sequence[Evidence]:
        """Return the items with the weights that analysts gave them; those of an invariant keep their own."""
        if not self.lessons:
            return items
        taught = []
        for item in items:
            more = 0.0 if item.floor else self.lessons.of(circumstance_of(item), wall)
            taught.append(msgspec.structs.replace(item, nats=max(0.0, item.nats + more)) if more else item)
        return taught

    def _remembered(self, entity: Entity, items: Sequence[Evidence], wall: int) -> Iterator[Evidence]:
        """Yield what the past says: of somebody who attacked before, and of evidence that comes in this order."""
        episode = self.episodes.get(entity.lineage)
        if episode is None:
            nats = self._mistrust(entity, wall)
            if nats > _FADED:
                yield Evidence(
                    "scar", Group.SEQUENCE, nats, f"{named(entity)} was found in an attack before", "", entity
                )
            return
        new = [item.code for item in items if item.code not in episode.codes]
        if new:
            said = self.responses.evidence(self.responses.hear_lineage([*episode.codes, *new]), entity)
            if said is not None:
                yield said

    def _mistrust(self, entity: Entity, wall: int) -> float:
        return self.journal.mistrust(scar_of(entity), wall)

    def _enter(self, entity: Entity, items: Sequence[Evidence], heard: Signature | None, now: int) -> Episode:
        """Enter evidence into the episode of its lineage."""
        episode = self.episodes.touch(entity, now)
        if not episode.codes:
            episode.mistrust = self._mistrust(entity, now + self._offset)
        for item in items:
            if len(episode.codes) < _CODES:
                episode.codes[item.code] = None
            if item.context and len(episode.contexts) < _CODES:
                episode.contexts[item.context] = None
        if heard is not None and len(episode.signatures) < _SIGNATURES:
            episode.signatures[heard] = None
        return episode

    def _close(self, episode: Episode) -> None:
        """Enter an episode into the journal, and learn from it how strong ordinary ones are.

        The tail learns in any posture and beside losses, unlike the baselines: a host that cries wolf would else never
        learn not to, and an episode of which something was lost was at least as strong. What raised an alert it learns
        a day later. An episode for which there was no room teaches nothing: it may not have been over.
        """
        self._outstanding.closed(episode)
        past = self._entry(episode)
        suspect = episode.score >= ALERTING and past.label is not Label.BENIGN
        unmarked = episode.nats - episode.mistrust
        leaves_scar = suspect and isinstance(episode.worst, Activity) and unmarked >= SIGN_NATS
        malicious = past.label is Label.MALICIOUS
        episode.quiet = not (suspect or episode.crowded_out or episode.floor or malicious)
        end = Conclusion(
            past=past,
            nats=episode.nats,
            scar=unmarked if leaves_scar else 0.0,
            suspect=suspect,
            invariant=bool(episode.floor),
            quiet=episode.quiet,
            teaches=not (episode.floor or episode.crowded_out or malicious),
        )
        self.conclude(end)
        self.share(end)

    def _entry(self, episode: Episode) -> Past:
        name = f"{episode.lineage.label}-{episode.began:x}"
        before = self.journal.named(name)
        return Past(
            name=name,
            who=str(episode.worst),
            time=episode.began + self._offset,
            score=episode.score,
            nats=round(episode.nats, 4),
            codes=tuple(episode.codes),
            contexts=tuple(episode.contexts),
            signatures=tuple(episode.signatures),
            alerts=tuple(episode.alerts),
            exe=episode.exe,
            parent_exe=episode.parent_exe,
            scar=scar_of(episode.worst),
            label=before.label if before is not None else Label.NONE,
            note=before.note if before is not None else "",
        )

    def _turn_attention(self, standing: Mapping[Episode, float], now: int, processes: Sequence[int]) -> None:
        """Choose whom to look at, of those who stand out and those who were looked at until now."""
        suspects = self._suspects(standing, now)
        focus = self.attention.choose(
            now,
            [suspect for suspect, _ in suspects.values()],
            processes,
            posture=self.posture.level,
            loss=self._losses.blind_until > now,
        )
        self._look_at(focus, suspects)

    def _standing_now(self, now: int) -> dict[Episode, float]:
        """Return the episodes that stand out, and what is left of each, in nats."""
        return {episode: _nats_of(episode, now) for episode in self._outstanding}

    def _suspects(self, standing: Mapping[Episode, float], now: int) -> dict[int | bytes, tuple[Suspect, Episode]]:
        """Return who stands out, and who was looked at until now."""
        looked_at = {episode: _nats_of(episode, now) for episode in self._looked_at if episode not in standing}
        suspects: dict[int | bytes, tuple[Suspect, Episode]] = {}
        for episode, nats in (*standing.items(), *looked_at.items()):
            key = _key_of(episode.worst)
            if key is not None and self.episodes.get(episode.lineage) is episode:
                suspects[key] = Suspect(key, nats, episode.lineage.label), episode
        return suspects

    def _look_at(self, focus: Focus, suspects: dict[int | bytes, tuple[Suspect, Episode]]) -> None:
        self.focus = focus
        chosen = {*focus.processes, *focus.sources}
        self._looked_at = [episode for key, (_, episode) in suspects.items() if key in chosen]

    def _follow(self, standing: Mapping[Episode, float], now: int) -> Change | None:
        """Let the posture follow how the lineages stand."""
        host = of_host(standing.values())
        score = score_of(self.tail.log_period(host)) if host > _FADED else 0.0
        alerting = self._alerting(standing.values())
        invariant = any(episode.floor for episode in standing)
        return self.posture.update(now, score, alerting=alerting, invariant=invariant)

    def _alerting(self, standing: Iterable[float]) -> int:
        """Return how many of those who stand like this alert."""
        return sum(score_of(self.tail.log_period(nats)) >= ALERTING for nats in standing if nats > 1.0)


_CODES: Final = 64
"""So many codes and contexts are kept of an episode."""

_NEWS: Final = 0.9
"""Evidence that has kept such a share of its weight since it came last is no news: for a minute and a half."""

_ALERTS: Final = 64
_SIGNATURES: Final = 4

_WENT_BACK: Final = 60 * SECOND
"""A clock of the records that goes back by more begins to count anew."""

_DIRECTION: Final = {Label.NONE: 0, Label.BENIGN: -1, Label.MALICIOUS: 1}


def _nobody(_: Conclusion | Relabelled) -> None:
    """Share nothing: this scorer is the only one of its host."""


def _inheritance(parent: Process) -> Ledger | None:
    return parent.ledger.inherited() if isinstance(parent.ledger, Ledger) else None


def _is_news(item: Evidence, now: int) -> bool:
    ledger = item.entity.ledger
    known = ledger.entries.get(item.code) if isinstance(ledger, Ledger) else None
    return known is None or known.nats(now) < _NEWS * item.nats


def _key_of(entity: Entity) -> int | bytes | None:
    """Return by what the kernel knows somebody: the id of a process, the address of a source."""
    if isinstance(entity, Process):
        return entity.pid if entity.alive else None
    if isinstance(entity, Activity) and entity.source is not None:
        return entity.source.address
    return None


def _nats_of(episode: Episode, now: int) -> float:
    """Return what is left now of the strongest evidence of an episode, in nats."""
    ledger = episode.worst.ledger
    own = ledger.nats(now) if isinstance(ledger, Ledger) else 0.0
    case = case_of(episode.lineage)
    return max(own, ATTENUATION * case.ledger.nats(now)) + case.tactics.bonus(now)
