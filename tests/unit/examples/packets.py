"""Records of packets: each function fills in what a test does not care about."""

from msgspec.structs import replace

from pyloader.records import NetworkTraffic, PacketAnomaly, SourceSummary
from tests.unit.examples.ground import HOME, PEER, SECOND

_ANOMALY = PacketAnomaly(
    timestamp=SECOND,
    kind=14,
    interface=2,
    source=PEER,
    destination=HOME,
    source_port=40_000,
    destination_port=22,
    protocol=6,
    flags=3,
    tunnel=0,
    vlan=0,
    length=60,
    untold=0,
)


def anomaly_record(**fields: object) -> PacketAnomaly:
    """Return a packet from the other host with SYN and FIN."""
    return replace(_ANOMALY, **fields)


_SOURCE = SourceSummary(
    timestamp=2 * SECOND,
    source=PEER,
    prefix=128,
    doubled=1,
    first_seen=SECOND,
    bytes=960,
    syn=16,
    fin=0,
    rst=0,
    udp=0,
    icmp=0,
    other=0,
    handshakes=0,
    anomalies=0,
    anomaly_kinds=0,
    ports=1,
    addresses=1,
    salience=18,
    interface=2,
    destination=HOME,
    destination_port=22,
    protocol=6,
)


def source_record(**fields: object) -> SourceSummary:
    """Return what is known of the other host after sixteen SYNs."""
    return replace(_SOURCE, **fields)


_TRAFFIC = NetworkTraffic(
    timestamp=2 * SECOND, interval=SECOND, counts=b"", dispersion=b"", peak=0, peak_window=1 << 23
)


def traffic_record(**fields: object) -> NetworkTraffic:
    """Return the totals of a second without packets."""
    return replace(_TRAFFIC, **fields)
