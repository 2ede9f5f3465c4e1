"""When an alert is raised.

A process, or another entity, gets one alert per episode, which ends when there was no evidence against it for ten
minutes. Within an episode more evidence updates the alert silently; it is shown again only when it becomes more
severe. What is led by the same evidence as an open alert about the same lineage is not shown either, unless it is more
severe: a hundred children of one mistake are one thing to look at. `grouped` counts who was hidden so, each once in an
episode; somebody hidden is shown when other evidence leads.
"""

import math
from datetime import UTC, datetime
from typing import ClassVar

from pyloader.alerts.alert import MEDIUM_FROM, Alert, Reason, Severity, severity_of
from pyloader.alerts.subject import subject_of
from pyloader.evidence import Group
from pyloader.host import Entity, Process
from pyloader.scorer import Counted, Journal, Verdict, in_words
from pyloader.scorer.scale import score_of
from pyloader.scorer.tactics import SIGN_NATS

EPISODE_GAP_NS = 600 * 1_000_000_000

_SEVERITIES = list(Severity)

_DOMAINS = {Group.MEMORY: "memory", Group.INBOUND: "network", Group.OUTBOUND: "connection"}
"""The domain of an alert about a process by the group of its strongest evidence; the other groups are its own."""


_HIDDEN = -1
"""In place of the number of the update: the alert was never shown."""


class _Episode:
    __slots__ = ("id", "last", "severity", "updates")

    def __init__(self, identifier: str, severity: Severity, now: int) -> None:
        self.id = identifier
        self.severity = severity
        self.last = now
        self.updates = _HIDDEN
        """How often the alert was shown again."""


class _Theme:
    """What alerts about one lineage are led by: how severe the worst was, and when one was last called for (ns)."""

    __slots__ = ("last", "severity")

    def __init__(self, severity: Severity, now: int) -> None:
        self.severity = severity
        self.last = now


class AlertPolicy:
    """Turns verdicts into alerts.

    Alerts are compared with what is in the `journal`. `threshold` is the lowest score that is reported. `boot_id` and
    `realtime_offset` come from the header of the run: they make identifiers and dates that a replay repeats. At most
    `capacity` episodes are open; the oldest ends early.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"threshold", "_boot_id", "_realtime_offset"})
    """What a new run is told anew (see `pyloader.state.classes`)."""

    def __init__(
        self,
        journal: Journal,
        *,
        boot_id: str,
        realtime_offset: int,
        threshold: float = MEDIUM_FROM,
        capacity: int = 2_048,
    ) -> None:
        self.threshold = threshold
        self.capacity = capacity
        self.evicted = {"alerts": 0, "alert themes": 0}
        self.grouped = 0
        self._journal = journal
        self._boot_id = boot_id
        self._realtime_offset = realtime_offset
        self._episodes: dict[str, _Episode] = {}
        self._themes: dict[tuple[str, str], _Theme] = {}

    def consider(self, verdict: Verdict, now: int) -> Alert | None:
        """Return the alert that a verdict calls for, if it calls for one."""
        key = verdict.entity.label
        episode = self._episodes.get(key)
        if episode is not None and now - episode.last > EPISODE_GAP_NS:
            del self._episodes[key]
            episode = None
        if episode is not None:
            episode.last = now
        if verdict.score < self.threshold:
            return None
        severity = severity_of(verdict.score)
        if episode is not None and episode.updates != _HIDDEN and _rank(severity) <= _rank(episode.severity):
            return None
        reasons = verdict.reasons(now)
        known = self._is_known(verdict, reasons, severity, now)
        if episode is None:
            episode = self._open(key, severity, now)
            self.grouped += known
        if episode.updates == _HIDDEN and known:
            return None
        episode.severity = severity
        episode.updates += 1
        return self._alert(episode, verdict, reasons, now)

    def _is_known(self, verdict: Verdict, reasons: list[Counted], severity: Severity, now: int) -> bool:
        """Return whether an alert about this lineage, led by the same evidence and as severe, is open.

        Who is called for by the evidence about its relatives alone says nothing that any alert about them does not.
        """
        lineage = verdict.entity.lineage.label
        if verdict.share < 1.0 and verdict.own < self.threshold:
            return self._is_open((lineage, _ANY), severity, now)
        known = self._is_open((lineage, _leading(verdict.entity, reasons)), severity, now)
        if not known:
            self._is_open((lineage, _ANY), severity, now)
        return known

    def _is_open(self, key: tuple[str, str], severity: Severity, now: int) -> bool:
        """Return whether there is an alert of this theme that is as severe; from now on there is."""
        theme = self._themes.get(key)
        if theme is not None and now - theme.last <= EPISODE_GAP_NS:
            theme.last = now
            if _rank(severity) <= _rank(theme.severity):
                return True
            theme.severity = severity
            return False
        self._themes.pop(key, None)
        if len(self._themes) >= self.capacity:
            del self._themes[next(iter(self._themes))]
            self.evicted["alert themes"] += 1
        self._themes[key] = _Theme(severity, now)
        return False

    def _open(self, key: str, severity: Severity, now: int) -> _Episode:
        if len(self._episodes) >= self.capacity:
            del self._episodes[next(iter(self._episodes))]
            self.evicted["alerts"] += 1
        # Unique across hosts and boots, and the same in every replay.
        episode = _Episode(f"{self._boot_id[:8]}-{key}-{now:x}", severity, now)
        self._episodes[key] = episode
        return episode

    def _alert(self, episode: _Episode, verdict: Verdict, reasons: list[Counted], now: int) -> Alert:
        period = math.exp(min(verdict.log_period, _LONGEST_LOG_PERIOD))
        return Alert(
            id=episode.id,
            timestamp=now,
            time=rfc3339(now + self._realtime_offset),
            score=verdict.score,
            severity=episode.severity,
            domain=_domain(verdict.entity, reasons),
            summary="; ".join([one.evidence.text for one in reasons[:3]] + _doubts(verdict)),
            subject=subject_of(verdict.entity),
            evidence=[
                Reason(one.evidence.code, round(one.nats, 2), one.evidence.text, round(one.adds, 2)) for one in reasons
            ],
            techniques=sorted({one.evidence.technique for one in reasons if one.evidence.technique}),
            confidence=verdict.confidence,
            period=round(period, 1),
            rarity=_NEVER if verdict.floor > score_of(verdict.log_period) else in_words(period),
            baseline=verdict.baseline,
            similar=self._journal.similar(verdict.episode.codes),
            update=episode.updates,
        )


def _leading(entity: Entity, reasons: list[Counted]) -> str:
    """Return the code that an alert is about: the strongest sign of the entity's own doing, else of its relatives'."""
    own = (one for one in reasons if one.evidence.entity is entity and one.nats >= SIGN_NATS)
    leader = next(own, reasons[0] if reasons else None)
    return leader.evidence.code if leader is not None else ""


_ANY = ""
"""The theme of all alerts about a lineage."""

_LONGEST_LOG_PERIOD = math.log(1e12)
"""Nobody can claim to know what is rarer than once in thirty thousand years."""

_NEVER = "never in ordinary work: it breaks an invariant"
"""How rare it is what has a floor, if that is higher than what this host has taught."""


def _rank(severity: Severity) -> int:
    return _SEVERITIES.index(severity)


def _domain(entity: Entity, reasons: list[Counted]) -> str:
    if not isinstance(entity, Process):
        return "network"
    return _DOMAINS.get(reasons[0].evidence.group, "process") if reasons else "process"


def _doubts(verdict: Verdict) -> list[str]:
    """Return what lowers the confidence, in words."""
    return [f"{verdict.lost} records were lost in the ten minutes before"] if verdict.lost else []


def rfc3339(nanoseconds: int) -> str:
    """Return a time since 1970 as a date in UTC, to the microsecond."""
    date = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    return f"{date:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1_000 % 1_000_000:06d}Z"
