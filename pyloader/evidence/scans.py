"""Port scans from outside: of one source, of a network, and of many sources with a packet each.

What is known of a first contact depends on who tells of it. A `NetworkFlow` names its port; a `SourceSummary` has the
number of ports and of completed handshakes; the connection monitor knows which ports serve, and whom they let in. A
port that neither serves nor let the source in has failed. Each pair of source and port counts once, so retries are
nothing, and a crowd behind one address that all want one service is nothing either.

Each kind of scan is an activity of its own: a source that first sends SYNs and later FINs did two things.
"""

import math
from typing import Final

from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import PORT_SCAN
from pyloader.evidence.random_walk import INBOUND, NETWORK, RandomWalk
from pyloader.host import Host, Source
from pyloader.host.sources import PORTS, WHOLE
from pyloader.records import Anomaly, NetworkFlow, PacketAnomaly, PacketFlag, SourceSummary

OFFSET: Final = math.log(1_000)
"""Nats taken off the level of the walk: so many sources a minute may be tested at once on a busy host."""

IN_FLIGHT: Final = 3
"""So many contacts may still be waiting for their answer; they have not failed yet."""

LEAST: Final = 2.0
GROWTH: Final = 1.25
"""A scan is told from `LEAST` nats on, and again when its ports have grown so much."""

TCP_SCAN: Final = "tcp-scan"
UDP_SCAN: Final = "udp-scan"
ACK_SCAN: Final = "ack-scan"
NULL_SCAN: Final = "null-scan"
XMAS_SCAN: Final = "xmas-scan"
FIN_SCAN: Final = "fin-scan"
SYN_FIN_SCAN: Final = "syn-fin-scan"

SCANS: Final = {
    TCP_SCAN: "TCP SYN scan",
    UDP_SCAN: "UDP scan",
    ACK_SCAN: "TCP ACK scan",
    NULL_SCAN: "TCP NULL scan",
    XMAS_SCAN: "TCP Xmas scan",
    FIN_SCAN: "TCP FIN scan",
    SYN_FIN_SCAN: "TCP SYN-FIN scan",
}

_BY_ANOMALY: Final = {
    int(Anomaly.NULL_FLAGS): NULL_SCAN,
    int(Anomaly.XMAS): XMAS_SCAN,
    int(Anomaly.FIN_WITHOUT_ACK): FIN_SCAN,
    int(Anomaly.SYN_FIN): SYN_FIN_SCAN,
}

_TCP: Final = 6
_SYN: Final = int(PacketFlag.SYN)
_TALKATIVE: Final = 8
"""More UDP packets for each port than that are a conversation."""


class Attempt:
    """What a source tried, by one kind of packet.

    `exact` are the ports that are known one by one, `counted` is the least number of them by the kernel's bitmap.
    """

    __slots__ = ("counted", "exact", "failed", "hits", "told", "walk")

    def __init__(self) -> None:
        self.walk = RandomWalk()
        self.exact: set[int] = set()
        self.counted = 0
        self.failed = 0
        self.hits = 0
        self.told = 0

    @property
    def tried(self) -> int:
        """How many ports were tried, at least."""
        return max(len(self.exact), self.counted)


class Contacts:
    """What a source tried, by kind of scan.

    `told` are the kinds of which one source of a network was told: the network is then not told as well.
    """

    __slots__ = ("attempts", "summed", "told")

    def __init__(self) -> None:
        self.attempts: dict[str, Attempt] = {}
        self.summed = 0
        self.told: set[str] = set()

    def attempt(self, kind: str) -> Attempt:
        """Return what was tried by one kind of packet."""
        attempt = self.attempts.get(kind)
        if attempt is None:
            attempt = self.attempts[kind] = Attempt()
        return attempt


def contacts_of(source: Source) -> Contacts:
    """Return what a source tried."""
    if not isinstance(source.contacts, Contacts):
        source.contacts = Contacts()
    return source.contacts


def is_scanner(source: Source) -> bool:
    """Return whether a source, or its network, was told to scan."""
    contacts = source.contacts
    if contacts is None:
        return False
    return isinstance(contacts, Contacts) and any(attempt.told for attempt in contacts.attempts.values())


def judge_flow(record: NetworkFlow, host: Host) -> tuple[Evidence, ...]:
    """Judge the first packet of a TCP connection."""
    if record.protocol != _TCP or not record.flags & _SYN:
        return NOTHING
    return _contact(record, TCP_SCAN, host)


def judge_anomaly(record: PacketAnomaly, host: Host) -> tuple[Evidence, ...]:
    """Judge a packet with flags that make closed ports answer and open ones not."""
    kind = _BY_ANOMALY.get(record.kind)
    return _contact(record, kind, host) if kind is not None and record.protocol == _TCP else NOTHING


def judge_summary(record: SourceSummary, host: Host) -> tuple[Evidence, ...]:
    """Judge what the kernel has counted of a source, or of a network."""
    source = host.sources.get(record.source, record.prefix)
    if source is None:
        return NOTHING
    contacts = contacts_of(source)
    # The kernel may have forgotten the source in between, and count anew.
    new = record.ports - contacts.summed if record.ports >= contacts.summed else record.ports
    kind = _kind(record, source.before, new)
    if new <= 0 or not kind:
        attempt = contacts.attempts.get(TCP_SCAN)
        return _advance(source, TCP_SCAN, attempt, host, record.timestamp) if attempt is not None else NOTHING
    contacts.summed = record.ports
    attempt = contacts.attempt(kind)
    attempt.counted += new
    source.activity(kind).seen(record)
    return _advance(source, kind, attempt, host, record.timestamp)


def _contact(record: NetworkFlow | PacketAnomaly, kind: str, host: Host) -> tuple[Evidence, ...]:
    source = host.sources.get(record.source)
    if source is None:
        return NOTHING
    attempt = contacts_of(source).attempt(kind)
    port = record.destination_port
    if port in attempt.exact or len(attempt.exact) >= PORTS:
        return NOTHING
    attempt.exact.add(port)
    activity = source.activity(kind)
    activity.seen(record)
    activity.ports = attempt.exact
    return _advance(source, kind, attempt, host, record.timestamp)


def _kind(record: SourceSummary, before: SourceSummary | None, ports: int) -> str:
    """Return by which kind of packet most of the new ports were tried; none if they were talked to."""
    syn, udp, flagged, other = record.syn, record.udp, record.anomalies, record.other
    if before is not None and before.first_seen == record.first_seen:
        syn, udp = syn - before.syn, udp - before.udp
        flagged, other = flagged - before.anomalies, other - before.other
    most = max(syn, udp, flagged)
    if most == 0:
        return ACK_SCAN if other > 0 else TCP_SCAN
    if flagged == most:
        return next((kind for bit, kind in _BY_ANOMALY.items() if record.anomaly_kinds & 1 << bit), TCP_SCAN)
    if syn == most:
        return TCP_SCAN
    return UDP_SCAN if udp <= _TALKATIVE * ports else ""


def _advance(source: Source, kind: str, attempt: Attempt, host: Host, now: int) -> tuple[Evidence, ...]:
    """Enter what has become known of first contacts, and tell what it comes to."""
    tried, size = attempt.tried, INBOUND
    if source.prefix != WHOLE:
        if kind in contacts_of(source).told:
            return NOTHING
        size = NETWORK
    hits = min(tried, _hits(source, attempt, host)) if kind == TCP_SCAN else 0
    failed = max(0, tried - hits - IN_FLIGHT)
    level = attempt.walk.step(max(0, hits - attempt.hits), failed - attempt.failed, size, now)
    attempt.hits, attempt.failed = max(hits, attempt.hits), failed
    nats = min(level - OFFSET, PORT_SCAN.nats)
    if nats < LEAST or failed <= 0 or tried < attempt.told * GROWTH:
        return NOTHING
    attempt.told = tried
    host.sources.keep(source)
    network = host.sources.network_of(source)
    if network is not None and network is not source:
        contacts_of(network).told.add(kind)
    return (PORT_SCAN.about(source.activity(kind), _what(source, kind, tried), nats),)


def _hits(source: Source, attempt: Attempt, host: Host) -> int:
    """Return at how many ports the source may have been served.

    The kernel's count of handshakes may have doubled since it was told. Those that the connection monitor has seen
    are known by their port; the others may each have been at a port of their own, behind this host.
    """
    served = {port for port in attempt.exact if host.sources.serves(port)}.union(source.ports)
    handshakes = 0 if source.summary is None else source.summary.handshakes
    if len(attempt.exact) > attempt.counted:
        handshakes *= 2
    return len(served) + max(0, handshakes - 2 * source.accepted)


def _what(source: Source, kind: str, tried: int) -> str:
    handshakes = source.summary.handshakes if source.summary is not None else 0
    connects = kind == TCP_SCAN and (source.accepted > 0 or handshakes > 0)
    name = "TCP connect scan" if connects else SCANS[kind]
    return f"{name} of {tried} ports" if tried <= PORTS else f"{name} of at least {tried} ports"
