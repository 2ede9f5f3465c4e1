"""The connection monitor: connections, who accepts them, datagrams over IPv4 and IPv6, and sockets that bypass both."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pyloader.monitors import Rung
from pyloader.records import (
    AnyRecord,
    ConnectionClosed,
    ConnectionOpened,
    DatagramSent,
    Direction,
    Outcome,
    SocketCreated,
    SocketListening,
    SocketRecord,
)
from tests.vm.guest.comparing import own_comm, same, start_ticks
from tests.vm.guest.rungs import Check, Checks

_FAMILIES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "::ffff:127.0.0.1"))

R = TypeVar("R", bound=SocketRecord)


def check_state(_rung: Rung) -> Check:
    """Connect over each family, send both ways and close; then connect to where nobody listens any more."""
    ports = []
    for family, host in _FAMILIES:
        with socket.socket(family) as server, socket.socket(family) as client:
            server.bind((host, 0))
            server.listen(3)
            client.connect(server.getsockname()[:2])
            accepted, _ = server.accept()
            ports.append((server.getsockname()[1], client.getsockname()[1]))
            client.sendall(bytes(3000))
            accepted.recv(3000, socket.MSG_WAITALL)
            accepted.sendall(bytes(50))
            client.recv(50, socket.MSG_WAITALL)
            client.close()
            accepted.recv(1)
            accepted.close()
        with socket.socket(family) as client:
            refusal = client.connect_ex((host, ports[-1][0]))
            assert refusal == errno.ECONNREFUSED, f"connecting is answered by {refusal}"
    records = yield

    for (family, host), (server_port, client_port) in zip(_FAMILIES, ports, strict=True):
        (listening,) = [one for one in _of(SocketListening, records) if one.local_port == server_port]
        assert (listening.family, listening.backlog) == (family, 3), f"listening is {listening}"
        _is_ours(listening)
        told = [one for one in _of(ConnectionOpened, records) if server_port in (one.local_port, one.remote_port)]
        outcomes = [(one.direction, one.outcome, one.error) for one in told]
        expected = [
            (Direction.OUTBOUND, Outcome.ESTABLISHED, 0),
            (Direction.INBOUND, Outcome.ESTABLISHED, 0),
            (Direction.OUTBOUND, Outcome.REFUSED, errno.ECONNREFUSED),
        ]
        assert sorted(outcomes) == sorted(expected), f"the outcomes are {outcomes}"
        ended = [one for one in _of(ConnectionClosed, records) if server_port in (one.local_port, one.remote_port)]
        sizes = {(one.direction, one.local_port, one.remote_port, one.sent, one.received, one.error) for one in ended}
        assert sizes == {
            (Direction.OUTBOUND, client_port, server_port, 3000, 50, 0),
            (Direction.INBOUND, server_port, client_port, 50, 3000, 0),
        }, f"the ends are {sizes}"
        shown = host.removeprefix("::ffff:")
        for record in told + ended:
            assert (str(record.local), str(record.remote)) == (shown, shown), f"{record} is not from {shown}"
            _is_ours(record)


def check_accept(_rung: Rung) -> Check:
    """Let a child take up a connection at an address where two processes have listened."""
    first = socket.create_server(("127.0.0.1", 0), reuse_port=True)
    port = first.getsockname()[1]
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        with socket.create_server(("127.0.0.1", port), reuse_port=True) as second:
            first.close()
            os.write(go, b"x")
            accepted, _ = second.accept()
            accepted.sendall(accepted.recv(1))
            os._exit(0)
    os.read(ready, 1)
    first.close()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"x")
        client.recv(1)
    os.waitpid(pid, 0)
    os.close(ready)
    os.close(go)
    records = yield

    told = [one for one in _of(ConnectionOpened, records) if one.local_port == port]
    ended = [one for one in _of(ConnectionClosed, records) if one.local_port == port]
    assert [one.pid for one in told] == [pid], f"{pid} accepted, and not {told}"
    assert [one.pid for one in ended] == [pid], f"{pid} accepted, and not {ended}"


def check_datagram(rung: Rung) -> Check:
    """Send datagrams over IPv4, from an IPv6 socket as well, and by a socket with a peer."""
    ports = []
    for family, host in (_FAMILIES[0], _FAMILIES[2]):
        with _receiver(family, host) as port:
            _send(family, (host, port), connected=False)
            ports.append(port)
    with _receiver(*_FAMILIES[0]) as port:
        _send(socket.AF_INET, ("127.0.0.1", port), connected=True)
        ports.append(port)
    records = yield

    for port in ports:
        _is_counted(rung, records, port, "127.0.0.1", connected=port == ports[-1])


def check_datagram6(rung: Rung) -> Check:
    """Send datagrams over IPv6."""
    family, host = _FAMILIES[1]
    with _receiver(family, host) as port:
        _send(family, (host, port), connected=False)
    records = yield

    _is_counted(rung, records, port, "::1", connected=False)


def check_raw(rung: Rung) -> Check:
    """Make a raw socket, a packet socket, and one that is neither."""
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3)).close()
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()
    records = yield

    told = [one for one in _of(SocketCreated, records) if one.pid == os.getpid()]
    kinds = [(one.family, one.socket_type, one.protocol) for one in told]
    packets = 0 if "packet" in rung.blind_to else 3
    assert kinds == [
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        (socket.AF_PACKET, socket.SOCK_DGRAM, packets),
    ], f"the sockets are {kinds}"
    for record in told:
        _is_ours(record)


@contextmanager
def _receiver(family: int, host: str) -> Iterator[int]:
    """Yield the port of a socket that takes datagrams."""
    with socket.socket(family, socket.SOCK_DGRAM) as receiver:
        receiver.bind((host, 0))
        yield receiver.getsockname()[1]


def _send(family: int, to: tuple[str, int], *, connected: bool) -> None:
    """Send eight datagrams of twelve bytes."""
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        if connected:
            sender.connect(to)
        for _ in range(8):
            sender.send(bytes(12)) if connected else sender.sendto(bytes(12), to)


def _is_counted(rung: Rung, records: list[AnyRecord], port: int, shown: str, *, connected: bool) -> None:
    """Fail unless eight datagrams of twelve bytes were told, as far as a rung can see."""
    told = [one for one in _of(DatagramSent, records) if one.remote_port == port and one.pid == os.getpid()]
    blind = "bytes" in rung.blind_to
    numbers = [1] if blind and connected else [1, 2, 4, 8]
    seen = [(one.datagrams, one.size) for one in told]
    assert seen == [(number, 0 if blind else 12 * number) for number in numbers], f"the datagrams are {seen}"
    for record in told:
        assert str(record.remote) == shown, f"the peer is {record.remote}"
        _is_ours(record)


def _of(kind: type[R], records: list[AnyRecord]) -> list[R]:
    return [one for one in records if isinstance(one, kind)]


def _is_ours(record: SocketRecord) -> None:
    """Fail if a record does not name this process."""
    owner = {"pid": os.getpid(), "ppid": os.getppid(), "start": start_ticks(os.getpid()), "uid": 0, "comm": own_comm()}
    same(record, owner | {"net_namespace": Path("/proc/self/ns/net").stat().st_ino})


def hooks() -> Checks:
    """Return the check of each hook, for one round."""
    return {
        "state": check_state,
        "accept": check_accept,
        "datagram": check_datagram,
        "datagram6": check_datagram6,
        "raw": check_raw,
    }
