"""What the network monitor keeps of sources: right on ordinary traffic, and bounded under any other."""

import random
import resource
import struct
from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple

import pytest

from pyloader.binding import map_info, read_numbers
from pyloader.monitors.addresses import MAPS, AddressSet, AddressTable
from pyloader.records import Doubled, NetworkFlow, Policy, SourceSummary, address
from tests.kernel.packets import (
    ACK,
    FIN,
    ICMP,
    IPV4,
    IPV6,
    RST,
    SYN,
    UDP,
    PacketMonitor,
    ethernet,
    ipv4,
    ipv6,
    packet_monitor,
    tcp,
    udp,
)
from tests.kernel.varying import companions

SOURCE = struct.Struct("=16sQQQ8IIIHBB32s12x")
"""`struct source` in bpf/sources.bpf.h."""

ENTRIES = 4096 * 8


class Entry(NamedTuple):
    """What the kernel keeps of a source."""

    first_seen: int
    size: int
    counts: tuple[int, ...]
    ports: int
    addresses: int
    port_map: bytes


@pytest.fixture(name="monitor")
def _monitor() -> Iterator[PacketMonitor]:
    """Return the program, loaded anew."""
    with packet_monitor() as monitor:
        yield monitor


def entries(monitor: PacketMonitor) -> dict[tuple[str, int], Entry]:
    """Return all entries by address and prefix."""
    found = {}
    map_fd = monitor.object.map_fd("sources")
    assert (SOURCE.size, ENTRIES) == (map_info(map_fd).value_size, map_info(map_fd).max_entries)
    for index in range(ENTRIES):
        values = read_numbers(map_fd, index, SOURCE.format)
        raw, first_seen, size, _, *rest = values
        counts, (_, _, ports, addresses, prefix, port_map) = rest[:8], rest[8:]
        if prefix:
            entry = Entry(first_seen, size, tuple(counts), ports, addresses, port_map)  # type: ignore[arg-type]
            found[str(address(raw)), prefix] = entry  # type: ignore[arg-type]
    return found  # type: ignore[return-value]


def summaries(monitor: PacketMonitor, prefix: int = 128) -> list[SourceSummary]:
    """Return the summaries of single sources that were told."""
    return [one for one in monitor.records() if isinstance(one, SourceSummary) and one.prefix == prefix]


def scan(count: int, *, source: str = "198.51.100.7", flags: int = SYN, first: int = 1) -> list[bytes]:
    """Return the probes of a port scan."""
    wrap, kind = (ipv6, IPV6) if ":" in source else (ipv4, IPV4)
    extra = {"destination": "2001:db8::1"} if ":" in source else {}
    return [
        ethernet(kind, wrap(tcp(source=50_000, destination=first + port, flags=flags), source=source, **extra))  # type: ignore[arg-type]
        for port in range(count)
    ]


@pytest.mark.parametrize("source", ["198.51.100.7", "2001:db8:1::7"])
@pytest.mark.parametrize("flags", [SYN, 0, FIN, FIN | 8 | 32, ACK])
def test_a_scan_is_told_early(monitor: PacketMonitor, flags: int, source: str) -> None:
    """Of a scan of any kind the ports are told at four, eight and sixteen, within twenty probes."""
    for frame in scan(20, source=source, flags=flags):
        monitor.run(frame)

    told = [one for one in summaries(monitor) if one.doubled & Doubled.PORTS]
    assert [one.ports for one in told] == [4, 8, 16]
    assert {ip_address(source)} == {address(one.source) for one in told}


def test_a_udp_scan_is_told_early(monitor: PacketMonitor) -> None:
    """A scan by UDP is told like any other."""
    for port in range(1, 21):
        monitor.run(ethernet(IPV4, ipv4(udp(destination=port), protocol=UDP)))

    assert [one.ports for one in summaries(monitor) if one.doubled & Doubled.PORTS] == [4, 8, 16]


def test_answers_are_no_scan(monitor: PacketMonitor) -> None:
    """A server that answers many connections of this host tries none of its ports."""
    for port in range(40_000, 40_200):
        monitor.run(ethernet(IPV4, ipv4(udp(source=53, destination=port), protocol=UDP)))
        monitor.run(ethernet(IPV4, ipv4(tcp(source=443, destination=port, flags=SYN | ACK))))
        monitor.run(ethernet(IPV4, ipv4(tcp(source=443, destination=port, flags=RST))))

    assert entries(monitor)["198.51.100.7", 128].ports == 0


def test_a_client_that_is_served_is_not_told(monitor: PacketMonitor) -> None:
    """A source that opens, completes and closes its connections to one port is below the threshold."""
    for port in range(40_000, 40_060):
        monitor.run(ethernet(IPV4, ipv4(tcp(source=port, sequence=100))))
        monitor.run(ethernet(IPV4, ipv4(tcp(source=port, sequence=101, flags=ACK, acknowledgement=7))))
        monitor.run(ethernet(IPV4, ipv4(tcp(source=port, sequence=101, flags=FIN | ACK, acknowledgement=7))))

    entry = entries(monitor)["198.51.100.7", 128]
    assert entry.counts[6] == 60
    assert summaries(monitor) == []


def test_a_lone_syn_leaves_no_entry(monitor: PacketMonitor) -> None:
    """A source that sends one packet has no entry, and the totals have the packet."""
    for number in range(1, 200):
        monitor.run(ethernet(IPV4, ipv4(tcp(), source=f"198.{number}.100.7")))

    assert entries(monitor) == {}
    assert monitor.totals()["SYN"] == 199


def _counter(frame: bytes) -> int:
    """Return which of the six counters a frame of this test falls into."""
    protocol = frame[23]
    if protocol == UDP:
        return 3
    if protocol == ICMP:
        return 4
    flags = frame[47]
    return 2 if flags & RST else 1 if flags & FIN else 0 if flags & (SYN | ACK) == SYN else 5


def test_counters_are_those_of_a_model(monitor: PacketMonitor) -> None:
    """On random packets every counter of every source and network is what a model in Python counts."""
    chance = random.Random(2)
    sources = [f"10.{chance.randrange(64)}.{chance.randrange(4)}.{chance.randrange(1, 255)}" for _ in range(120)]
    seen: set[tuple[str, int]] = set()
    counts: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * 7)
    ports: dict[tuple[str, int], set[int]] = defaultdict(set)
    for _ in range(6_000):
        source = chance.choice(sources)
        port = chance.randrange(1, 60)
        body, protocol = chance.choice(
            [
                (tcp(source=chance.randrange(1, 65536), destination=port, flags=chance.choice([SYN, ACK, RST])), 6),
                (tcp(destination=port, flags=FIN | ACK), 6),
                (udp(destination=port), UDP),
                (bytes([8, 0, 0, 0]), ICMP),
            ]
        )
        frame = ethernet(IPV4, ipv4(body, source=source, protocol=protocol))
        monitor.run(frame)
        network = str(IPv4Address(int(IPv4Address(source)) & ~0xFF))
        for key in ((network, 120), (source, 128)):
            if key in seen:
                counts[key][_counter(frame)] += 1
                counts[key][6] += len(frame)
                if protocol != ICMP:
                    ports[key].add(port)
            seen.add(key)

    found = entries(monitor)
    assert counts.keys() == found.keys()
    assert {key: tuple(numbers) for key, numbers in counts.items()} == {
        key: (*entry.counts[:6], entry.size) for key, entry in found.items()
    }
    for key, entry in found.items():
        assert entry.ports == sum(byte.bit_count() for byte in entry.port_map)
        assert len(ports[key]) - 20 <= entry.ports <= len(ports[key])


def test_a_flood_gives_a_handful_of_records(monitor: PacketMonitor) -> None:
    """A million packets from one source give some thirty summaries, each when a counter doubled."""
    monitor.run(ethernet(IPV4, ipv4(udp(), protocol=UDP)), repeat=1_000_000)

    told = summaries(monitor)
    assert 10 <= len(told) <= 40
    assert max(one.udp for one in told if one.doubled & Doubled.UDP) == 1 << 19
    assert all((one.packets & (one.packets - 1)) == 0 for one in told if one.doubled & Doubled.UDP)


def _random_sources(monitor: PacketMonitor, count: int, seed: int) -> None:
    """Let as many single SYNs come from random addresses."""
    chance = random.Random(seed)
    plain = ipv4(tcp())
    head, tail = ethernet(IPV4, plain)[: 14 + 12], plain[16:]
    for _ in range(count):
        monitor.run(head + chance.getrandbits(32).to_bytes(4, "big") + tail)


def test_random_sources_leave_the_tables_alone(monitor: PacketMonitor) -> None:
    """Tens of thousands of lone SYNs give hardly an entry, push out nobody, and a scan is told before and after."""
    for frame in scan(20, source="192.168.3.3"):
        monitor.run(frame)
    before = monitor.totals()
    _random_sources(monitor, 50_000, 3)
    totals = monitor.totals()
    monitor.records()
    for frame in scan(20, source="192.168.3.3", first=1_000) + scan(20, source="192.168.4.4"):
        monitor.run(frame)

    admitted = {name: prefix for (name, prefix) in entries(monitor) if prefix == 128}
    assert "SOURCES_EVICTED" not in totals
    assert totals["SOURCES_ADMITTED"] - before["SOURCES_ADMITTED"] < 50
    assert {"192.168.3.3", "192.168.4.4"} <= admitted.keys()
    told = [one for one in summaries(monitor) if one.doubled & Doubled.PORTS]
    assert [one.ports for one in told if address(one.source) == IPv4Address("192.168.3.3")] == [32]
    assert [one.ports for one in told if address(one.source) == IPv4Address("192.168.4.4")] == [4, 8, 16]


def test_ten_million_packets_from_random_sources(monitor: PacketMonitor) -> None:
    """Ten million packets from random sources leave the memory as it was, and afterwards a scan is told as ever."""
    frame = ethernet(IPV4, ipv4(tcp()))
    with companions() as others:
        others.run(monitor.program, frame, number=1 << 30, repeat=100_000)
        monitor.records()
        before = _resident()
        others.run(monitor.program, frame, number=1 << 30, repeat=10_000_000)
        records = len(monitor.records())
    for probe in scan(20, source="192.168.3.3"):
        monitor.run(probe)

    assert monitor.totals()["PACKETS"] >= 10_000_000
    assert records < 5_000
    assert abs(_resident() - before) < 5 << 20
    ports = [one.ports for one in summaries(monitor) if one.doubled & Doubled.PORTS]
    assert ports == [4, 8, 16]


def _resident() -> int:
    """Return the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_a_scan_survives_a_flood_of_pairs(monitor: PacketMonitor) -> None:
    """Sources that send two packets each and fill all entries push out each other, not the one that scans."""
    for frame in scan(8, source="192.168.3.3"):
        monitor.run(frame)
    chance = random.Random(4)
    for _ in range(60_000):
        frame = ethernet(IPV4, ipv4(tcp(), source=str(IPv4Address(chance.getrandbits(31) | 1 << 24))))
        monitor.run(frame)
        monitor.run(frame)

    assert monitor.totals()["SOURCES_EVICTED"] > 10_000
    assert ("192.168.3.3", 128) in entries(monitor)


def test_cycling_through_a_network_is_told_of_the_network(monitor: PacketMonitor) -> None:
    """Whoever tries each port from another address of its /64 is told as that network."""
    for number, frame in enumerate(scan(20, source="2001:db8:1::7")):
        changed = frame[: 14 + 8 + 8] + number.to_bytes(8, "big") + frame[14 + 8 + 16 :]
        monitor.run(changed)

    told = summaries(monitor, prefix=64)
    assert [one.ports for one in told if one.doubled & Doubled.PORTS] == [4, 8, 16]
    assert {IPv6Address("2001:db8:1::")} == {address(one.source) for one in told}


def test_focus_widens_what_is_told(monitor: PacketMonitor) -> None:
    """All flows of a source in focus are told, whatever the others have used up."""
    table = AddressTable(
        AddressSet.FOCUS, monitor.object.map_fd(MAPS[AddressSet.FOCUS]), monitor.object.map_fd("address_filters")
    )
    focused = IPv6Address("::ffff:192.168.3.3")
    table.replace({focused.packed: 0})
    monitor.steer({Policy.FLOWS_PER_SECOND: 0})
    for frame in scan(30, source="192.168.3.3") + scan(30, source="192.168.4.4"):
        monitor.run(frame)

    flows = [one for one in monitor.records() if isinstance(one, NetworkFlow)]
    assert len(flows) == 30
    assert {IPv4Address("192.168.3.3")} == {address(one.source) for one in flows}


def test_blocks_are_off(monitor: PacketMonitor) -> None:
    """What is on the block list passes as long as blocking is off."""
    table = AddressTable(
        AddressSet.BLOCKED, monitor.object.map_fd(MAPS[AddressSet.BLOCKED]), monitor.object.map_fd("address_filters")
    )
    table.replace({IPv6Address("::ffff:198.51.100.7").packed: 0})

    assert monitor.run(ethernet(IPV4, ipv4(tcp()))) == 2
