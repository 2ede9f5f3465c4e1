"""Judge a stretched recording: the alerts a day, and the evidence behind them.

One pipeline sees all of it, as a sensor would that was installed on day 0. What counts are the days after the first
`learned` ones. An alert counts once, at the highest score that its subject reached while the alert was open.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyloader.alerts import Alert
from pyloader.alerts.alert import Subject
from pyloader.evidence import Evidence
from pyloader.host import Process
from pyloader.pipeline import Assessment, Pipeline
from pyloader.records.recording import RecordingReader
from tests.calibration.schedule import DAY
from tests.calibration.stretch import MONDAY, SECOND

LEVELS = (49, 62, 72)
WANTED = {49: 10.0, 62: 1.0, 72: 1 / 7}
"""Alerts a day that the scale promises: once in 10**(S/12.5) seconds."""

GAP = 600 * SECOND

_SHARES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)


@dataclass
class Raised:
    """An alert, and the highest score until its episode was over."""

    day: float
    score: float
    last: int
    alert: Alert


@dataclass
class Episode:
    """Evidence about one process or lineage without a pause of `GAP`."""

    day: int
    last: int
    groups: dict[int, list[float]] = field(default_factory=dict)
    codes: Counter[str] = field(default_factory=Counter)

    def nats(self) -> float:
        """Return the sum over groups: the strongest item of each, and a quarter of the weight for each weaker one."""
        return math.fsum(
            math.fsum(value * 0.25**rank for rank, value in enumerate(sorted(values, reverse=True)[:8]))
            for values in self.groups.values()
        )


@dataclass
class Verdicts:
    """What a replay came to."""

    raised: list[Raised] = field(default_factory=list)
    evidence: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Items by day and code."""
    examples: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Texts by code."""
    processes: list[Episode] = field(default_factory=list)
    lineages: list[Episode] = field(default_factory=list)
    records: Counter[int] = field(default_factory=Counter)

    def rate(self, level: float, first: int, last: int) -> float:
        """Return the alerts a day with at least this score, from day `first` on and before day `last`."""
        count = sum(one.score >= level and first <= one.day < last for one in self.raised)
        return count / max(1, last - first)


def judge(recording: Path) -> Verdicts:
    """Replay a recording."""
    reader = RecordingReader.open(recording)
    try:
        pipeline = Pipeline(reader.header, min_score=LEVELS[0])
        midnight = MONDAY - reader.header.realtime_offset
        verdicts = Verdicts()
        watch = _Watch(verdicts, midnight)
        for batch in reader.batches():
            for record in batch:
                verdicts.records[(record.timestamp - midnight) // (DAY * SECOND)] += 1
                assessment = pipeline.assess(record)
                if assessment.evidence or assessment.alerts:
                    watch.see(assessment)
    finally:
        reader.close()
    watch.end()
    return verdicts


class _Watch:
    """Follows alerts and episodes through a replay."""

    def __init__(self, verdicts: Verdicts, midnight: int) -> None:
        self._verdicts = verdicts
        self._midnight = midnight
        self._alerts: dict[str, Raised] = {}
        self._by_process: dict[str, Raised] = {}
        self._episodes: dict[tuple[str, str], Episode] = {}

    def see(self, assessment: Assessment) -> None:
        """Take in an assessment with evidence or alerts."""
        now = assessment.record.timestamp
        day = (now - self._midnight) / (DAY * SECOND)
        for alert in assessment.alerts:
            known = self._alerts.get(alert.id)
            if known is None:
                known = self._alerts[alert.id] = Raised(day, alert.score, now, alert)
                self._verdicts.raised.append(known)
            if alert.score >= known.score:
                known.score, known.alert = alert.score, alert
            known.last = now
            if isinstance(alert.subject, Subject):
                self._by_process[f"{alert.subject.pid:x}-{alert.subject.start:x}"] = known
        process = assessment.process
        if process is not None and (open_alert := self._by_process.get(process.label)) is not None:
            if now - open_alert.last <= GAP:
                open_alert.score = max(open_alert.score, assessment.score)
                open_alert.last = now
            else:
                del self._by_process[process.label]
        for item in assessment.evidence:
            self._item(item, now, int(day))

    def _item(self, item: Evidence, now: int, day: int) -> None:
        self._verdicts.evidence[day][item.code] += 1
        examples = self._verdicts.examples[item.code]
        if len(examples) < 4_000:
            examples[item.text] += 1
        self._add(("process", item.entity.label), item, now, day)
        self._add(("lineage", _lineage(item)), item, now, day)

    def _add(self, key: tuple[str, str], item: Evidence, now: int, day: int) -> None:
        episode = self._episodes.get(key)
        if episode is not None and now - episode.last > GAP:
            self._close(key[0], episode)
            episode = None
        if episode is None:
            episode = self._episodes[key] = Episode(day, now)
        episode.last = now
        episode.groups.setdefault(item.group, []).append(item.nats)
        episode.codes[item.code] += 1

    def end(self) -> None:
        """Close what is open."""
        for (kind, _), episode in self._episodes.items():
            self._close(kind, episode)

    def _close(self, kind: str, episode: Episode) -> None:
        (self._verdicts.processes if kind == "process" else self._verdicts.lineages).append(episode)


def _lineage(item: Evidence) -> str:
    """Return what tells those who belong together: a session in a control group, or a source."""
    entity = item.entity
    return f"{entity.session} {entity.cgroup}" if isinstance(entity, Process) else entity.label


def table(verdicts: Verdicts, learned: int, days: int) -> Iterator[str]:
    """Yield the lines of the table of rates."""
    first, second = f"days 0-{learned - 1} (learning)", f"days {learned}-{days - 1} (measured)"
    yield f"| score | wanted a day | {first} | {second} | times the wanted |"
    yield "|---|---|---|---|---|"
    for level in LEVELS:
        before, after = verdicts.rate(level, 0, learned), verdicts.rate(level, learned, days)
        yield f"| {level} | {WANTED[level]:.3g} | {before:.2f} | {after:.2f} | {after / WANTED[level]:.2f} |"


def report(verdicts: Verdicts, learned: int, days: int) -> Iterator[str]:
    """Yield a report in Markdown: rates, evidence by day and code, episodes, and every high alert."""
    yield "# Alerts"
    yield ""
    yield from table(verdicts, learned, days)
    yield ""
    yield "Alerts of at least 49, 62 and 72 by day:"
    yield ""
    for day in range(days):
        counts = [sum(one.score >= level and int(one.day) == day for one in verdicts.raised) for level in LEVELS]
        yield f"    day {day:2}: {verdicts.records[day]:7} records, {counts[0]:4} {counts[1]:4} {counts[2]:4}"
    yield ""
    yield "# Evidence by code: items, on how many days, items a day in the measured part, and the commonest texts"
    yield ""
    total: Counter[str] = Counter()
    for counts_of_day in verdicts.evidence.values():
        total.update(counts_of_day)
    for code, count in total.most_common():
        on = sum(1 for day in range(days) if verdicts.evidence[day][code])
        measured = sum(verdicts.evidence[day][code] for day in range(learned, days)) / max(1, days - learned)
        yield f"- `{code}`: {count}, on {on} days, {measured:.1f} a day"
        for text, times in verdicts.examples[code].most_common(3):
            yield f"    - {times} x {text[:200]}"
    yield ""
    yield "# Evidence by day and code"
    yield ""
    codes = [code for code, _ in total.most_common()]
    yield "| day | " + " | ".join(codes) + " |"
    yield "|---" * (len(codes) + 1) + "|"
    for day in range(days):
        yield f"| {day} | " + " | ".join(str(verdicts.evidence[day][code] or "") for code in codes) + " |"
    for name, episodes in (("process or source", verdicts.processes), ("lineage", verdicts.lineages)):
        yield ""
        yield f"# Episodes by {name}: strongest evidence in nats (no decay, gap of 600 s)"
        yield ""
        yield from _quantiles(episodes, learned, days)
    yield ""
    yield "# Every alert of 62 or more"
    yield ""
    for one in sorted(verdicts.raised, key=lambda one: one.day):
        if one.score >= 62:
            reasons = ", ".join(f"{reason.code} {reason.nats}" for reason in one.alert.evidence)
            yield f"- day {one.day:.3f} score {one.score:.1f} [{reasons}] {one.alert.summary[:300]}"


def _quantiles(episodes: list[Episode], learned: int, days: int) -> Iterator[str]:
    yield "| days | episodes | a day | 50 % | 80 % | 90 % | 95 % | 98 % | 99 % | 99.5 % | most |"
    yield "|---" * 11 + "|"
    for first, last in ((0, 1), (0, learned), (learned, days)):
        values = sorted(episode.nats() for episode in episodes if first <= episode.day < last)
        if not values:
            continue
        shown = [values[int(share * len(values))] for share in _SHARES]
        cells = [f"{value:.1f}" for value in [len(values) / max(1, last - first), *shown, values[-1]]]
        yield f"| {first}-{last - 1} | {len(values)} | {' | '.join(cells)} |"
    yield ""
    yield "Commonest sets of codes of episodes above 4 nats: " + "; ".join(
        f"{count} x {codes}"
        for codes, count in Counter(
            "+".join(sorted(episode.codes)) for episode in episodes if episode.nats() > 4
        ).most_common(25)
    )
