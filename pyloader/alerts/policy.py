"""When an alert is raised.

A process, or another entity, gets one alert per episode, which ends when there was no evidence against it for ten
minutes. Within an episode more evidence updates the alert silently; it is shown again only when it becomes more
severe.
"""

from datetime import UTC, datetime

from pyloader.alerts.alert import MEDIUM_FROM, Alert, Reason, Severity, severity_of
from pyloader.alerts.subject import subject_of
from pyloader.evidence import Group
from pyloader.host import Entity, Process
from pyloader.scorer import Verdict
from pyloader.scorer.ledger import Entry

EPISODE_GAP_NS = 600 * 1_000_000_000

_SEVERITIES = list(Severity)

_DOMAINS = {Group.MEMORY: "memory", Group.INBOUND: "network", Group.OUTBOUND: "connection"}
"""The domain of an alert about a process by the group of its strongest evidence; the other groups are its own."""


class _Episode:
    __slots__ = ("id", "last", "severity", "updates")

    def __init__(self, identifier: str, severity: Severity, now: int) -> None:
        self.id = identifier
        self.severity = severity
        self.last = now
        self.updates = 0


class AlertPolicy:
    """Turns verdicts into alerts.

    `threshold` is the lowest score that is reported. `boot_id` and `realtime_offset` come from the header of the run:
    they make identifiers and dates that a replay repeats. At most `capacity` episodes are open; the oldest ends early.
    """

    def __init__(
        self, *, boot_id: str, realtime_offset: int, threshold: float = MEDIUM_FROM, capacity: int = 4_096
    ) -> None:
        self.threshold = threshold
        self.capacity = capacity
        self.evicted = 0
        self._boot_id = boot_id
        self._realtime_offset = realtime_offset
        self._episodes: dict[str, _Episode] = {}

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
        if episode is None:
            episode = self._open(key, severity, now)
        elif _SEVERITIES.index(severity) > _SEVERITIES.index(episode.severity):
            episode.severity = severity
            episode.updates += 1
        else:
            return None
        return self._alert(episode, verdict, now)

    def _open(self, key: str, severity: Severity, now: int) -> _Episode:
        if len(self._episodes) >= self.capacity:
            del self._episodes[next(iter(self._episodes))]
            self.evicted += 1
        # Unique across hosts and boots, and the same in every replay.
        episode = _Episode(f"{self._boot_id[:8]}-{key}-{now:x}", severity, now)
        self._episodes[key] = episode
        return episode

    def _alert(self, episode: _Episode, verdict: Verdict, now: int) -> Alert:
        ranked = verdict.ledger.ranked(now)
        return Alert(
            id=episode.id,
            timestamp=now,
            time=rfc3339(now + self._realtime_offset),
            score=verdict.score,
            severity=episode.severity,
            domain=_domain(verdict.entity, ranked),
            summary="; ".join([entry.evidence.text for entry, _ in ranked[:3]] + _doubts(verdict)),
            subject=subject_of(verdict.entity),
            evidence=[Reason(entry.evidence.code, round(nats, 2), entry.evidence.text) for entry, nats in ranked],
            techniques=sorted({entry.evidence.technique for entry, _ in ranked if entry.evidence.technique}),
            confidence=verdict.confidence,
            update=episode.updates,
        )


def _domain(entity: Entity, ranked: list[tuple[Entry, float]]) -> str:
    if not isinstance(entity, Process):
        return "network"
    return _DOMAINS.get(ranked[0][0].evidence.group, "process") if ranked else "process"


def _doubts(verdict: Verdict) -> list[str]:
    """Return what lowers the confidence, in words."""
    return [f"{verdict.lost} records were lost in the ten minutes before"] if verdict.lost else []


def rfc3339(nanoseconds: int) -> str:
    """Return a time since 1970 as a date in UTC, to the microsecond."""
    date = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    return f"{date:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1_000 % 1_000_000:06d}Z"
