"""Several pipelines and what joins them, in one process and in step: what workers come to when none is behind."""

from collections.abc import Iterable

from pyloader.alerts import Alert
from pyloader.host import Focus
from pyloader.pipeline import Assessment, Pipeline
from pyloader.records import AnalystLabel, AnyRecord, Elsewhere
from pyloader.records.recording import Header
from pyloader.scorer import Change
from pyloader.scorer.sharing import Shared
from pyloader.workers.joint import Joint
from tests.lanes import shared_out

SECOND = 1_000_000_000


class Together:
    """As many pipelines as there are lanes. `changes` are those of the posture, `alerts` all that were raised."""

    def __init__(self, header: Header, lanes: int, *, min_score: float = 50.0) -> None:
        self.joint = Joint(header.realtime_offset, seed=1)
        self.changes: list[Change] = []
        self.alerts: list[Alert] = []
        self.focus = Focus()
        self._shared: list[list[Shared]] = [[] for _ in range(lanes)]
        self.parts = [Pipeline(header, min_score=min_score, share=shared.append) for shared in self._shared]
        self._next = 0

    def assess(self, records: Iterable[AnyRecord]) -> list[Assessment]:
        """Let each lane assess its records, all by time; return the assessments."""
        lanes = shared_out(records, len(self.parts))
        told = sorted(
            ((record.timestamp, at, number) for number, lane in enumerate(lanes) for at, record in enumerate(lane))
        )
        return [one for _, at, number in told if (one := self._one(number, lanes[number][at])) is not None]

    def say(self, number: int, label: AnalystLabel) -> str:
        """Let one pipeline take in a label, and return its answer."""
        assessment = self._one(number, label)
        assert assessment is not None
        return assessment.answer

    def _one(self, number: int, record: AnyRecord) -> Assessment | None:
        part = self.parts[number]
        assessment = part.assess(record)
        call = part.take_call()
        self._tell()
        if call is not None:
            self._changed(self.joint.rise(record.timestamp, call))
        self.alerts += assessment.alerts
        if record.timestamp >= self._next:
            self._next = record.timestamp + SECOND
            self._decide(record.timestamp)
        return None if isinstance(record, Elsewhere) else assessment

    def _tell(self) -> None:
        for number, shared in enumerate(self._shared):
            for one in shared:
                self.joint.learn(one)
                for other, part in enumerate(self.parts):
                    if other != number:
                        part.learn(one)
            shared.clear()

    def _decide(self, now: int) -> None:
        for part in self.parts:
            part.follow(now, self.joint.posture.level, self.focus)
        self._tell()
        overviews = {number: part.overview(now) for number, part in enumerate(self.parts)}
        decision = self.joint.decide(now, overviews, self.parts[0].host.processes.pids())
        self.focus = decision.focus
        self._changed(decision.change)
        for part in self.parts:
            part.follow(now, decision.level, decision.focus)

    def _changed(self, change: Change | None) -> None:
        if change is not None:
            self.changes.append(change)
