"""Records of the network monitor (`bpf/network_monitor.bpf.c`), and the tables that it shares with user space.

The packet path tells little: a new flow, a packet that no honest stack sends, and a source whenever one of its counters
has doubled. Each is told so many times a second at most; what was not told is counted, in the next record of its kind
and in the totals that the sensor reads every second (`NetworkTraffic` in `pyloader.records.sensor`).
"""

from enum import IntEnum, IntFlag

from pyloader.records.wire import U8, U16, U32, U64, Address, Record


class Anomaly(IntEnum):
    """What is wrong with a packet."""

    TRUNCATED = 0
    """The frame ends inside a header."""
    BAD_LENGTH = 1
    """Lengths contradict each other, or the version contradicts the Ethernet type."""
    BAD_OPTIONS = 2
    """IPv4 options do not add up."""
    BAD_CHAIN = 3
    """IPv6 extension headers are too many, repeated, or out of order."""
    SOURCE_ROUTED = 4
    """Loose or strict source route (IPv4), routing header of type 0 (IPv6)."""
    TINY_FRAGMENT = 5
    """A fragment that cuts the transport's header in two (RFC 1858)."""
    OVERLAPPING_FRAGMENT = 6
    OVERSIZED_FRAGMENT = 7
    """A fragment that ends past the largest datagram."""
    BAD_SOURCE = 8
    """A source address that cannot send: multicast, broadcast, loopback from outside, network 0."""
    LAND = 9
    """Source and destination are the same address."""
    OWN_SOURCE = 10
    """The source is an address of this host, and the packet came from outside."""
    PORT_ZERO = 11
    NULL_FLAGS = 12
    """TCP without any flag."""
    XMAS = 13
    """TCP with FIN, PSH and URG, without ACK."""
    SYN_FIN = 14
    SYN_RST = 15
    FIN_WITHOUT_ACK = 16


class Traffic(IntEnum):
    """What is counted of all packets; the counts never go back while the monitor is loaded."""

    PACKETS = 0
    BYTES = 1
    IPV4 = 2
    IPV6 = 3
    OTHER_NETWORK = 4
    """Neither IPv4 nor IPv6, such as ARP."""
    TCP = 5
    UDP = 6
    ICMP = 7
    ICMPV6 = 8
    SCTP = 9
    GRE = 10
    IP_IN_IP = 11
    VXLAN = 12
    """Counted as UDP, too."""
    OTHER_TRANSPORT = 13
    FRAGMENTS = 14
    SYN = 15
    """Without ACK."""
    SYN_ACK = 16
    ACK = 17
    """Without SYN, FIN and RST."""
    FIN = 18
    RST = 19
    HANDSHAKES = 20
    """ACKs with the sequence number that follows a SYN's, the first for each."""
    FLOWS = 21
    FLOWS_UNTOLD = 22
    """New flows of sufficient salience that were one too many for their second."""
    SUMMARIES_UNTOLD = 23
    """Likewise, source summaries."""
    ANOMALIES_UNTOLD = 24
    SOURCES_ADMITTED = 25
    """Sources and networks that got an entry of their own."""
    SOURCES_EVICTED = 26
    """Those that lost it for one that matters more."""
    FLOWS_EVICTED = 27
    """TCP handshakes under way that were forgotten for newer flows, so that their end is not counted."""
    QOTD = 28
    """From here on: UDP packets from the ports of services that amplify."""
    CHARGEN = 29
    DNS = 30
    TFTP = 31
    PORTMAP = 32
    NTP = 33
    NETBIOS = 34
    SNMP = 35
    CLDAP = 36
    RIP = 37
    MSSQL = 38
    SSDP = 39
    ARMS = 40
    WS_DISCOVERY = 41
    STUN = 42
    MDNS = 43
    COAP = 44
    MEMCACHED = 45
    ANOMALY = 46
    """From here on: packets with each `Anomaly`, in its order."""


TRAFFIC_LIMIT = 64
"""Room for that many counts."""

DISPERSION_BINS = 256
"""Packets are also counted by a hash of their source: how evenly they spread tells many sources from few."""

PULSE_WINDOWS = 128
"""Packets are also counted in windows of 2**23 ns; so many windows are remembered."""

PULSE_SHIFT = 23

AMPLIFIERS: dict[Traffic, int] = {
    Traffic.QOTD: 17,
    Traffic.CHARGEN: 19,
    Traffic.DNS: 53,
    Traffic.TFTP: 69,
    Traffic.PORTMAP: 111,
    Traffic.NTP: 123,
    Traffic.NETBIOS: 137,
    Traffic.SNMP: 161,
    Traffic.CLDAP: 389,
    Traffic.RIP: 520,
    Traffic.MSSQL: 1434,
    Traffic.SSDP: 1900,
    Traffic.ARMS: 3283,
    Traffic.WS_DISCOVERY: 3702,
    Traffic.STUN: 3478,
    Traffic.MDNS: 5353,
    Traffic.COAP: 5683,
    Traffic.MEMCACHED: 11211,
}
"""UDP source ports of services that answer with much more than they were asked (US-CERT TA14-017A)."""


class Counter(IntEnum):
    """What is counted of a source, and of a network of sources."""

    SYN = 0
    FIN = 1
    RST = 2
    UDP = 3
    ICMP = 4
    OTHER = 5
    """Every packet is one of the six above; TCP without SYN, FIN and RST is here, and SYN with ACK."""
    HANDSHAKES = 6
    ANOMALIES = 7
    PORTS = 8
    """Bits set among 256 by the destination ports of what opens a flow: n ports set about 256·(1-exp(-n/256))."""
    ADDRESSES = 9
    """Likewise bits set among 64 by destination addresses."""
    BYTES = 10


class Doubled(IntFlag):
    """Which counters of a source reached the next power of two."""

    SYN = 1 << Counter.SYN
    FIN = 1 << Counter.FIN
    RST = 1 << Counter.RST
    UDP = 1 << Counter.UDP
    ICMP = 1 << Counter.ICMP
    OTHER = 1 << Counter.OTHER
    HANDSHAKES = 1 << Counter.HANDSHAKES
    ANOMALIES = 1 << Counter.ANOMALIES
    PORTS = 1 << Counter.PORTS
    ADDRESSES = 1 << Counter.ADDRESSES
    BYTES = 1 << Counter.BYTES


class Policy(IntEnum):
    """The table of signed 32-bit numbers with which user space steers the packet path.

    The salience of a source is the sum over its counters of weight times level, where the level of a count is the
    number of its binary digits. That of a new flow is `FLOW` and the salience of its source. Whoever is in focus has
    `FOCUS` on top. What reaches its threshold is told, up to so many times a second on each CPU.
    """

    SYN = 0
    """The weights of the counters, in their order."""
    FIN = 1
    RST = 2
    UDP = 3
    ICMP = 4
    OTHER = 5
    HANDSHAKES = 6
    ANOMALIES = 7
    PORTS = 8
    ADDRESSES = 9
    BYTES = 10
    FOCUS = 11
    FLOW = 12
    FLOW_THRESHOLD = 13
    SOURCE_THRESHOLD = 14
    FLOWS_PER_SECOND = 15
    ANOMALIES_PER_SECOND = 16
    """Of each kind."""
    SUMMARIES_PER_SECOND = 17
    """Half of them only for sources of twice the threshold."""
    EPHEMERAL_PORTS = 18
    """Where the ports begin that this host gives to its own connections: answers come to them."""
    FOCUSED_FLOWS_PER_SECOND = 19
    """Of all that are in focus; they do not count in `FLOWS_PER_SECOND`, nor their summaries in their number."""


class Tunnel(IntEnum):
    """What stands behind the outer headers, which are all that is looked at."""

    NONE = 0
    GRE = 1
    IP_IN_IP = 2
    VXLAN = 3


class PacketFlag(IntFlag):
    """TCP's flags, as they stand in its header."""

    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16
    URG = 32


class NetworkFlow(Record, frozen=True, tag=12):
    """The first packet of a flow that is not remembered: a SYN, or any packet of another protocol."""

    interface: U32
    """The number of the interface in its network namespace."""
    source: Address
    destination: Address
    source_port: U16
    """For ICMP the type."""
    destination_port: U16
    """For ICMP the code."""
    protocol: U8
    """The number of the transport (IANA), behind IPv6's extension headers."""
    flags: U8
    """`PacketFlag` of TCP, else 0."""
    tunnel: U8
    vlan: U16
    """The outermost VLAN's number, or 0."""
    length: U32
    """Bytes of the frame."""
    salience: U32
    untold: U64
    """New flows on this CPU that were not told since the last one that was, for want of salience or of room."""


class PacketAnomaly(Record, frozen=True, tag=13):
    """A packet that no honest stack sends."""

    kind: U8
    """`Anomaly`; a packet with several is told once for each."""
    interface: U32
    source: Address
    destination: Address
    source_port: U16
    destination_port: U16
    protocol: U8
    flags: U8
    tunnel: U8
    vlan: U16
    length: U32
    untold: U64
    """Packets with this anomaly on this CPU that were not told since the last one that was."""


class SourceSummary(Record, frozen=True, tag=14):
    """What is known of a source, or of a network of sources, now that one of its counters has doubled.

    A source is known from its second packet on, so its counters lack the first.
    """

    source: Address
    prefix: U8
    """Of the address in its IPv6 form: 128 for one source, 120 for an IPv4 network of 24 bits, 64 for IPv6."""
    doubled: U16
    """`Doubled`."""
    first_seen: U64
    """Nanoseconds of the boot-time clock."""
    bytes: U64
    syn: U32
    fin: U32
    rst: U32
    udp: U32
    icmp: U32
    other: U32
    """Counts stop at 2**32-1."""
    handshakes: U32
    anomalies: U32
    anomaly_kinds: U32
    """A bit for each `Anomaly`."""
    ports: U16
    addresses: U16
    salience: U32
    interface: U32
    destination: Address
    """Of the last packet."""
    destination_port: U16
    protocol: U8

    @property
    def packets(self) -> int:
        """All packets."""
        return self.syn + self.fin + self.rst + self.udp + self.icmp + self.other
