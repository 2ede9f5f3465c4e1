"""Records of the connection monitor (`bpf/connection_monitor.bpf.c`).

A TCP connection gives one record at its outcome and one at its end, on either side. Each names the process that opened
the socket, also when the state changes in an interrupt; `pid` is 0 where that was before the monitor.
"""

from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address

from pyloader.records.addresses import address
from pyloader.records.wire import U8, U16, U32, U64, Address, Comm, Record


class Direction(IntEnum):
    """Who asked for a connection."""

    UNKNOWN = 0
    """It was there before the monitor."""
    INBOUND = 1
    """The remote side."""
    OUTBOUND = 2
    """A process of this host."""

    @classmethod
    def _missing_(cls, value: object) -> "Direction":  # noqa: ARG003 -- enum's signature.
        """Take what a newer kernel side tells, or a damaged recording, for unknown."""
        return cls.UNKNOWN


class Outcome(IntEnum):
    """What became of an attempt to connect."""

    OTHER = 0
    """It failed with the record's `error`."""
    ESTABLISHED = 1
    REFUSED = 2
    TIMED_OUT = 3
    UNREACHABLE = 4
    """A router or this host says that there is no way to the host or network."""
    ABANDONED = 5
    """The process closed the socket before there was an answer, or the kernel had no port left for it."""

    @classmethod
    def _missing_(cls, value: object) -> "Outcome":  # noqa: ARG003 -- enum's signature.
        """Take what a newer kernel side tells, or a damaged recording, for another failure."""
        return cls.OTHER


class SocketRecord(Record, frozen=True):
    """What is told of every socket: whose it is, and of which kind."""

    pid: U32
    ppid: U32
    start: U64
    uid: U32
    cgroup: U64
    net_namespace: U32
    family: U16
    """`AF_INET` (2), `AF_INET6` (10) or another one; IPv4 over an IPv6 socket is `AF_INET6` with mapped addresses."""
    protocol: U16
    """`IPPROTO_*`; for packet sockets the `ETH_P_*` that was asked for."""
    comm: Comm


class ConnectionOpened(SocketRecord, frozen=True, tag=16):
    """An attempt to connect came to its outcome, or a connection from outside was established.

    The owner of an inbound connection is the listening process, or, if that listened before the monitor or shares the
    address with others, the one that took it up.
    """

    direction: U8
    outcome: U8
    error: U16
    """The errno of a failure, or 0."""
    local_address: Address
    local_port: U16
    remote_address: Address
    remote_port: U16
    duration: U64
    """Nanoseconds from the attempt to its outcome; 0 for inbound connections."""

    @property
    def local(self) -> IPv4Address | IPv6Address:
        """The address on this host."""
        return address(self.local_address)

    @property
    def remote(self) -> IPv4Address | IPv6Address:
        """The address of the other side."""
        return address(self.remote_address)


class ConnectionClosed(SocketRecord, frozen=True, tag=17):
    """A connection ended: nothing more will be sent or received on it."""

    direction: U8
    error: U16
    """The errno with which it broke, such as that of a reset, or 0."""
    local_address: Address
    local_port: U16
    remote_address: Address
    remote_port: U16
    duration: U64
    """Nanoseconds since it was established; 0 if that was before the monitor."""
    sent: U64
    """Bytes of payload, each counted once."""
    received: U64
    """Bytes of payload."""

    @property
    def local(self) -> IPv4Address | IPv6Address:
        """The address on this host."""
        return address(self.local_address)

    @property
    def remote(self) -> IPv4Address | IPv6Address:
        """The address of the other side."""
        return address(self.remote_address)


class SocketListening(SocketRecord, frozen=True, tag=18):
    """A process waits for TCP connections."""

    local_address: Address
    local_port: U16
    """0 if the process left the choice of the port to the kernel at this moment."""
    backlog: U32
    """How many connections may wait to be accepted."""

    @property
    def local(self) -> IPv4Address | IPv6Address:
        """The address on this host."""
        return address(self.local_address)


class DatagramSent(SocketRecord, frozen=True, tag=19):
    """A process sent UDP datagrams to a peer: told at the first, and whenever their number has doubled.

    Of each process at most 256 such records a second are written, and some more if it is in focus; `peers` counts on.
    """

    local_address: Address
    local_port: U16
    remote_address: Address
    remote_port: U16
    datagrams: U64
    """To this peer so far."""
    size: U64
    """Bytes of payload to this peer so far; 0 where only the search for a route is seen."""
    peers: U32
    """To how many peers, pairs of address and port, this process has sent so far."""

    @property
    def local(self) -> IPv4Address | IPv6Address:
        """The address on this host, or the unspecified one as long as the socket has none."""
        return address(self.local_address)

    @property
    def remote(self) -> IPv4Address | IPv6Address:
        """The address of the other side."""
        return address(self.remote_address)


class SocketCreated(SocketRecord, frozen=True, tag=20):
    """A process has made a socket that bypasses TCP and UDP: raw, packet or XDP."""

    socket_type: U16
    """`SOCK_RAW` (3), `SOCK_DGRAM` (2) or another one."""
