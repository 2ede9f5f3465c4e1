"""The evidence of packets."""

from pyloader.evidence.bad_packets import BadPackets
from pyloader.evidence.covert import Covert
from pyloader.evidence.domain import PacketHandler
from pyloader.evidence.floods import Floods
from pyloader.evidence.item import Evidence
from pyloader.evidence.raw_sockets import RawSockets
from pyloader.evidence.scans import judge_anomaly, judge_flow, judge_summary
from pyloader.evidence.spread_scans import SpreadScan
from pyloader.evidence.staging import Staging
from pyloader.host import Host
from pyloader.records import NetworkFlow, NetworkTraffic, PacketAnomaly, Record, SourceSummary


class NetworkEvidence:
    """Turns records of packets into evidence about their sources and about this host.

    `raw_sockets` and `covert` are shared with the domain of connections.
    """

    def __init__(self, raw_sockets: RawSockets, covert: Covert, staging: Staging) -> None:
        self._raw_sockets = raw_sockets
        self._covert = covert
        self._floods = Floods(staging)
        self._spread_scan = SpreadScan()
        self._bad_packets = BadPackets()
        self.handlers: dict[type[Record], PacketHandler] = {
            NetworkFlow: self._flow,
            PacketAnomaly: self._anomaly,
            SourceSummary: self._summary,
            NetworkTraffic: self._traffic,
        }

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {"bad_packets": self._bad_packets.evicted, "exchanges": self._covert.evicted}

    def _flow(self, record: NetworkFlow, host: Host) -> tuple[Evidence, ...]:
        self._floods.flow(record)
        found = judge_flow(record, host)
        self._spread_scan.flow(record, host)
        return found

    def _anomaly(self, record: PacketAnomaly, host: Host) -> tuple[Evidence, ...]:
        return judge_anomaly(record, host) + self._bad_packets.judge(record, host)

    def _summary(self, record: SourceSummary, host: Host) -> tuple[Evidence, ...]:
        found = judge_summary(record, host)
        self._floods.summary(record, host)
        found += self._covert.summary(record, host)
        return found + self._raw_sockets.summary(record, host)

    def _traffic(self, record: NetworkTraffic, host: Host) -> tuple[Evidence, ...]:
        found = self._floods.traffic(record, host)
        return found + self._spread_scan.tick(record.timestamp, suspended=self._floods.suspected)
