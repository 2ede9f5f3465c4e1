"""Floods: what comes in too fast, by vector.

Every second the totals of all packets give one count for each vector, which is tested for a rise (`cusum`). A flash
crowd raises SYNs as well, but completes its handshakes: only SYNs without a handshake count. New UDP flows are counted,
since a stream of any rate is one flow; so a flood that is one flow is told by its packets, unless this host itself
talks with its source. The totals also have a histogram of sources: if one class has most of the packets, the source
that the kernel summed up with the highest count is named, else the flood comes from many sources.

A flood that one source sends is also seen in that source's counters, however short it is. What its packets are made of
is told by the totals of the same second, so it is judged with them.
"""

import math
import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from pyloader.evidence.cusum import RATIO, LogCusum
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import FLOOD
from pyloader.evidence.scans import is_scanner
from pyloader.evidence.staging import Staging
from pyloader.host import Activity, Host, Source
from pyloader.host.sources import WHOLE
from pyloader.records import NetworkFlow, NetworkTraffic, SourceSummary, Traffic
from pyloader.records.network import AMPLIFIERS, DISPERSION_BINS

SECOND: Final = 1_000_000_000

OFFSET: Final = math.log(60 * 16)
"""Nats taken off the level of the CUSUM: there is a test every second for each of sixteen vectors."""

LEAST: Final = 5.2
STEP: Final = 1.0
REMINDER_NS: Final = 10 * SECOND
"""A flood is told from `LEAST` nats on, again when it has grown by `STEP`, and again after `REMINDER_NS`."""

SERVED_RATIO: Final = 0.7
"""If so many of the SYNs become connections it is a crowd, and the weight is `CROWD_WEIGHT` of what it were."""

CROWD_WEIGHT: Final = 0.2

DOMINANT: Final = 0.5
"""The share of packets in one of 256 classes of sources, from which one source is taken for the cause."""

DISPERSED: Final = 0.8
"""The entropy of the classes of sources, as a share of the highest one, that many forged sources exceed."""

HARD_RATE: Final = 20_000.0
"""Packets a second that are a flood whoever sends them (as FastNetMon has it by default)."""

_FRESH_NS: Final = 5 * SECOND
_AMPLIFIED: Final = {what: Traffic(what).name.lower() for what in AMPLIFIERS}
_LARGE: Final = 200
"""Mean bytes of a packet in a second in which answers of amplifiers arrive."""


class Second(NamedTuple):
    """The rates (a second) of one interval that the vectors are made of.

    `size` is the mean of a packet (bytes), `spread` the entropy of the classes of sources and `share` that of the
    largest one (0 to 1).
    """

    packets: float
    size: float
    syn: float
    handshakes: float
    ack: float
    udp: float
    udp_flows: float
    icmp: float
    fragments: float
    amplified: dict[str, float]
    spread: float
    share: float


class Vector(NamedTuple):
    """One way to flood.

    `floor` is the rate that is nothing to speak of, `trusted` the rate that a host may have from the first second on;
    `counter` is a source's count of it.
    """

    kind: str
    name: str
    floor: float
    rate: Callable[[Second], float]
    counter: Callable[[SourceSummary], int]
    trusted: float = 0.0


def _half_open(second: Second) -> float:
    return max(0.0, second.syn - second.handshakes)


def _of_amplifier(service: str) -> Vector:
    return Vector(
        f"{service}-amplification-flood",
        f"{service.upper().replace('_', '-')} amplification flood",
        500.0 if service == "dns" else 100.0,
        lambda second: second.amplified.get(service, 0.0) if second.size >= _LARGE else 0.0,
        lambda summary: summary.udp,
    )


SYN: Final = Vector("syn-flood", "SYN flood", 100.0, _half_open, lambda summary: summary.syn)
ACK: Final = Vector("ack-flood", "ACK flood", 2_000.0, lambda second: second.ack, lambda summary: summary.other, 1e5)
UDP: Final = Vector("udp-flood", "UDP flood", 300.0, lambda second: second.udp_flows, lambda summary: summary.udp, 1e4)
UDP_STREAM: Final = Vector(
    "udp-flood", "UDP flood", 1_000.0, lambda second: second.udp, lambda summary: summary.udp, 1e5
)
ICMP: Final = Vector("icmp-flood", "ICMP flood", 100.0, lambda second: second.icmp, lambda summary: summary.icmp)
FRAGMENT: Final = Vector(
    "fragment-flood", "fragment flood", 200.0, lambda second: second.fragments, lambda summary: summary.packets
)
AMPLIFICATION: Final = tuple(map(_of_amplifier, _AMPLIFIED.values()))

VECTORS: Final = (FRAGMENT, *AMPLIFICATION, SYN, ICMP, UDP, UDP_STREAM, ACK)
"""In the order in which they are told: who floods with fragments of UDP floods with fragments."""


class _State:
    """The test of one vector, and what was told of it: of whom, when (ns), and with what weight."""

    __slots__ = ("named", "nats", "test", "told")

    def __init__(self, vector: Vector) -> None:
        self.test = LogCusum(vector.floor, vector.trusted)
        self.nats = 0.0
        self.told = 0
        self.named: Activity | None = None

    def is_high(self, rate: float) -> bool:
        """Return whether a rate is above what is usual by itself, so that it is not yet over what raised the level."""
        return rate > RATIO * (self.test.usual + self.test.floor)


class _Loudest:
    """The source with the highest count of one vector that was told of late, and when (ns)."""

    __slots__ = ("count", "seen", "source")

    def __init__(self, source: Source, count: int, seen: int) -> None:
        self.source = source
        self.count = count
        self.seen = seen


class Floods:
    """The tests of all vectors. Their number is fixed, and so is what they hold."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        self._states = {vector: _State(vector) for vector in VECTORS}
        self._loudest: dict[str, _Loudest] = {}
        self._host = {vector.kind: Activity(vector.kind) for vector in VECTORS}
        self._usual_spread = 0.5
        self._victim: NetworkFlow | SourceSummary | None = None
        self._bursts: dict[str, list[tuple[int, Source]]] = {}
        self._pending: dict[Source, _Burst] = {}

    @property
    def suspected(self) -> bool:
        """Whether a flood of SYNs may be going on: flows then tell nothing of who is behind them."""
        return self._states[SYN].test.level > 0.0

    def flow(self, record: NetworkFlow) -> None:
        """Note where packets go."""
        self._victim = record

    def summary(self, record: SourceSummary, host: Host) -> None:
        """Note who is loud, and whose counters say that it floods by itself."""
        self._victim = record
        source = host.sources.get(record.source) if record.prefix == WHOLE else None
        if source is None:
            return
        now = record.timestamp
        for vector in (SYN, ACK, UDP, ICMP, FRAGMENT):
            count = vector.counter(record)
            loudest = self._loudest.get(vector.kind)
            if loudest is None or count >= loudest.count or now - loudest.seen > _FRESH_NS:
                self._loudest[vector.kind] = _Loudest(source, count, now)
        burst = _burst(record, source)
        if burst is not None and (source in self._pending or len(self._pending) < _PENDING):
            self._pending[source] = burst

    def traffic(self, record: NetworkTraffic, host: Host) -> tuple[Evidence, ...]:
        """Judge the totals of an interval."""
        if record.interval <= 0:
            return NOTHING
        second = _second(record)
        bursts = self._judge_bursts(second, record.timestamp)
        found: Evidence | None = None
        learn = record.timestamp >= self._staging.frozen_until
        for vector in VECTORS:
            state = self._states[vector]
            level = state.test.count(vector.rate(second), learn=learn)
            nats = min(level - OFFSET, FLOOD.nats)
            if nats < LEAST:
                if level <= 0:
                    state.nats = 0.0
                    state.named = None
            elif found is None and state.is_high(vector.rate(second)) and not self._is_explained(vector, second):
                found = self._tell(vector, second, nats, record.timestamp, host)
        if learn and self._states[ACK].test.level <= 1:
            self._usual_spread += 0.02 * (second.spread - self._usual_spread)
        return (*bursts, found) if found is not None else bursts

    def _is_explained(self, vector: Vector, second: Second) -> bool:
        """Return whether a vector only rises with another one that is told instead."""
        rate = vector.rate(second)
        if vector is UDP or vector is UDP_STREAM:
            other = second.fragments + sum(second.amplified.values())
            return rate < 2 * other or (vector is UDP_STREAM and self._states[UDP].test.level > OFFSET)
        return vector is not FRAGMENT and rate < second.fragments

    def _tell(self, vector: Vector, second: Second, nats: float, now: int, host: Host) -> Evidence | None:
        state, rate = self._states[vector], vector.rate(second)
        source = self._source(vector, second, now)
        if vector is SYN and second.handshakes >= SERVED_RATIO * second.syn:
            nats *= CROWD_WEIGHT
        if vector in (ACK, UDP_STREAM, FRAGMENT) and not self._is_strange(vector, source, second, rate):
            state.test.level = 0.0
            return None
        if source is not None and is_scanner(source) and rate < HARD_RATE:
            return None
        if source is None and self._has_bursts(vector.kind, now):
            return None
        if state.named is None:
            state.named = source.activity(vector.kind) if source is not None else self._host[vector.kind]
        if nats < LEAST or (nats < state.nats + STEP and now - state.told < REMINDER_NS):
            return None
        state.nats, state.told = max(nats, state.nats), now
        if self._victim is not None and (state.named.source is None or not state.named.destination):
            state.named.seen(self._victim)
        if state.named.source is not None:
            host.sources.keep(state.named.source)
        return FLOOD.about(state.named, _what(vector, rate, second, state.named), nats)

    def _source(self, vector: Vector, second: Second, now: int) -> Source | None:
        """Return the one source of a flood, if it has one."""
        loudest = self._loudest.get(vector.kind)
        if second.share < DOMINANT or loudest is None or now - loudest.seen > _FRESH_NS:
            return None
        return loudest.source

    def _is_strange(self, vector: Vector, source: Source | None, second: Second, rate: float) -> bool:
        """Return whether packets without a beginning are no part of what this host takes part in."""
        if source is None:
            if second.share >= DOMINANT and vector is not FRAGMENT:
                # One source of which nothing is told, since it connected and was served.
                return False
            if vector is ACK:
                begun = second.syn + second.handshakes
                spread = second.spread
                return begun < rate / 100 and spread >= DISPERSED and spread >= self._usual_spread + 0.1
            return True
        summary = source.summary
        return not source.known and (summary is None or (summary.handshakes == 0 and not _is_answer(summary)))

    def _judge_bursts(self, second: Second, now: int) -> tuple[Evidence, ...]:
        """Tell of the sources that flood by themselves, as long as they are few."""
        if not self._pending:
            return NOTHING
        pending, self._pending = self._pending, {}
        found = []
        for source, burst in pending.items():
            vector = burst.vector
            recent = [(seen, one) for seen, one in self._bursts.get(vector.kind, []) if now - seen < REMINDER_NS]
            known = any(one is source for _, one in recent)
            fragments = second.fragments * 2 > vector.rate(second)
            if known or fragments or is_scanner(source) or len(recent) >= _NAMED_SOURCES:
                continue
            self._bursts[vector.kind] = [*recent, (now, source)]
            activity = source.activity(vector.kind)
            activity.seen(burst.record)
            what = f"{vector.name} of {round(burst.rate):,} packets a second from {source}"
            found.append(FLOOD.about(activity, what, _BURST_NATS))
        return tuple(found)

    def _has_bursts(self, kind: str, now: int) -> bool:
        """Return whether the flood was just told of its sources, one by one."""
        recent = [seen for seen, _ in self._bursts.get(kind, []) if now - seen < REMINDER_NS]
        return 0 < len(recent) < _NAMED_SOURCES


class _Burst(NamedTuple):
    """A source whose counters grow too fast: by what, at which rate (a second), and the record that told it."""

    vector: Vector
    rate: float
    record: SourceSummary


def _burst(record: SourceSummary, source: Source) -> _Burst | None:
    """Judge the counters of one source by themselves."""
    before = source.before
    for vector, least, fastest, is_flood in _BURSTS:
        count = vector.counter(record)
        if count < least:
            continue
        since = record.timestamp - record.first_seen
        if before is not None and before.first_seen == record.first_seen:
            count -= vector.counter(before)
            since = record.timestamp - before.timestamp
        rate = count * SECOND / max(since, SECOND // 1_000)
        if count >= least // 4 and rate >= fastest and is_flood(record, source):
            return _Burst(vector, rate, record)
    return None


def _is_half_open(record: SourceSummary, source: Source) -> bool:
    return record.handshakes * 20 < record.syn and record.ports <= _FEW_PORTS and source.accepted * 20 < record.syn


def _is_no_dialogue(record: SourceSummary, source: Source) -> bool:
    small = record.bytes < _SMALL * max(1, record.packets)
    strange = record.handshakes == 0 and not source.known and not _is_answer(record)
    return small and strange and record.ports <= _FEW_PORTS


def _is_answer(record: SourceSummary) -> bool:
    """Return whether packets come to a port that this host gives to its own connections."""
    return record.destination_port >= _EPHEMERAL


_FEW_PORTS: Final = 4
_EPHEMERAL: Final = 32_768
"""Where such ports begin on Linux, unless it was told otherwise (net.ipv4.ip_local_port_range)."""

_SMALL: Final = 700
_NAMED_SOURCES: Final = 4
"""From so many sources on a flood is told as one of many."""

_BURST_NATS: Final = 8.0
_PENDING: Final = 16
_BURSTS: Final[tuple[tuple[Vector, int, float, Callable[[SourceSummary, Source], bool]], ...]] = (
    (SYN, 128, 100.0, _is_half_open),
    (ICMP, 512, 200.0, lambda _record, _source: True),
    (UDP, 4_096, 4_000.0, _is_no_dialogue),
)
"""The counts, and the rates (packets a second), from which a single source floods."""


def _second(record: NetworkTraffic) -> Second:
    """Return the rates of an interval."""
    per_second = SECOND / record.interval

    def rate(what: Traffic) -> float:
        return record.count(what) * per_second

    packets = rate(Traffic.PACKETS)
    amplified = {name: rate(what) for what, name in _AMPLIFIED.items()}
    udp = max(0.0, rate(Traffic.UDP) - sum(amplified.values()))
    spread, share = dispersion(record.dispersion)
    return Second(
        packets=packets,
        size=rate(Traffic.BYTES) / packets if packets else 0.0,
        syn=rate(Traffic.SYN),
        handshakes=rate(Traffic.HANDSHAKES),
        ack=rate(Traffic.ACK),
        udp=udp,
        udp_flows=max(0.0, min(udp, rate(Traffic.FLOWS) - rate(Traffic.SYN))),
        icmp=rate(Traffic.ICMP) + rate(Traffic.ICMPV6),
        fragments=rate(Traffic.FRAGMENTS),
        amplified=amplified,
        spread=spread,
        share=share,
    )


_BINS: Final = struct.Struct(f">{DISPERSION_BINS}I")


def dispersion(counts: bytes) -> tuple[float, float]:
    """Return how evenly packets spread over classes of sources: the entropy (0 to 1), and the largest class's share."""
    bins = [count for count in _BINS.unpack(counts[: _BINS.size].ljust(_BINS.size, b"\0")) if count]
    total = sum(bins)
    if not total:
        return 0.0, 0.0
    entropy = -sum(count / total * math.log(count / total) for count in bins)
    return entropy / math.log(DISPERSION_BINS), max(bins) / total


def _what(vector: Vector, rate: float, second: Second, named: Activity) -> str:
    completed = ""
    if vector is SYN:
        completed = f", {second.handshakes / second.syn:.0%} of the handshakes completed"
    return f"{vector.name} of {round(rate):,} packets a second from {named}{completed}"
