"""The evidence of connections."""

from typing import Final

from pyloader.evidence.after_scan import AfterScan
from pyloader.evidence.beacons import Beacons
from pyloader.evidence.covert import Covert
from pyloader.evidence.destinations import Destinations
from pyloader.evidence.domain import Handler
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.outbound_scans import OutboundScans
from pyloader.evidence.raw_sockets import RawSockets
from pyloader.evidence.staging import Staging
from pyloader.host import Host, Process
from pyloader.records import (
    ConnectionClosed,
    ConnectionOpened,
    DatagramSent,
    Direction,
    ProcessExec,
    ProcessExit,
    Record,
    SocketCreated,
    SocketListening,
)

_OUTBOUND: Final = int(Direction.OUTBOUND)


class ConnectionEvidence:
    """Turns records of connections into evidence about their processes."""

    def __init__(self, raw_sockets: RawSockets, covert: Covert, staging: Staging) -> None:
        self._raw_sockets = raw_sockets
        self._covert = covert
        self._scans = OutboundScans(staging)
        self._beacons = Beacons()
        self._destinations = Destinations(staging)
        self._after_scan = AfterScan()
        self.handlers: dict[type[Record], Handler] = {
            ConnectionOpened: self._opened,
            ConnectionClosed: self._closed,
            SocketListening: self._listening,
            DatagramSent: self._sent,
            SocketCreated: self._created,
            ProcessExec: self._after_scan.executed,
            ProcessExit: self._scans.ended,
        }

    @property
    def learned(self) -> dict[str, object]:
        """What was learned, by name."""
        return {"destinations": self._destinations.contexts, "failures": self._scans.usual}

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {
            "trails": self._scans.evicted,
            "failures": self._scans.usual.evicted,
            "rhythms": self._beacons.evicted,
            "destinations": self._destinations.evicted,
            "let_in": self._after_scan.evicted,
        }

    def _opened(self, record: ConnectionOpened, process: Process, host: Host) -> tuple[Evidence, ...]:
        if record.direction != _OUTBOUND:
            return self._after_scan.opened(record, process, host) + self._destinations.opened(record, process)
        found = self._scans.opened(record, process)
        beacon = self._beacons.opened(record, process, self._destinations.novelty)
        found += beacon + self._destinations.opened(record, process, accused=bool(found or beacon))
        if beacon:
            self._destinations.disown(record, process)
        return found

    def _closed(self, record: ConnectionClosed, process: Process, _host: Host) -> tuple[Evidence, ...]:
        if record.direction == _OUTBOUND:
            self._beacons.closed(record, process)
        return NOTHING

    def _listening(self, record: SocketListening, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return self._destinations.listening(record, process)

    def _sent(self, record: DatagramSent, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return self._scans.sent(record, process) + self._covert.sent(record, process)

    def _created(self, record: SocketCreated, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return self._raw_sockets.created(record, process)
