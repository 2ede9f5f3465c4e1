"""The stage that judges every record: the domains, joined."""

from typing import Final

from pyloader.evidence.domain import Domain, Handler
from pyloader.evidence.item import NOTHING, Evidence, Group
from pyloader.evidence.memory import MemoryEvidence
from pyloader.evidence.process import ProcessEvidence
from pyloader.evidence.traits import Trait
from pyloader.host import Host, Process
from pyloader.records import AnyRecord, Record

ACCUSING_NATS: Final = 3.1
"""What is rarer than the daily work of administrators and programs (see `catalogue`) accuses a lineage."""


class EvidenceStage:
    """All evidence of one stream of records. One instance per pipeline: it holds what lies between records."""

    def __init__(self) -> None:
        self._domains: tuple[Domain, ...] = (ProcessEvidence(), MemoryEvidence())
        self._assess: dict[type[Record], Handler] = {}
        for domain in self._domains:
            for kind, handler in domain.handlers.items():
                before = self._assess.get(kind)
                self._assess[kind] = handler if before is None else _both(before, handler)

    def assess(self, record: AnyRecord, process: Process, host: Host) -> tuple[Evidence, ...]:
        """Return the evidence of a record; `process` is the one it is about, as the record has left it."""
        assess = self._assess.get(type(record))
        if assess is None:
            return NOTHING
        found = assess(record, process, host)
        if found:
            _accuse(found)
        return found

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table of every domain gave up for new ones."""
        return {table: count for domain in self._domains for table, count in domain.evicted.items()}


def _both(first: Handler, second: Handler) -> Handler:
    """Return a handler that asks two domains, in this order."""

    def assess(record: AnyRecord, process: Process, host: Host) -> tuple[Evidence, ...]:
        found = first(record, process, host)
        more = second(record, process, host)
        return found + more if more else found

    return assess


def _accuse(found: tuple[Evidence, ...]) -> None:
    """Note on processes that more than their memory speaks against them, so that they teach no baseline."""
    for item in found:
        if item.group is Group.SEQUENCE or (item.nats >= ACCUSING_NATS and item.group is not Group.MEMORY):
            item.process.traits |= Trait.ACCUSED
