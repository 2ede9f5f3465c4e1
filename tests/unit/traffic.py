"""Made-up packets, and what the network monitor would tell of them.

A small model of `bpf/network_monitor.bpf.c`: sources get an entry with their second packet, counters are told when they
double and the source is salient enough, new flows and odd packets up to so many a second, totals every second. Its
tables have no ends, and it has one CPU.
"""

import math
from collections import Counter as Count
from collections.abc import Iterable, Iterator
from heapq import merge
from ipaddress import ip_address
from typing import NamedTuple

from pyloader.monitors.network import POLICY
from pyloader.records import (
    Anomaly,
    AnyRecord,
    Counter,
    NetworkFlow,
    NetworkTraffic,
    PacketAnomaly,
    PacketFlag,
    Policy,
    SourceSummary,
    Traffic,
)
from pyloader.records.network import AMPLIFIERS, TRAFFIC_LIMIT

SECOND = 1_000_000_000
TCP, UDP, ICMP = 6, 17, 1
_AMPLIFIERS = {port: what for what, port in AMPLIFIERS.items()}
_TOLD_FROM = {Counter.HANDSHAKES: 1, Counter.ANOMALIES: 1, Counter.UDP: 16, Counter.OTHER: 16, Counter.BYTES: 1 << 20}
_FLAGS = {
    0: Anomaly.NULL_FLAGS,
    int(PacketFlag.FIN | PacketFlag.PSH | PacketFlag.URG): Anomaly.XMAS,
    int(PacketFlag.FIN): Anomaly.FIN_WITHOUT_ACK,
}
_BY_PROTOCOL = {TCP: Traffic.TCP, UDP: Traffic.UDP, ICMP: Traffic.ICMP}


class Packet(NamedTuple):
    """One packet that comes in at `time` (s)."""

    time: float
    source: str
    source_port: int = 40_000
    destination_port: int = 80
    protocol: int = TCP
    flags: int = int(PacketFlag.SYN)
    completes: bool = False
    """Whether it is the ACK that completes a handshake."""
    length: int = 60
    fragment: bool = False


def raw(text: str) -> bytes:
    """Return an address as it stands in records."""
    packed = ip_address(text).packed
    return packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed


HOST = raw("192.0.2.1")


class _Entry:
    def __init__(self, address: bytes, prefix: int, now: int) -> None:
        self.address, self.prefix, self.first_seen = address, prefix, now
        self.counts: Count[Counter] = Count()
        self.ports: set[int] = set()
        self.addresses: set[int] = set()
        self.kinds = 0
        self.salience = 0


class Wire:
    """The network monitor over a stream of packets."""

    def __init__(self) -> None:
        self._entries: dict[tuple[bytes, int], _Entry] = {}
        self._candidates: set[tuple[bytes, int]] = set()
        self._flows: set[tuple[object, ...]] = set()
        self._totals: Count[int] = Count()
        self._bins = [0] * 256
        self._second = -1
        self._told: Count[object] = Count()

    def records(self, packets: Iterable[Packet], seconds: int = 0) -> Iterator[AnyRecord]:
        """Yield what is told of packets in order of time, and of so many seconds at least."""
        for packet in packets:
            yield from self._tick(int(packet.time))
            yield from self._packet(packet)
        yield from self._tick(max(seconds, self._second + 1))

    def _tick(self, second: int) -> Iterator[AnyRecord]:
        if self._second < 0:
            self._second = second
        while self._second < second:
            self._second += 1
            counts = b"".join(self._totals[one].to_bytes(8, "big") for one in range(TRAFFIC_LIMIT))
            bins = b"".join(count.to_bytes(4, "big") for count in self._bins)
            yield NetworkTraffic(self._second * SECOND, SECOND, counts, bins, 0, 1 << 23)
            self._totals.clear()
            self._told.clear()
            self._bins = [0] * 256

    def _packet(self, packet: Packet) -> Iterator[AnyRecord]:
        source, now = raw(packet.source), int(packet.time * SECOND)
        anomaly = _FLAGS.get(packet.flags) if packet.protocol == TCP and not packet.completes else None
        opened, known = self._follow(packet, source)
        self._count(packet, source, opened=opened)
        network = (source[:15] + b"\0", 120) if source.startswith(bytes(10)) else (source[:8] + bytes(8), 64)
        salience = 0
        for key in (network, (source, 128)):
            entry = self._entries.get(key)
            if entry is None:
                if key not in self._candidates:
                    self._candidates.add(key)
                    salience = 0
                    continue
                entry = self._entries[key] = _Entry(*key, now)
            yield from self._contribute(entry, packet, anomaly, known=known)
            salience = entry.salience
        if opened and salience + POLICY[Policy.FLOW] >= POLICY[Policy.FLOW_THRESHOLD]:
            self._told["flow"] += 1
            if self._told["flow"] <= POLICY[Policy.FLOWS_PER_SECOND]:
                yield NetworkFlow(
                    now,
                    2,
                    source,
                    HOST,
                    packet.source_port,
                    packet.destination_port,
                    packet.protocol,
                    packet.flags if packet.protocol == TCP else 0,
                    0,
                    0,
                    packet.length,
                    salience,
                    0,
                )
        if anomaly is not None:
            self._told[anomaly] += 1
            if self._told[anomaly] <= POLICY[Policy.ANOMALIES_PER_SECOND]:
                yield PacketAnomaly(
                    now,
                    anomaly,
                    2,
                    source,
                    HOST,
                    packet.source_port,
                    packet.destination_port,
                    TCP,
                    packet.flags,
                    0,
                    0,
                    packet.length,
                    0,
                )

    def _follow(self, packet: Packet, source: bytes) -> tuple[bool, bool]:
        """Return whether a packet opens a flow, and whether its flow was known."""
        if packet.fragment:
            return False, True
        flow = (source, packet.source_port, packet.destination_port, packet.protocol)
        known = flow in self._flows
        if packet.protocol == TCP and packet.flags != PacketFlag.SYN:
            return False, known
        self._flows.add(flow)
        return not known, known

    def _count(self, packet: Packet, source: bytes, *, opened: bool) -> None:
        totals = self._totals
        totals[Traffic.PACKETS] += 1
        totals[Traffic.BYTES] += packet.length
        totals[_BY_PROTOCOL[packet.protocol]] += 1
        totals[Traffic.FLOWS] += opened
        totals[Traffic.FRAGMENTS] += packet.fragment
        if packet.protocol == UDP and packet.source_port in _AMPLIFIERS:
            totals[_AMPLIFIERS[packet.source_port]] += 1
        if packet.protocol == TCP:
            totals[Traffic.SYN] += packet.flags == PacketFlag.SYN
            totals[Traffic.ACK] += packet.flags == PacketFlag.ACK
            totals[Traffic.HANDSHAKES] += packet.completes
        # Any hash will do that spreads.
        self._bins[int.from_bytes(source[-4:], "big") * 0x9E3779B97F4A7C15 >> 56 & 255] += 1

    def _contribute(
        self, entry: _Entry, packet: Packet, anomaly: Anomaly | None, *, known: bool
    ) -> Iterator[AnyRecord]:
        before = dict(entry.counts)
        for counter in _counters(packet, anomaly):
            entry.counts[counter] += 1
        entry.counts[Counter.BYTES] += packet.length
        if anomaly is not None:
            entry.kinds |= 1 << anomaly
        syn = packet.protocol == TCP and (packet.flags == PacketFlag.SYN or anomaly is not None)
        if packet.protocol != ICMP and (
            syn or (not known and packet.destination_port < POLICY[Policy.EPHEMERAL_PORTS])
        ):
            entry.ports.add(packet.destination_port * 0x9E3779B97F4A7C15 >> 56 & 255)
            entry.addresses.add(0)
        entry.counts[Counter.PORTS] = len(entry.ports)
        entry.counts[Counter.ADDRESSES] = len(entry.addresses)
        doubled = 0
        for counter, count in entry.counts.items():
            old = before.get(counter, 0)
            if (old ^ count) > old and count >= _TOLD_FROM.get(counter, 4):
                doubled |= 1 << counter
        if not doubled:
            return
        weighed = sum(POLICY[Policy(counter)] * count.bit_length() for counter, count in entry.counts.items())
        entry.salience = max(0, weighed)
        self._told["summary"] += 1
        if weighed < POLICY[Policy.SOURCE_THRESHOLD] or self._told["summary"] > POLICY[Policy.SUMMARIES_PER_SECOND]:
            return
        counts = entry.counts
        yield SourceSummary(
            int(packet.time * SECOND),
            entry.address,
            entry.prefix,
            doubled,
            entry.first_seen,
            counts[Counter.BYTES],
            counts[Counter.SYN],
            counts[Counter.FIN],
            counts[Counter.RST],
            counts[Counter.UDP],
            counts[Counter.ICMP],
            counts[Counter.OTHER],
            counts[Counter.HANDSHAKES],
            counts[Counter.ANOMALIES],
            entry.kinds,
            counts[Counter.PORTS],
            counts[Counter.ADDRESSES],
            entry.salience,
            2,
            HOST,
            packet.destination_port,
            packet.protocol,
        )


def _counters(packet: Packet, anomaly: Anomaly | None) -> Iterator[Counter]:
    if packet.protocol == UDP:
        yield Counter.UDP
    elif packet.protocol == ICMP:
        yield Counter.ICMP
    elif packet.flags & PacketFlag.RST:
        yield Counter.RST
    elif packet.flags & PacketFlag.FIN:
        yield Counter.FIN
    else:
        yield Counter.SYN if packet.flags == PacketFlag.SYN else Counter.OTHER
    if packet.completes:
        yield Counter.HANDSHAKES
    if anomaly is not None:
        yield Counter.ANOMALIES


def probes(
    source: str, ports: Iterable[int], start: float = 10.0, interval: float = 0.001, **how: object
) -> Iterator[Packet]:
    """Yield one packet to each port."""
    for number, port in enumerate(ports):
        yield Packet(
            start + number * interval,
            source,
            destination_port=port,
            source_port=50_000 + number % 10_000,
            **how,  # type: ignore[arg-type]
        )


def connections(
    source: str, ports: Iterable[int], start: float = 10.0, interval: float = 0.001, delay: float = 0.0005
) -> Iterator[Packet]:
    """Yield connections that are established, and send one packet: SYN, ACK, and data."""
    for number, port in enumerate(ports):
        flow = {"source": source, "destination_port": port, "source_port": 1_024 + number % 60_000}
        now = start + number * interval
        yield Packet(now, **flow)  # type: ignore[arg-type]
        yield Packet(now + delay, flags=int(PacketFlag.ACK), completes=True, **flow)  # type: ignore[arg-type]
        yield Packet(now + delay, flags=int(PacketFlag.ACK), completes=True, **flow)._replace(completes=False)  # type: ignore[arg-type]


def together(*streams: Iterable[Packet]) -> Iterator[Packet]:
    """Yield the packets of several streams in order of time."""
    return merge(*streams)


def steady(rate: float, seconds: float, start: float = 10.0) -> list[float]:
    """Return times (s) at a steady rate (a second)."""
    return [start + number / rate for number in range(math.ceil(rate * seconds))]
