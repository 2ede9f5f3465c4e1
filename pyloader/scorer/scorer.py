"""The score of a record."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from pyloader.evidence import Evidence
from pyloader.host import Entity, Process
from pyloader.records import AnyRecord, EventLoss, ProcessFork
from pyloader.scorer.ledger import EMPTY, Ledger
from pyloader.scorer.scale import CALM, score

LOSS_MEMORY_NS = 600 * 1_000_000_000
"""How long a loss lowers the confidence: as long as evidence halves."""

CONFIDENCE_AFTER_LOSS = 0.5

_LOSSES = 1_024
"""So many losses are remembered; a host that loses more within ten minutes has lost count, not confidence."""


class Verdict(NamedTuple):
    """An entity that new evidence speaks against, and where it stands now."""

    entity: Entity
    ledger: Ledger
    score: float
    confidence: float
    lost: int
    """Records that were lost in the ten minutes before, among which may be what would change the verdict."""


class Scorer:
    """Keeps the ledgers and turns them into scores. Time is that of the records; nothing else is read.

    A process starts with the ledger of its parent. Ledgers are kept on the entities themselves, so that the tables of
    the host bound them.
    """

    def __init__(self) -> None:
        self._losses: deque[EventLoss] = deque(maxlen=_LOSSES)

    def score(self, record: AnyRecord, process: Process | None) -> float:
        """Return the score of a record, 0 to 100, as its process stands now."""
        if type(record) is EventLoss:
            self._losses.append(record)
        if process is None:
            return CALM
        ledger = process.ledger
        if ledger is None and type(record) is ProcessFork and process.parent is not None:
            ledger = process.ledger = _inheritance(process.parent)
        return _score(ledger, record.timestamp) if isinstance(ledger, Ledger) else CALM

    def weigh(self, items: Iterable[Evidence], now: int) -> list[Verdict]:
        """Enter new evidence into the ledgers of those it is about, and return where they stand."""
        by_entity: dict[int, list[Evidence]] = {}
        for item in items:
            by_entity.setdefault(id(item.entity), []).append(item)
        lost = sum(loss.count for loss in self._losses if now - loss.timestamp < LOSS_MEMORY_NS)
        confidence = CONFIDENCE_AFTER_LOSS if lost else 1.0
        verdicts = []
        for own in by_entity.values():
            entity = own[0].entity
            known = entity.ledger if isinstance(entity.ledger, Ledger) else EMPTY
            entity.ledger = ledger = known.with_evidence(own, now)
            verdicts.append(Verdict(entity, ledger, _score(ledger, now), confidence, lost))
        return verdicts


def _inheritance(parent: Process) -> Ledger | None:
    return parent.ledger.inherited() if isinstance(parent.ledger, Ledger) else None


def _score(ledger: Ledger, now: int) -> float:
    return max(score(ledger.nats(now)), float(ledger.floor))
