"""The stage that judges every record: the domains, joined."""

from typing import Final

from pyloader.evidence.catalogue import CODE_THEN_CHILD
from pyloader.evidence.connection import ConnectionEvidence
from pyloader.evidence.covert import Covert
from pyloader.evidence.domain import Domain, Handler, PacketHandler
from pyloader.evidence.item import NOTHING, Evidence, Group
from pyloader.evidence.memory import MemoryEvidence
from pyloader.evidence.network import NetworkEvidence
from pyloader.evidence.process import ProcessEvidence
from pyloader.evidence.raw_sockets import RawSockets
from pyloader.evidence.traits import Trait
from pyloader.host import Host, Lineage, Process
from pyloader.records import AnyRecord, Record

ACCUSING_NATS: Final = 3.1
"""What is rarer than the daily work of administrators and programs (see `catalogue`) accuses a lineage."""


class EvidenceStage:
    """All evidence of one stream of records. One instance per pipeline: it holds what lies between records.

    `realtime_offset` is the wall clock less the clock of the records (ns): what is learned outlives this boot.
    """

    def __init__(self, realtime_offset: int = 0) -> None:
        self._realtime_offset = realtime_offset
        raw_sockets, covert = RawSockets(), Covert()
        connections = ConnectionEvidence(raw_sockets, covert)
        self._domains: tuple[Domain, ...] = (ProcessEvidence(), MemoryEvidence(), connections)
        self._network = NetworkEvidence(raw_sockets, covert)
        self._packets: dict[type[Record], PacketHandler] = self._network.handlers
        self._assess: dict[type[Record], Handler] = {}
        for domain in self._domains:
            for kind, handler in domain.handlers.items():
                before = self._assess.get(kind)
                self._assess[kind] = handler if before is None else _both(before, handler)

    def assess(self, record: AnyRecord, process: Process | None, host: Host) -> tuple[Evidence, ...]:
        """Return the evidence of a record; `process` is the one it is about, if any, as the record has left it."""
        if process is None:
            judge = self._packets.get(type(record))
            return judge(record, host) if judge is not None else NOTHING
        assess = self._assess.get(type(record))
        if assess is None:
            return NOTHING
        found = assess(record, process, host)
        if found:
            _accuse(found)
        return found

    def closed(self, lineage: Lineage, *, quiet: bool, now: int) -> None:
        """Let a lineage teach what it had staged, or drop it if its episode did not end quietly."""

    def freeze(self, until: int) -> None:
        """Let no baseline learn from anything that happened before a time (ns, clock of the records)."""

    def teach(self, context: tuple[str, ...], weight: float, now: int) -> None:
        """Add so many pseudo-instances to what weighed an item (`Evidence.context`); less than none takes them back."""

    def learned(self) -> dict[str, object]:
        """Return by name what was learned and is to outlive a restart: it refers to no process and to no boot."""
        return {}

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table of every domain gave up for new ones."""
        counts = [domain.evicted for domain in self._domains] + [self._network.evicted]
        return {table: count for one in counts for table, count in one.items()}


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
        entity = item.entity
        if isinstance(entity, Process) and (
            (item.group is Group.SEQUENCE and item.code != CODE_THEN_CHILD.code)
            or (item.nats >= ACCUSING_NATS and item.group is not Group.MEMORY)
        ):
            entity.traits |= Trait.ACCUSED
