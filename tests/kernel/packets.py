"""Frames, made or read from captures, and the network monitor's program run on them."""

import ctypes
import os
import random
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from pyloader.binding import BpfObject, PerCpuArray, RingReader, write_numbers
from pyloader.binding.library import library_path
from pyloader.monitors import Transport
from pyloader.monitors.network import (
    CONSTANTS,
    CONSTANTS_LAYOUT,
    NETWORK,
    POLICY,
    POLICY_LAYOUT,
    PROGRAM,
    TRAFFIC_WORDS,
)
from pyloader.monitors.objects import read_object
from pyloader.monitors.prepare import RINGS, prepare
from pyloader.records import AnyRecord, Policy, Traffic
from pyloader.records.codec import decode_batch
from pyloader.records.network import Anomaly
from tests.kernel.prog_run import Ran, prog_run

XDP_PASS = 2
RING_BYTES = 1 << 22

IPV4, IPV6, VLAN, QINQ = 0x0800, 0x86DD, 0x8100, 0x88A8
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32


class _Context(ctypes.Structure):
    """`struct xdp_md` (include/uapi/linux/bpf.h)."""

    _fields_ = (
        ("data", ctypes.c_uint32),
        ("data_end", ctypes.c_uint32),
        ("data_meta", ctypes.c_uint32),
        ("ingress_ifindex", ctypes.c_uint32),
        ("rx_queue_index", ctypes.c_uint32),
        ("egress_ifindex", ctypes.c_uint32),
    )


def run_program(program_fd: int, frame: bytes, *, repeat: int = 1, interface: int = 0) -> Ran:
    """Run an XDP program on a frame as if it came in there; return its verdict and the nanoseconds of one run.

    Without an interface the frame comes in at the loopback interface.
    """
    context = _Context(data_end=len(frame), ingress_ifindex=interface) if interface else None
    return prog_run(program_fd, frame=frame, context=context, repeat=repeat)


@contextmanager
def foreign_program() -> Iterator[int]:
    """Load an XDP program that is none of ours and lets everything pass; yield its descriptor."""
    # Two instructions: the verdict into the register of results, and the end.
    instructions = struct.pack("<BBhiBBhi", 0xB7, 0, 0, XDP_PASS, 0x95, 0, 0, 0)
    program_fd = ctypes.CDLL(str(library_path())).bpf_prog_load(6, b"foreign", b"GPL", instructions, 2, None)
    assert program_fd >= 0, os.strerror(-program_fd)
    try:
        yield program_fd
    finally:
        os.close(program_fd)


class PacketMonitor:
    """The network monitor's program, loaded and on no interface."""

    def __init__(self, loaded: BpfObject) -> None:
        self.object = loaded
        self.program = loaded.program_fd(PROGRAM)
        self._reader = RingReader([(loaded.map_fd(ring), RING_BYTES) for ring in RINGS])
        self._totals = PerCpuArray(loaded.map_fd("traffic"), width=TRAFFIC_WORDS)
        self.steer({})

    def steer(self, changes: dict[Policy, int]) -> None:
        """Set the policy, with changes."""
        table = POLICY | changes
        write_numbers(self.object.map_fd("policy"), 0, POLICY_LAYOUT, *[table[one] for one in Policy])

    def run(self, frame: bytes, *, repeat: int = 1, interface: int = 0) -> int:
        """Run the program on a frame and return its verdict."""
        return run_program(self.program, frame, repeat=repeat, interface=interface).result

    def records(self) -> list[AnyRecord]:
        """Return what was told since the last call."""
        records: list[AnyRecord] = []
        more = True
        while more:
            batch, more = self._reader.read(2**64 - 1)
            if batch is not None:
                decoded, malformed = decode_batch(batch.data, batch.ends, 0)
                assert not malformed
                records += decoded
            self._reader.acknowledge()
        return records

    def words(self) -> list[int]:
        """Return the words of the totals, all CPUs together."""
        return [sum(numbers) for numbers in zip(*self._totals.read(0), strict=True)]

    def totals(self) -> dict[str, int]:
        """Return what is not 0 of the counts, by name."""
        words = self.words()
        counts = {one.name: words[one] for one in Traffic if one < Traffic.ANOMALY}
        return {name: count for name, count in counts.items() if count}

    def anomalies(self) -> set[Anomaly]:
        """Return which anomalies were seen."""
        words = self.words()
        return {one for one in Anomaly if words[Traffic.ANOMALY + one]}

    def close(self) -> None:
        """Unmap the rings."""
        self._reader.close()


def _constants() -> bytes:
    """Return the program's constants, with a key that is the same in every run."""
    chance = random.Random(5)
    key = [chance.getrandbits(64) | 1 for _ in range(4)]
    assert NETWORK.constants is not None
    _, _, _, _, *rest = struct.unpack(CONSTANTS_LAYOUT, NETWORK.constants()[CONSTANTS])
    return struct.pack(CONSTANTS_LAYOUT, *key, *rest)


@contextmanager
def packet_monitor() -> Iterator[PacketMonitor]:
    """Load the network monitor's program."""
    with BpfObject.open(read_object(NETWORK.object), "network_monitor") as loaded:
        prepare(loaded, transport=Transport.RING, ring_bytes=RING_BYTES)
        loaded.set_constants(CONSTANTS, _constants())
        loaded.load()
        monitor = PacketMonitor(loaded)
        try:
            yield monitor
        finally:
            monitor.close()


def ethernet(kind: int, payload: bytes, *tags: tuple[int, int]) -> bytes:
    """Return a frame; `tags` are VLAN tags as type and number."""
    head = b"".join(struct.pack("!HH", tag, number) for tag, number in tags)
    # Each tag's type stands before it, and the payload's own at the end.
    return bytes(12) + head + struct.pack("!H", kind) + payload


def ipv4(
    payload: bytes,
    *,
    source: str = "198.51.100.7",
    destination: str = "192.0.2.1",
    protocol: int = TCP,
    options: bytes = b"",
    length: int | None = None,
    fragment: int = 0,
    identifier: int = 1,
    version: int = 4,
    words: int | None = None,
) -> bytes:
    """Return an IPv4 packet; `fragment` is the field with flags and offset."""
    size = 20 + len(options)
    head = struct.pack(
        "!BBHHHBBH",
        version << 4 | (words if words is not None else size // 4),
        0,
        length if length is not None else size + len(payload),
        identifier,
        fragment,
        64,
        protocol,
        0,
    )
    return head + ip_address(source).packed + ip_address(destination).packed + options + payload


def ipv6(
    payload: bytes,
    *,
    source: str = "2001:db8:1::7",
    destination: str = "2001:db8::1",
    following: int = TCP,
    length: int | None = None,
) -> bytes:
    """Return an IPv6 packet."""
    size = len(payload) if length is None else length
    return (
        struct.pack("!IHBB", 6 << 28, size, following, 64)
        + ip_address(source).packed
        + ip_address(destination).packed
        + payload
    )


def tcp(
    *,
    source: int = 40_000,
    destination: int = 80,
    flags: int = SYN,
    sequence: int = 100,
    acknowledgement: int = 0,
    words: int = 5,
    data: bytes = b"",
) -> bytes:
    """Return a TCP segment."""
    return (
        struct.pack("!HHIIBBHHH", source, destination, sequence, acknowledgement, words << 4, flags, 512, 0, 0) + data
    )


def udp(*, source: int = 40_000, destination: int = 53, data: bytes = b"", length: int | None = None) -> bytes:
    """Return a UDP datagram."""
    return struct.pack("!HHHH", source, destination, 8 + len(data) if length is None else length, 0) + data


def extension(following: int, *, size: int = 8, kind: int = 1) -> bytes:
    """Return an IPv6 extension header; `kind` is that of a routing header."""
    return bytes([following, size // 8 - 1, kind]) + bytes(size - 3)


def captured(path: Path) -> list[bytes]:
    """Return the frames of a capture, pcap or pcapng, with an Ethernet header if it has none."""
    data = path.read_bytes()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return [frame for kind, frame in _blocks(data) if kind]
    order = "<" if data[:4] in {b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"} else ">"
    (link,) = struct.unpack_from(f"{order}I", data, 20)
    frames, at = [], 24
    while at + 16 <= len(data):
        (size,) = struct.unpack_from(f"{order}I", data, at + 8)
        frame = data[at + 16 : at + 16 + size]
        frames.append(frame if link == 1 else ethernet(IPV6 if link == 229 else IPV4, frame))
        at += 16 + size
    return frames


def _blocks(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Yield the blocks of a little-endian pcapng file: whether it is an enhanced packet, and its frame."""
    at = 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + size - 4]
        is_packet = kind == 6
        captured_size = struct.unpack_from("<I", body, 12)[0] if is_packet else 0
        yield is_packet, body[20 : 20 + captured_size]
        at += max(12, size)
