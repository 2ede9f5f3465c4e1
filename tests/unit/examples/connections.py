"""Records of connections and sockets: each function fills in what a test does not care about."""

from msgspec.structs import replace

from pyloader.records import ConnectionClosed, ConnectionOpened, DatagramSent, SocketCreated, SocketListening
from tests.unit.examples.ground import HOME, PEER, SECOND, padded

_OPENED = ConnectionOpened(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=10,
    protocol=6,
    comm=padded(b"true"),
    direction=2,
    outcome=1,
    error=0,
    local_address=HOME,
    local_port=40_000,
    remote_address=PEER,
    remote_port=443,
    duration=2_000_000,
)


def opened_record(**fields: object) -> ConnectionOpened:
    """Return a connection of process 100 to a web server."""
    return replace(_OPENED, **fields)


_CLOSED = ConnectionClosed(
    timestamp=2 * SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=10,
    protocol=6,
    comm=padded(b"true"),
    direction=2,
    error=0,
    local_address=HOME,
    local_port=40_000,
    remote_address=PEER,
    remote_port=443,
    duration=SECOND,
    sent=100,
    received=5000,
)


def closed_record(**fields: object) -> ConnectionClosed:
    """Return the end of that connection."""
    return replace(_CLOSED, **fields)


_LISTENING = SocketListening(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=2,
    protocol=6,
    comm=padded(b"true"),
    local_address=HOME,
    local_port=8080,
    backlog=128,
)


def listening_record(**fields: object) -> SocketListening:
    """Return process 100 as it begins to listen on port 8080."""
    return replace(_LISTENING, **fields)


_DATAGRAM = DatagramSent(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=2,
    protocol=17,
    comm=padded(b"true"),
    local_address=HOME,
    local_port=50_000,
    remote_address=PEER,
    remote_port=53,
    datagrams=1,
    size=40,
    peers=1,
)


def datagram_record(**fields: object) -> DatagramSent:
    """Return the first question of process 100 to a name server."""
    return replace(_DATAGRAM, **fields)


_SOCKET = SocketCreated(
    timestamp=SECOND,
    pid=100,
    ppid=1,
    start=1000,
    uid=1000,
    cgroup=7,
    net_namespace=5,
    family=17,
    protocol=3,
    comm=padded(b"true"),
    socket_type=3,
)


def socket_record(**fields: object) -> SocketCreated:
    """Return the packet socket of process 100, which sees every packet."""
    return replace(_SOCKET, **fields)
