"""The counts of several workers as those of one sensor."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from pyloader.pipeline import Hook, Summary, WorkerSummary
from pyloader.records import Elsewhere, event_name
from pyloader.workers.messages import Report

_TOLD_TO_ALL = event_name(Elsewhere)


class Tally:
    """What one worker came to, and those before it in its place."""

    def __init__(self, worker: int) -> None:
        self.worker = worker
        self.restarts = 0
        self.gap = 0
        self._before: list[Report] = []
        self._now: Report | None = None

    def reported(self, report: Report) -> None:
        """Take in how the worker that runs stands."""
        self._now = report

    def replaced(self, gap: int) -> None:
        """Note that another begins in its place, which knows nothing of so many records."""
        self.restarts += 1
        self.gap += gap
        if self._now is not None:
            self._before = [_together([*self._before, self._now])]
            self._now = None

    @property
    def records(self) -> int:
        """How many records the worker that runs has assessed, by its last report."""
        return assessed(self._now.summary) if self._now is not None else 0

    def summaries(self) -> list[Summary]:
        """Return the summaries of all that worked in this place."""
        return [report.summary for report in self._reports()]

    def of_worker(self) -> WorkerSummary:
        """Return what is told of it by itself."""
        reports = self._reports()
        return WorkerSummary(
            worker=self.worker,
            records=sum(assessed(report.summary) for report in reports),
            lost=sum(sum(report.summary.lost.values()) for report in reports),
            restarts=self.restarts,
            gap=self.gap,
            untold=sum(report.untold for report in reports),
            untold_alerts=sum(report.untold_alerts for report in reports),
            unshared=sum(report.unshared for report in reports),
        )

    def _reports(self) -> list[Report]:
        return [*self._before, *([self._now] if self._now is not None else [])]


def assessed(summary: Summary) -> int:
    """Return how many records were assessed, which those of others are not."""
    return sum(summary.records.values()) - summary.records.get(_TOLD_TO_ALL, 0)


def joined(tallies: Iterable[Tally], posture: str) -> Summary:
    """Return the summary of a host: all counts added, and what each worker did."""
    tallies = list(tallies)
    summaries = [summary for tally in tallies for summary in tally.summaries()]
    whole = _added(summaries) if summaries else Summary({}, {}, 0, {}, [])
    records = {name: count for name, count in sorted(whole.records.items()) if name != _TOLD_TO_ALL}
    return msgspec.structs.replace(
        whole, records=records, posture=posture, workers=[tally.of_worker() for tally in tallies]
    )


def _together(reports: list[Report]) -> Report:
    return msgspec.structs.replace(
        reports[-1],
        summary=_added([report.summary for report in reports]),
        untold=sum(report.untold for report in reports),
        untold_alerts=sum(report.untold_alerts for report in reports),
        unshared=sum(report.unshared for report in reports),
        processes=[],
    )


def _added(summaries: list[Summary]) -> Summary:
    hooks: dict[tuple[str, str], Hook] = {}
    for summary in summaries:
        hooks |= {(hook.monitor, hook.hook): hook for hook in summary.hooks}
    return Summary(
        records=_sum(summary.records for summary in summaries),
        lost=_sum(summary.lost for summary in summaries),
        alerts=sum(summary.alerts for summary in summaries),
        evicted=_sum(summary.evicted for summary in summaries),
        hooks=list(hooks.values()),
        grouped=sum(summary.grouped for summary in summaries),
        baseline=max((summary.baseline for summary in summaries), key=lambda one: (one.days, one.episodes)),
        labels=_sum(summary.labels for summary in summaries),
        faults=_sum(summary.faults for summary in summaries),
    )


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))
