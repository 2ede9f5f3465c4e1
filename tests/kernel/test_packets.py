"""The network monitor's program on single frames: what it reads of them, and that none upsets it."""

import os
import random
import socket
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyloader.binding import program_info
from pyloader.records import NetworkFlow, PacketAnomaly, Policy, Tunnel, address
from pyloader.records.network import Anomaly
from tests.kernel.packets import (
    ACK,
    FIN,
    ICMP,
    ICMPV6,
    IPV4,
    IPV6,
    PSH,
    QINQ,
    RST,
    SCTP,
    SYN,
    TCP,
    UDP,
    URG,
    VLAN,
    XDP_PASS,
    PacketMonitor,
    captured,
    ethernet,
    extension,
    ipv4,
    ipv6,
    packet_monitor,
    tcp,
    udp,
)

ROOT = Path(__file__).resolve().parents[2]

LARGEST = 3_400
"""Bytes of a frame that BPF_PROG_RUN takes: a page, less the room before and behind the packet."""

MUTATIONS = int(os.environ.get("PYLOADER_MUTATIONS", "100000"))
"""How many changed frames are tried."""


CAPTURES = Path(os.environ.get("PYLOADER_CORPUS", ROOT.parent / "shared" / "corpus")) / "pcaps"


def captures() -> list[Path]:
    """Return the captures of the corpus."""
    return sorted(path for path in CAPTURES.glob("*") if path.suffix.startswith(".pcap"))


def test_there_is_a_corpus() -> None:
    """The captures are there, so that the tests below try them."""
    assert captures(), f"no captures in {CAPTURES}: set PYLOADER_CORPUS to the folder that holds pcaps/"


def frames(path: Path) -> list[bytes]:
    """Return the frames of a capture that BPF_PROG_RUN takes."""
    return [frame for frame in captured(path) if len(frame) <= LARGEST]


@pytest.fixture(name="monitor")
def _monitor() -> Iterator[PacketMonitor]:
    """Return the program, loaded anew."""
    with packet_monitor() as monitor:
        yield monitor


@pytest.fixture(name="veth")
def _veth() -> Iterator[int]:
    """Return the number of an interface that is not the loopback."""
    name = f"pl{os.getpid()}"
    subprocess.run(["ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}p"], check=True)
    yield socket.if_nametoindex(name)
    subprocess.run(["ip", "link", "del", name], check=True)


NOBODY = str(IPv4Address(0))
PLAIN = ipv4(tcp())
ROUTED = b"\x83\x07\x04\x0a\x00\x00\x01\x00"
"""A loose source route with one address, and the end of the options."""

READ = {
    "plain": (ethernet(IPV4, PLAIN), TCP, 40_000, 80, 0, Tunnel.NONE),
    "VLAN": (ethernet(IPV4, PLAIN, (VLAN, 7)), TCP, 40_000, 80, 7, Tunnel.NONE),
    "QinQ": (ethernet(IPV4, PLAIN, (QINQ, 9), (VLAN, 7)), TCP, 40_000, 80, 9, Tunnel.NONE),
    "options": (ethernet(IPV4, ipv4(tcp(), options=b"\x01" * 39 + b"\0")), TCP, 40_000, 80, 0, Tunnel.NONE),
    "UDP": (ethernet(IPV4, ipv4(udp(), protocol=UDP)), UDP, 40_000, 53, 0, Tunnel.NONE),
    "ICMP": (ethernet(IPV4, ipv4(bytes([8, 0]) + bytes(6), protocol=ICMP)), ICMP, 8, 0, 0, Tunnel.NONE),
    "SCTP": (ethernet(IPV4, ipv4(udp(destination=9), protocol=SCTP)), SCTP, 40_000, 9, 0, Tunnel.NONE),
    "GRE": (ethernet(IPV4, ipv4(bytes(8), protocol=47)), 47, 0, 0, 0, Tunnel.GRE),
    "IPIP": (ethernet(IPV4, ipv4(PLAIN, protocol=4)), 4, 0, 0, 0, Tunnel.IP_IN_IP),
    "VXLAN": (
        ethernet(IPV4, ipv4(udp(destination=4789, data=bytes(8)), protocol=UDP)),
        UDP,
        40_000,
        4789,
        0,
        Tunnel.VXLAN,
    ),
    "IPv6": (ethernet(IPV6, ipv6(tcp())), TCP, 40_000, 80, 0, Tunnel.NONE),
    "IPv6 extensions": (
        ethernet(
            IPV6,
            ipv6(extension(60, size=16) + extension(43) + extension(60, kind=4) + extension(TCP) + tcp(), following=0),
        ),
        TCP,
        40_000,
        80,
        0,
        Tunnel.NONE,
    ),
    "IPv6 authentication": (
        ethernet(IPV6, ipv6(bytes([TCP, 4]) + bytes(22) + tcp(), following=51)),
        TCP,
        40_000,
        80,
        0,
        Tunnel.NONE,
    ),
    "ICMPv6": (ethernet(IPV6, ipv6(bytes([128, 0]) + bytes(6), following=ICMPV6)), ICMPV6, 128, 0, 0, Tunnel.NONE),
    "lone fragment": (
        ethernet(IPV6, ipv6(bytes([TCP, 0, 0, 0]) + bytes(4) + tcp(), following=44)),
        TCP,
        40_000,
        80,
        0,
        Tunnel.NONE,
    ),
}


@pytest.mark.parametrize("case", READ.values(), ids=READ)
def test_what_is_read(monitor: PacketMonitor, case: tuple[bytes, int, int, int, int, Tunnel]) -> None:
    """Of every kind of frame the flow is told with its protocol, ports, VLAN and tunnel, and nothing is found wrong."""
    frame, protocol, source_port, destination_port, vlan, tunnel = case

    assert monitor.run(frame) == XDP_PASS
    (flow,) = monitor.records()
    assert isinstance(flow, NetworkFlow)
    assert (protocol, source_port, destination_port) == (flow.protocol, flow.source_port, flow.destination_port)
    assert (vlan, tunnel, len(frame)) == (flow.vlan, flow.tunnel, flow.length)
    assert address(flow.source) in {ip_address("198.51.100.7"), ip_address("2001:db8:1::7")}
    assert address(flow.destination) in {ip_address("192.0.2.1"), ip_address("2001:db8::1")}
    assert monitor.anomalies() == set()


def _flags(flags: int) -> bytes:
    return ethernet(IPV4, ipv4(tcp(flags=flags)))


def _extended(count: int) -> bytes:
    """Return a frame with so many extension headers."""
    return ethernet(IPV6, ipv6(extension(60) * (count - 1) + extension(TCP) + tcp(), following=60))


WRONG: dict[str, tuple[bytes, set[Anomaly]]] = {
    "no flags": (_flags(0), {Anomaly.NULL_FLAGS}),
    "Xmas": (_flags(FIN | PSH | URG), {Anomaly.XMAS}),
    "all flags": (_flags(0x3F), {Anomaly.SYN_FIN}),
    "SYN and FIN": (_flags(SYN | FIN), {Anomaly.SYN_FIN}),
    "SYN and RST": (_flags(SYN | RST), {Anomaly.SYN_RST}),
    "FIN alone": (_flags(FIN), {Anomaly.FIN_WITHOUT_ACK}),
    "FIN and ACK": (_flags(FIN | ACK), set()),
    "RST": (_flags(RST), set()),
    "URG and ACK": (_flags(URG | ACK | PSH), set()),
    "congestion flags": (_flags(SYN | 0xC0), set()),
    "port 0": (ethernet(IPV4, ipv4(tcp(destination=0))), {Anomaly.PORT_ZERO}),
    "short header": (ethernet(IPV4, ipv4(tcp(words=4))), {Anomaly.BAD_LENGTH}),
    "header past the end": (ethernet(IPV4, ipv4(tcp(words=15))), {Anomaly.BAD_LENGTH}),
    "length past the end": (ethernet(IPV4, ipv4(tcp(), length=41)), {Anomaly.BAD_LENGTH}),
    "length inside the header": (ethernet(IPV4, ipv4(tcp(), length=19)), {Anomaly.BAD_LENGTH}),
    "padding": (ethernet(IPV4, PLAIN + bytes(6)), set()),
    "other version": (ethernet(IPV4, ipv4(tcp(), version=6)), {Anomaly.BAD_LENGTH}),
    "four words of header": (ethernet(IPV4, ipv4(tcp(), words=4)), {Anomaly.BAD_LENGTH}),
    "options past the end": (ethernet(IPV4, ipv4(b"", words=15)), {Anomaly.TRUNCATED}),
    "cut off in TCP": (ethernet(IPV4, PLAIN[:-1]), {Anomaly.BAD_LENGTH, Anomaly.TRUNCATED}),
    "cut off in IPv4": (ethernet(IPV4, PLAIN[:19]), {Anomaly.TRUNCATED}),
    "cut off in IPv6": (ethernet(IPV6, ipv6(b"")[:39]), {Anomaly.TRUNCATED}),
    "cut off in a tag": (ethernet(VLAN, b"\0"), {Anomaly.TRUNCATED}),
    "UDP past the end": (ethernet(IPV4, ipv4(udp(length=9), protocol=UDP)), {Anomaly.BAD_LENGTH}),
    "UDP of seven bytes": (ethernet(IPV4, ipv4(udp(length=7), protocol=UDP)), {Anomaly.BAD_LENGTH}),
    "loose source route": (ethernet(IPV4, ipv4(tcp(), options=ROUTED)), {Anomaly.SOURCE_ROUTED}),
    "strict source route": (ethernet(IPV4, ipv4(tcp(), options=b"\x01\x89\x03\0")), {Anomaly.SOURCE_ROUTED}),
    "source route in padding": (ethernet(IPV4, ipv4(tcp(), options=b"\0\x83\x03\0")), set()),
    "empty option": (ethernet(IPV4, ipv4(tcp(), options=b"\x07\0\0\0")), {Anomaly.BAD_OPTIONS}),
    "long option": (ethernet(IPV4, ipv4(tcp(), options=b"\x07\x05\0\0")), {Anomaly.BAD_OPTIONS}),
    "routing header 0": (
        ethernet(IPV6, ipv6(extension(TCP, kind=0) + tcp(), following=43)),
        {Anomaly.SOURCE_ROUTED},
    ),
    "hop-by-hop behind another": (
        ethernet(IPV6, ipv6(extension(0) + extension(TCP) + tcp(), following=60)),
        {Anomaly.BAD_CHAIN},
    ),
    "two routing headers": (
        ethernet(IPV6, ipv6(extension(43, kind=4) + extension(TCP, kind=4) + tcp(), following=43)),
        {Anomaly.BAD_CHAIN},
    ),
    "eight extensions": (_extended(8), set()),
    "nine extensions": (_extended(9), {Anomaly.BAD_CHAIN}),
    "extension past the end": (
        ethernet(IPV6, ipv6(bytes([TCP, 255]) + bytes(6) + tcp(), following=60)),
        {Anomaly.TRUNCATED},
    ),
    "from a group": (ethernet(IPV4, ipv4(tcp(), source="224.0.0.1")), {Anomaly.BAD_SOURCE}),
    "from everybody": (ethernet(IPV4, ipv4(tcp(), source="255.255.255.255")), {Anomaly.BAD_SOURCE}),
    "from nobody": (ethernet(IPV4, ipv4(tcp(), source=NOBODY)), {Anomaly.BAD_SOURCE}),
    "asking for an address": (
        ethernet(IPV4, ipv4(udp(source=68, destination=67), source=NOBODY, protocol=UDP)),
        set(),
    ),
    "from an IPv6 group": (ethernet(IPV6, ipv6(tcp(), source="ff02::1")), {Anomaly.BAD_SOURCE}),
    "from no IPv6 address": (ethernet(IPV6, ipv6(tcp(), source="::")), {Anomaly.BAD_SOURCE}),
    "neighbour discovery": (
        ethernet(IPV6, ipv6(bytes([135, 0]) + bytes(22), source="::", following=ICMPV6)),
        set(),
    ),
    "tiny first fragment": (ethernet(IPV4, ipv4(tcp()[:8], fragment=0x2000)), {Anomaly.TINY_FRAGMENT}),
    "fragment inside of TCP's header": (ethernet(IPV4, ipv4(bytes(24), fragment=0x2001)), {Anomaly.TINY_FRAGMENT}),
    "ping of death": (
        ethernet(IPV4, ipv4(bytes(24), protocol=ICMP, fragment=0x1FFF)),
        {Anomaly.OVERSIZED_FRAGMENT},
    ),
    "uneven fragment": (ethernet(IPV4, ipv4(bytes(25), protocol=UDP, fragment=0x2003)), {Anomaly.BAD_LENGTH}),
    "ARP": (ethernet(0x0806, bytes(28)), set()),
    "MPLS": (ethernet(0x8847, bytes(4) + PLAIN), set()),
    "three tags": (ethernet(IPV4, PLAIN, (QINQ, 1), (VLAN, 2), (VLAN, 3)), set()),
}


@pytest.mark.parametrize(("frame", "anomalies"), WRONG.values(), ids=WRONG)
def test_what_is_wrong(monitor: PacketMonitor, frame: bytes, anomalies: set[Anomaly]) -> None:
    """What no honest stack sends is told with its kind, once for each; what one may send is not."""
    assert monitor.run(frame) == XDP_PASS
    told = [record.kind for record in monitor.records() if isinstance(record, PacketAnomaly)]

    assert sorted(anomalies) == told
    assert anomalies == monitor.anomalies()


def _pieces(*stretches: tuple[int, int]) -> list[bytes]:
    """Return fragments of one UDP datagram, each by where it begins and ends."""
    last = max(end for _, end in stretches)
    return [
        ethernet(IPV4, ipv4(b"\x11" * (end - begin), protocol=UDP, fragment=(0x2000 if end < last else 0) | begin // 8))
        for begin, end in stretches
    ]


@pytest.mark.parametrize(
    ("stretches", "wrong"),
    [
        ([(0, 800), (800, 1600), (1600, 1700)], False),
        ([(1600, 1700), (800, 1600), (0, 800)], False),
        ([(0, 800), (1600, 2400), (800, 1600), (2400, 2500)], False),
        ([(0, 800), (0, 800), (800, 900)], False),
        ([(0, 800), (792, 1600), (1600, 1700)], True),
        ([(0, 800), (800, 1600), (400, 408), (1600, 1700)], True),
        ([(0, 2400), (800, 808), (2400, 2408)], True),
    ],
)
def test_overlapping_fragments(monitor: PacketMonitor, stretches: list[tuple[int, int]], wrong: bool) -> None:  # noqa: FBT001 -- a parameter.
    """Fragments that overlap are an anomaly; whole ones in any order, and copies that the network made, are none."""
    for frame in _pieces(*stretches):
        assert monitor.run(frame) == XDP_PASS

    assert ({Anomaly.OVERLAPPING_FRAGMENT} if wrong else set()) == monitor.anomalies()


def test_land(monitor: PacketMonitor, veth: int) -> None:
    """Equal source and destination are an anomaly from outside, and how the host talks to itself on its loopback."""
    frame = ethernet(IPV4, ipv4(tcp(), source="192.0.2.1"))
    monitor.run(frame)
    assert monitor.anomalies() == set()
    monitor.run(frame, interface=veth)

    assert monitor.anomalies() == {Anomaly.LAND}


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.name)
def test_captures_pass(monitor: PacketMonitor, path: Path) -> None:
    """Every frame of the corpus passes and is counted, benign ones without anomaly, malformed ones as such."""
    tried = frames(path)
    for frame in tried:
        assert monitor.run(frame) == XDP_PASS

    assert len(tried) == monitor.totals()["PACKETS"]
    assert sum(map(len, tried)) == monitor.totals()["BYTES"]
    if path.name.startswith("benign"):
        assert monitor.anomalies() == set()
    if path.name.startswith("malformed") and "jumbo" not in path.name:
        assert monitor.anomalies()


def _mutated(frame: bytes, chance: random.Random) -> bytes:
    """Return a frame with some bytes changed, cut off, or doubled."""
    data = bytearray(frame)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(12, len(data))
        data[at] = chance.choice((0, 1, 0xFF, 0x7F, 0x80, chance.randrange(256)))
    if chance.random() < 0.3:
        del data[chance.randrange(14, len(data) + 1) :]
    if chance.random() < 0.1:
        data += data[: LARGEST - len(data)]
    return bytes(data).ljust(14, b"\0")


def test_mutated_frames_pass() -> None:
    """Changed frames of the corpus all pass, and the totals tell every one of them: no table is corrupted."""
    chance = random.Random(1)
    seeds = [frame for path in captures() for frame in frames(path)[:200]]
    seeds += [frame for frame, *_ in READ.values()] + [frame for frame, _ in WRONG.values()]
    size = 0
    with packet_monitor() as monitor:
        for _ in range(MUTATIONS):
            frame = _mutated(chance.choice(seeds), chance)
            assert monitor.run(frame) == XDP_PASS
            size += len(frame)
        totals = monitor.totals()
        words = monitor.words()

        assert (MUTATIONS, size) == (totals["PACKETS"], totals["BYTES"])
        assert totals["PACKETS"] == sum(totals.get(kind, 0) for kind in ("IPV4", "IPV6", "OTHER_NETWORK"))
        transports = ("TCP", "UDP", "ICMP", "ICMPV6", "SCTP", "GRE", "IP_IN_IP", "OTHER_TRANSPORT")
        assert sum(totals.get(kind, 0) for kind in transports) == sum(words[64 : 64 + 256])
        assert monitor.records()


@settings(max_examples=2_000, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    kind=st.sampled_from([IPV4, IPV6, VLAN, QINQ, 0x0806]),
    body=st.binary(max_size=120),
    first=st.sampled_from([0x45, 0x46, 0x4F, 0x60, None]),
)
def test_any_bytes_pass(monitor: PacketMonitor, kind: int, body: bytes, first: int | None) -> None:
    """Whatever follows an Ethernet header, the frame passes."""
    if first is not None and body:
        body = bytes([first]) + body[1:]

    assert monitor.run(ethernet(kind, body)) == XDP_PASS


def test_the_verifier_has_room(monitor: PacketMonitor) -> None:
    """The program takes a small part of what the verifier allows, so that other kernels take it as well."""
    assert program_info(monitor.program).verified_insns < 250_000


def test_flows_are_told_once(monitor: PacketMonitor) -> None:
    """A flow is told when it begins: not its retransmitted SYN, not what follows, but the next from the same port."""
    first = ethernet(IPV4, ipv4(tcp(sequence=1)))
    for frame in (first, first, ethernet(IPV4, ipv4(tcp(flags=ACK, sequence=2, acknowledgement=9)))):
        monitor.run(frame)
    monitor.run(ethernet(IPV4, ipv4(tcp(sequence=5_000_000))))
    for _ in range(3):
        monitor.run(ethernet(IPV4, ipv4(udp(), protocol=UDP)))

    flows = [record for record in monitor.records() if isinstance(record, NetworkFlow)]
    assert [flow.protocol for flow in flows] == [TCP, TCP, UDP]
    assert monitor.totals()["HANDSHAKES"] == 1


def test_handshakes(monitor: PacketMonitor) -> None:
    """An ACK completes a handshake if it continues its SYN, and only once."""
    monitor.run(ethernet(IPV4, ipv4(tcp(sequence=100))))
    for sequence, acknowledgement in ((102, 5), (101, 0)):
        monitor.run(ethernet(IPV4, ipv4(tcp(flags=ACK, sequence=sequence, acknowledgement=acknowledgement))))
    assert "HANDSHAKES" not in monitor.totals()
    for _ in range(3):
        monitor.run(ethernet(IPV4, ipv4(tcp(flags=ACK, sequence=101, acknowledgement=5))))

    assert monitor.totals()["HANDSHAKES"] == 1


def test_a_flood_of_flows_is_told_in_part(monitor: PacketMonitor) -> None:
    """New flows beyond what a second has room for are counted, and the next that is told says how many."""
    limit = 10
    monitor.steer({Policy.FLOWS_PER_SECOND: limit})
    for port in range(1, 201):
        monitor.run(ethernet(IPV4, ipv4(tcp(source=port), source=f"198.51.{port}.1")))

    flows = [record for record in monitor.records() if isinstance(record, NetworkFlow)]
    totals = monitor.totals()
    assert limit <= len(flows) <= 2 * limit
    assert totals["FLOWS"] == 200 == len(flows) + totals["FLOWS_UNTOLD"]


def test_salience_decides_about_flows(monitor: PacketMonitor) -> None:
    """Below the threshold no flow is told, and none is lost from the count."""
    monitor.steer({Policy.FLOW: 1})
    monitor.run(ethernet(IPV4, PLAIN))
    assert monitor.records() == []
    monitor.steer({})
    monitor.run(ethernet(IPV4, ipv4(tcp(source=2))))

    (flow,) = monitor.records()
    assert isinstance(flow, NetworkFlow)
    assert flow.untold == 1


def test_amplifiers_are_counted(monitor: PacketMonitor) -> None:
    """Answers from ports of services that amplify are counted by service."""
    for port, count in ((53, 3), (11211, 2), (123, 1)):
        for _ in range(count):
            monitor.run(ethernet(IPV4, ipv4(udp(source=port, destination=40_000), protocol=UDP)))

    totals = monitor.totals()
    assert (totals["DNS"], totals["MEMCACHED"], totals["NTP"]) == (3, 2, 1)


def test_pulses_add_up(monitor: PacketMonitor) -> None:
    """The windows in which packets are counted hold them all, if they lie within the time that is remembered."""
    for _ in range(50):
        monitor.run(ethernet(IPV4, PLAIN))
    words = monitor.words()

    assert sum(words[64 + 256 + 1 :: 2]) == 50
