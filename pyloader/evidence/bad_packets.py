"""Packets that no honest stack sends, one by one.

Each is weak evidence: a broken router makes them as well. Flags that are a scan are judged as one (`scans`), and a
flood of them as one (`floods`). A source that cannot be is nobody's, so what it sends is told of the host.
"""

from typing import Final

from msgspec import structs

from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import BAD_PACKETS, SPOOFED_PACKETS
from pyloader.host import Activity, Host
from pyloader.records import Anomaly, PacketAnomaly

_SPOOFED: Final[dict[int, tuple[float, str]]] = {
    Anomaly.BAD_SOURCE: (2.0, "an address that cannot send"),
    Anomaly.LAND: (4.5, "the address that they go to"),
    Anomaly.OWN_SOURCE: (4.5, "an address of this host"),
}
"""Weights in nats, and what is wrong with the source."""

_BAD: Final[dict[int, tuple[float, str]]] = {
    Anomaly.TRUNCATED: (0.7, "cut short"),
    Anomaly.BAD_LENGTH: (1.0, "lengths that contradict each other"),
    Anomaly.BAD_OPTIONS: (1.5, "broken options"),
    Anomaly.BAD_CHAIN: (2.5, "a broken chain of headers"),
    Anomaly.SOURCE_ROUTED: (3.0, "a route of their own"),
    Anomaly.TINY_FRAGMENT: (4.0, "fragments that hide a header"),
    Anomaly.OVERLAPPING_FRAGMENT: (4.0, "fragments that overlap"),
    Anomaly.OVERSIZED_FRAGMENT: (4.0, "fragments that are too large"),
    Anomaly.PORT_ZERO: (1.0, "port 0"),
    Anomaly.SYN_FIN: (2.5, "SYN and FIN at once"),
    Anomaly.SYN_RST: (2.5, "SYN and RST at once"),
}


class BadPackets:
    """What was told of which source, as bits; the oldest source leaves first when `capacity` is reached."""

    def __init__(self, capacity: int = 2_048) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._kinds: dict[bytes, int] = {}
        self._spoofed = Activity("spoofed-packets")
        self._told: dict[int, int] = {}

    def judge(self, record: PacketAnomaly, host: Host) -> tuple[Evidence, ...]:
        """Judge one packet; each kind is told once of a source."""
        spoofed = _SPOOFED.get(record.kind)
        if spoofed is not None:
            return self._judge_spoofed(record, *spoofed)
        bad = _BAD.get(record.kind)
        source = host.sources.get(record.source)
        if bad is None or source is None:
            return NOTHING
        kinds, bit = self._kinds.get(record.source, 0), 1 << record.kind
        if kinds & bit:
            return NOTHING
        if not kinds and len(self._kinds) >= self.capacity:
            del self._kinds[next(iter(self._kinds))]
            self.evicted += 1
        self._kinds[record.source] = kinds | bit
        activity = source.activity("bad-packets")
        activity.seen(record)
        nats, what = bad
        # Each kind is a code of its own: what is wrong in several ways is wrong in more than one.
        return (structs.replace(BAD_PACKETS.about(activity, what, nats), code=f"{BAD_PACKETS.code}_{record.kind}"),)

    def _judge_spoofed(self, record: PacketAnomaly, nats: float, what: str) -> tuple[Evidence, ...]:
        last = self._told.get(record.kind)
        if last is not None and record.timestamp - last < _REMINDER_NS:
            return NOTHING
        self._told[record.kind] = record.timestamp
        self._spoofed.seen(record)
        return (SPOOFED_PACKETS.about(self._spoofed, what, nats),)


_REMINDER_NS: Final = 60 * 1_000_000_000
