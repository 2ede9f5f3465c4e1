"""The stage that judges every record: the domains, joined."""

from pyloader.evidence.connection import ConnectionEvidence
from pyloader.evidence.covert import Covert
from pyloader.evidence.domain import Domain, Handler, PacketHandler
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.memory import MemoryEvidence
from pyloader.evidence.network import NetworkEvidence
from pyloader.evidence.process import ProcessEvidence
from pyloader.evidence.raw_sockets import RawSockets
from pyloader.evidence.staging import Staging
from pyloader.host import Host, Lineage, Process
from pyloader.records import AnyRecord, CgroupSeen, Record


class EvidenceStage:
    """All evidence of one stream of records. One instance per pipeline: it holds what lies between records.

    `realtime_offset` is the wall clock less the clock of the records (ns): what is learned outlives this boot.
    """

    def __init__(self, realtime_offset: int = 0) -> None:
        self._staging = Staging(realtime_offset)
        raw_sockets, covert = RawSockets(), Covert()
        connections = ConnectionEvidence(raw_sockets, covert, self._staging)
        processes = ProcessEvidence(self._staging)
        self._domains: tuple[Domain, ...] = (processes, MemoryEvidence(self._staging), connections)
        self._network = NetworkEvidence(raw_sockets, covert, self._staging)
        self._packets: dict[type[Record], PacketHandler] = {
            **self._network.handlers,
            CgroupSeen: processes.placed,
        }
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
        for item in found:
            if isinstance(item.entity, Process):
                self._staging.spoken(item.entity.lineage, item)
        return found

    def closed(self, lineage: Lineage, *, quiet: bool, now: int) -> None:
        """Let a lineage teach what it had staged, or drop it if its episode did not end quietly."""
        self._staging.closed(lineage, now, quiet=quiet)

    def freeze(self, until: int) -> None:
        """Let no baseline learn from anything that happened before a time (ns, clock of the records)."""
        self._staging.frozen_until = max(self._staging.frozen_until, until)

    def teach(self, context: tuple[str, ...], weight: float, now: int) -> None:
        """Add so many pseudo-instances to what weighed an item (`Evidence.context`); less than none takes them back."""
        self._staging.teach(context, weight, now)

    @property
    def staging(self) -> Staging:
        """What decides when a baseline learns."""
        return self._staging

    def learned(self) -> dict[str, object]:
        """Return by name what was learned and is to outlive a restart: it refers to no process and to no boot."""
        learned: dict[str, object] = {"excuses": self._staging.excuses, "trials": self._staging.trials}
        for domain in self._domains:
            learned |= domain.learned
        return learned

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table of every domain gave up for new ones."""
        counts = [domain.evicted for domain in self._domains] + [self._network.evicted, self._staging.evicted]
        return {table: count for one in counts for table, count in one.items()}


def _both(first: Handler, second: Handler) -> Handler:
    """Return a handler that asks two domains, in this order."""

    def assess(record: AnyRecord, process: Process, host: Host) -> tuple[Evidence, ...]:
        found = first(record, process, host)
        more = second(record, process, host)
        return found + more if more else found

    return assess
