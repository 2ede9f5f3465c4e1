"""Covert channels: data in what is not made for data.

A name that is asked for is short, and an echo is as long as the one before. Who carries data in them sends much, long,
and in varying lengths. Single packets are not told, but the bytes at every doubling of their number are: the mean
length within each doubling, and how much it varies from one to the next.
"""

from collections.abc import Sequence
from typing import Final

from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import DNS_TUNNEL, ICMP_TUNNEL
from pyloader.evidence.rhythm import median
from pyloader.host import Host, Process
from pyloader.host.sources import WHOLE
from pyloader.records import DatagramSent, Doubled, SourceSummary

DNS: Final = 53
FEWEST_QUERIES: Final = 128
LONG_QUERY: Final = 90.0
"""Bytes of payload; the query for an ordinary name has 30 to 60."""

FEWEST_ECHOES: Final = 64
LONG_ECHO: Final = 300.0
"""Bytes of the frame; an echo has 98."""

VARYING: Final = 0.1
"""The share of the median by which mean lengths vary."""

_MEANS: Final = 8
_PEERS: Final = 1_024


class _Exchange:
    """What was sent to one peer: numbers of packets and bytes at the last doubling, and the mean lengths before."""

    __slots__ = ("bytes", "means", "packets")

    def __init__(self) -> None:
        self.packets = 0
        self.bytes = 0
        self.means: list[float] = []

    def doubled(self, packets: int, size: int) -> None:
        """Take in the numbers at a doubling."""
        new = packets - self.packets
        if new > 0 and size >= self.bytes:
            self.means = [*self.means, (size - self.bytes) / new][-_MEANS:]
        self.packets, self.bytes = packets, size


def variation(values: Sequence[float]) -> float:
    """Return the median distance of values from their median, as a share of it; 0 for fewer than three values.

    >>> round(variation([100.0, 120.0, 80.0]), 2)
    0.2
    """
    if len(values) < 3:  # noqa: PLR2004 -- two values do not vary, they differ.
        return 0.0
    middle = median(values)
    return median([abs(value - middle) for value in values]) / middle if middle > 0 else 0.0


class Covert:
    """The exchanges that may carry data: of each protocol `_PEERS` at most, the oldest leaves first."""

    def __init__(self) -> None:
        self.evicted = 0
        self._queries: dict[tuple[Process, bytes], _Exchange] = {}
        self._echoes: dict[bytes, _Exchange] = {}

    def sent(self, record: DatagramSent, process: Process) -> tuple[Evidence, ...]:
        """Judge what a process sends to a name server."""
        if record.remote_port != DNS or not record.size:
            return NOTHING
        key = (process, record.remote_address)
        exchange = self._queries.get(key)
        if exchange is None:
            if len(self._queries) >= _PEERS:
                del self._queries[next(iter(self._queries))]
                self.evicted += 1
            exchange = self._queries[key] = _Exchange()
        exchange.doubled(record.datagrams, record.size)
        mean = exchange.means[-1] if exchange.means else 0.0
        if record.datagrams < FEWEST_QUERIES or mean < LONG_QUERY:
            return NOTHING
        nats = min(DNS_TUNNEL.nats, 3.0 + (mean - LONG_QUERY) / 30 + (variation(exchange.means) > VARYING))
        return (DNS_TUNNEL.about(process, f"{record.datagrams:,} queries of {round(mean)} bytes each", nats),)

    def summary(self, record: SourceSummary, host: Host) -> tuple[Evidence, ...]:
        """Judge what a source sends by ICMP."""
        if record.prefix != WHOLE or not record.doubled & Doubled.ICMP or record.icmp < 0.9 * record.packets:
            return NOTHING
        source = host.sources.get(record.source)
        if source is None:
            return NOTHING
        exchange = self._echoes.get(record.source)
        if exchange is None:
            if len(self._echoes) >= _PEERS:
                del self._echoes[next(iter(self._echoes))]
                self.evicted += 1
            exchange = self._echoes[record.source] = _Exchange()
        exchange.doubled(record.icmp, record.bytes)
        mean = exchange.means[-1] if exchange.means else 0.0
        if record.icmp < FEWEST_ECHOES or mean < LONG_ECHO:
            return NOTHING
        nats = 2.0 + 2.8 * (variation(exchange.means) > VARYING)
        activity = source.activity("icmp-tunnel")
        activity.seen(record)
        return (ICMP_TUNNEL.about(activity, f"{record.icmp:,} packets, now of {round(mean)} bytes each", nats),)
