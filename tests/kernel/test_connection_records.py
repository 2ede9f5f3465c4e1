"""Every field of the records of TCP connections, from real sockets, on each rung and by each transport."""

import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Self

import pytest

from pyloader import Assessment
from pyloader.monitors import CONNECTION
from pyloader.records import (
    ConnectionClosed,
    ConnectionOpened,
    Direction,
    Outcome,
    Record,
    SocketListening,
    SocketRecord,
    text,
)
from tests.kernel.observing import Observe, observe, of_type, run

FAMILIES = [
    pytest.param(socket.AF_INET, "127.0.0.1", "127.0.0.1", id="ipv4"),
    pytest.param(socket.AF_INET6, "::1", "::1", id="ipv6"),
    pytest.param(socket.AF_INET6, "::ffff:127.0.0.1", "127.0.0.1", id="ipv4-mapped"),
]
"""The family of the socket, the address that it is given, and the address that a record shows."""


def _listen(family: int, host: str) -> socket.socket:
    """Return a socket that listens on a free port."""
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind((host, 0))
    server.listen(7)
    return server


def _opened(seen: list[Assessment], port: int, direction: Direction) -> ConnectionOpened:
    """Return the one connection that was asked for at a port of a server, as one of its sides tells."""
    (found,) = [one for one in of_type(ConnectionOpened, seen) if _is_at(one, port, direction)]
    return found


def _closed(seen: list[Assessment], port: int, direction: Direction) -> ConnectionClosed:
    """Return the end of that connection."""
    (found,) = [one for one in of_type(ConnectionClosed, seen) if _is_at(one, port, direction)]
    return found


def _is_at(record: ConnectionOpened | ConnectionClosed, port: int, direction: Direction) -> bool:
    servers = record.remote_port if direction == Direction.OUTBOUND else record.local_port
    return direction == record.direction and port == servers


def _is_ours(record: SocketRecord) -> None:
    """Fail if a record does not name this process."""
    assert (os.getpid(), os.getppid(), os.getuid()) == (record.pid, record.ppid, record.uid)
    own = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    assert own == record.start // 10_000_000
    assert Path("/proc/self/comm").read_text().strip() == text(record.comm)
    assert Path("/proc/self/ns/net").stat().st_ino == record.net_namespace
    assert record.protocol == socket.IPPROTO_TCP


@pytest.mark.parametrize(("family", "host", "shown"), FAMILIES)
def test_connection_tells_both_ends(observe_connections: Observe, family: int, host: str, shown: str) -> None:
    """Each side of a connection tells its outcome and its end, with process, addresses, bytes and duration."""
    ports: list[int] = []

    def action() -> None:
        with _listen(family, host) as server, socket.socket(family) as client:
            client.connect((host, server.getsockname()[1]))
            accepted, _ = server.accept()
            with accepted:
                ports.extend([server.getsockname()[1], client.getsockname()[1]])
                client.sendall(b"x" * 3000)
                assert accepted.recv(3000, socket.MSG_WAITALL)
                accepted.sendall(b"y" * 50)
                assert client.recv(50, socket.MSG_WAITALL)
                time.sleep(0.05)
                client.close()
                assert accepted.recv(1) == b""

    seen = observe_connections(action)

    address = ip_address(shown)
    server_port, client_port = ports
    (listening,) = [one for one in of_type(SocketListening, seen) if one.local_port == server_port]
    assert (family, address, 7) == (listening.family, listening.local, listening.backlog)
    _is_ours(listening)
    for direction, local, remote, sent, received in (
        (Direction.OUTBOUND, client_port, server_port, 3000, 50),
        (Direction.INBOUND, server_port, client_port, 50, 3000),
    ):
        opened, closed = _opened(seen, server_port, direction), _closed(seen, server_port, direction)
        for record in (opened, closed):
            _is_ours(record)
            assert family == record.family
            assert (address, local) == (record.local, record.local_port)
            assert (address, remote) == (record.remote, record.remote_port)
            assert record.error == 0
        assert opened.outcome == Outcome.ESTABLISHED
        assert (opened.duration > 0) == (direction == Direction.OUTBOUND)
        assert (sent, received) == (closed.sent, closed.received)
        assert 50_000_000 <= closed.duration <= closed.timestamp - opened.timestamp + 1_000_000


@pytest.mark.parametrize(("family", "host", "shown"), FAMILIES)
def test_refused_connection(observe_connections: Observe, family: int, host: str, shown: str) -> None:
    """A connection to a port where nobody listens is told as refused, once, and has no end."""
    with _listen(family, host) as server:
        port = server.getsockname()[1]

    def action() -> None:
        with socket.socket(family) as client:
            assert client.connect_ex((host, port)) == 111

    seen = observe_connections(action)

    opened = _opened(seen, port, Direction.OUTBOUND)
    _is_ours(opened)
    assert (opened.outcome, opened.error) == (Outcome.REFUSED, 111)
    assert ip_address(shown) == opened.remote
    assert opened.local_port != 0
    assert [one for one in of_type(ConnectionClosed, seen) if port in (one.local_port, one.remote_port)] == []


def test_reset_connection(observe_connections: Observe) -> None:
    """A connection that breaks by a reset tells the error at its end, on the side that got the reset."""
    ports: list[int] = []

    def action() -> None:
        with _listen(socket.AF_INET, "127.0.0.1") as server:
            ports.append(server.getsockname()[1])
            with socket.create_connection(server.getsockname()):
                accepted, _ = server.accept()
                # No lingering: the socket is closed by a reset.
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                accepted.close()

    seen = observe_connections(action)

    assert _closed(seen, ports[0], Direction.OUTBOUND).error == 104
    assert _closed(seen, ports[0], Direction.INBOUND).error == 0


_SERVER = """\
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        accepted, _ = server.accept()
        with accepted:
            data = accepted.recv(64)
            accepted.sendall(data)
            accepted.recv(1)
"""


@pytest.fixture(name="server")
def _server() -> Iterator[tuple[int, int]]:
    """Yield pid and port of a server in a process of its own, which was there before the monitor."""
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
        process.terminate()


def _ask(port: int) -> None:
    """Have a server answer."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"hello")
        assert client.recv(64) == b"hello"
    # The server sees the end before it closes its side.
    time.sleep(0.05)


def test_server_that_listened_before(observe_connections: Observe, server: tuple[int, int]) -> None:
    """Who accepts is known even if it listened before the monitor; each connection is told once."""
    pid, port = server

    def action() -> None:
        _ask(port)
        _ask(port)

    seen = observe_connections(action)

    inbound = [one for one in of_type(ConnectionOpened, seen) if port == one.local_port]
    ended = [one for one in of_type(ConnectionClosed, seen) if port == one.local_port]
    assert [(pid, Direction.INBOUND)] * 2 == [(one.pid, one.direction) for one in inbound]
    assert [(pid, 5, 5)] * 2 == [(one.pid, one.sent, one.received) for one in ended]


def test_connection_that_was_there_before(observe_connections: Observe) -> None:
    """A connection that was open before the monitor is told at its end, by the processes that end it."""
    with _listen(socket.AF_INET, "127.0.0.1") as server:
        port = server.getsockname()[1]
        client = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()

        def action() -> None:
            client.sendall(b"late")
            client.close()
            assert accepted.recv(4) == b"late"
            accepted.close()

        seen = observe_connections(action)

    ended = [one for one in of_type(ConnectionClosed, seen) if port in (one.local_port, one.remote_port)]
    assert [one for one in of_type(ConnectionOpened, seen) if port in (one.local_port, one.remote_port)] == []
    assert [(os.getpid(), Direction.UNKNOWN, 0)] * 2 == [(one.pid, one.direction, one.duration) for one in ended]
    assert {(4, 0), (0, 4)} == {(one.sent, one.received) for one in ended}


def test_shared_port_names_the_one_that_reads() -> None:
    """Where two processes listen on one port, a connection is that of the one that took it up."""
    code = _SERVER.replace('("127.0.0.1", 0)', '("127.0.0.1", int(sys.argv[1])), reuse_port=True')
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as own:
        port = own.getsockname()[1]
        pids: list[int] = []

        def action() -> None:
            commands = [[sys.executable, "-c", code, str(port)] for _ in range(2)]
            children = [subprocess.Popen(command, stdout=subprocess.PIPE) for command in commands]
            for child in children:
                assert child.stdout is not None
                child.stdout.readline()
                pids.append(child.pid)
            own.close()
            for _ in range(8):
                _ask(port)
            for child in children:
                child.terminate()
                child.communicate()

        seen = observe(action, CONNECTION)

    inbound = {one.remote_port: one.pid for one in of_type(ConnectionOpened, seen) if port == one.local_port}
    ended = {one.remote_port: one.pid for one in of_type(ConnectionClosed, seen) if port == one.local_port}
    assert set(pids) >= set(inbound.values())
    assert len(inbound) == 8
    assert inbound == ended


class _Namespaces:
    """Two network namespaces: packets of the first go to the second, which refuses them or lets them vanish."""

    def __init__(self) -> None:
        self.inner, self.router = (f"pyloader-{os.getpid()}-{name}" for name in ("inner", "router"))

    def __enter__(self) -> Self:
        inner, router = self.inner, self.router
        for name in (inner, router):
            self._ip("netns", "add", name)
            self._ip("-n", name, "link", "set", "lo", "up")
        self._ip("-n", inner, "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", router)
        for name, device, address in ((inner, "veth0", "192.0.2.1/24"), (router, "veth1", "192.0.2.2/24")):
            self._ip("-n", name, "addr", "add", address, "dev", device)
            self._ip("-n", name, "link", "set", device, "up")
        self._ip("-n", inner, "route", "add", "default", "via", "192.0.2.2")
        self._ip("-n", router, "route", "add", "unreachable", "198.51.100.0/24")
        self._ip("-n", router, "route", "add", "blackhole", "203.0.113.0/24")
        self._ip("netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        return self

    def __exit__(self, *_: object) -> None:
        for name in (self.inner, self.router):
            self._ip("netns", "delete", name)

    @staticmethod
    def _ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True)


_ATTEMPT = """\
import socket, sys
client = socket.socket()
client.settimeout(float(sys.argv[2]) or None)
client.setsockopt(socket.IPPROTO_TCP, 18, 500)  # TCP_USER_TIMEOUT
try:
    client.connect((sys.argv[1], 4444))
except OSError as error:
    print(error)
"""


def test_failed_connections(observe_connections: Observe) -> None:
    """What fails on the way is told as timed out, unreachable or abandoned, also from another network namespace."""
    targets = {
        "203.0.113.9": ("0", Outcome.TIMED_OUT, 110),
        "198.51.100.9": ("0", Outcome.UNREACHABLE, 113),
        "203.0.113.10": ("0.2", Outcome.ABANDONED, 0),
    }
    pids: dict[str, int] = {}

    with _Namespaces() as namespaces:
        enter = ["ip", "netns", "exec", namespaces.inner]
        inode = Path(f"/run/netns/{namespaces.inner}").stat().st_ino

        def action() -> None:
            for target, (patience, _, _) in targets.items():
                with subprocess.Popen(
                    [*enter, sys.executable, "-c", _ATTEMPT, target, patience], stdout=subprocess.DEVNULL
                ) as child:
                    pids[target] = child.pid

        seen = observe_connections(action)

    attempts = {str(one.remote): one for one in of_type(ConnectionOpened, seen) if one.remote_port == 4444}
    assert set(targets) == set(attempts)
    for target, (_, outcome, error) in targets.items():
        record = attempts[target]
        assert (outcome, error) == (record.outcome, record.error)
        assert (pids[target], inode) == (record.pid, record.net_namespace)
        assert str(record.local) == "192.0.2.1"
    assert attempts["203.0.113.10"].duration >= 200_000_000


def test_own_scan_names_its_process() -> None:
    """A process that tries port after port of another host is named in every attempt."""
    pids: list[int] = []

    def action() -> None:
        with subprocess.Popen(
            ["nmap", "-sT", "-n", "-Pn", "--max-retries", "0", "-p", "20000-20199", "127.0.0.1"],
            stdout=subprocess.DEVNULL,
        ) as child:
            pids.append(child.pid)

    records: list[Record] = [one.record for one in observe(action, CONNECTION)]

    attempts = [one for one in records if isinstance(one, ConnectionOpened) and one.pid == pids[0]]
    refused = {one.remote_port for one in attempts if one.outcome == Outcome.REFUSED}
    assert len(refused & set(range(20_000, 20_200))) > 195


def test_programs_that_end_keep_their_connections(observe_connections: Observe, server: tuple[int, int]) -> None:
    """The end of a connection names the process that opened it, also when that is gone by then."""
    _, port = server
    run(["true"])
    pids: list[int] = []

    def action() -> None:
        code = "import os, socket, sys\ns = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\nos._exit(0)\n"
        with subprocess.Popen([sys.executable, "-c", code, str(port)]) as child:
            pids.append(child.pid)
        time.sleep(0.1)

    seen = observe_connections(action)

    assert pids == [_opened(seen, port, Direction.OUTBOUND).pid]
    assert pids == [_closed(seen, port, Direction.OUTBOUND).pid]
