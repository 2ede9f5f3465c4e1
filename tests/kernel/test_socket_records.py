"""Datagrams and sockets that bypass TCP and UDP, with the process that sends or makes them."""

import os
import socket
import subprocess
import sys
from ipaddress import ip_address

import pytest

from pyloader import Assessment
from pyloader.monitors import CONNECTION, Monitor
from pyloader.records import DatagramSent, SocketCreated
from tests.kernel.observing import Observe, observe, of_type

AF_XDP = 44
SOCK_PACKET = 10


def _sent(seen: list[Assessment], port: int) -> list[DatagramSent]:
    """Return what this process is said to have sent to a port."""
    return [one for one in of_type(DatagramSent, seen) if one.pid == os.getpid() and one.remote_port == port]


@pytest.mark.parametrize(
    ("family", "host", "shown"),
    [
        pytest.param(socket.AF_INET, "127.0.0.1", "127.0.0.1", id="ipv4"),
        pytest.param(socket.AF_INET6, "::1", "::1", id="ipv6"),
        pytest.param(socket.AF_INET6, "::ffff:127.0.0.1", "127.0.0.1", id="ipv4-mapped"),
    ],
)
def test_datagrams_are_told_at_the_first_and_at_doublings(
    observe_connections: Observe, connection_rung: Monitor, family: int, host: str, shown: str
) -> None:
    """A process that sends to a peer is told at the first datagram and whenever their number has doubled."""
    ports: list[int] = []

    def action() -> None:
        with socket.socket(family, socket.SOCK_DGRAM) as receiver, socket.socket(family, socket.SOCK_DGRAM) as sender:
            receiver.bind((host, 0))
            for _ in range(20):
                sender.sendto(b"twelve bytes", receiver.getsockname())
            ports.extend([receiver.getsockname()[1], sender.getsockname()[1]])

    told = _sent(observe_connections(action), ports[0])

    assert [one.datagrams for one in told] == [1, 2, 4, 8, 16]
    assert [one.size for one in told] == [12 * one.datagrams if _knows_size(connection_rung) else 0 for one in told]
    for record in told:
        assert ip_address(shown) == record.remote
        assert ports[1] == record.local_port
        assert record.peers == told[0].peers > 0
        assert record.protocol == socket.IPPROTO_UDP
        assert (os.getppid(), os.getuid()) == (record.ppid, record.uid)


def _knows_size(monitor: Monitor) -> bool:
    """Return whether the monitor sees what is sent, and not only the search for a route."""
    return "bytes" not in {hook.name: hook.rungs[0].blind_to for hook in monitor.hooks}["datagram"]


def test_socket_with_a_peer(observe_connections: Observe, connection_rung: Monitor) -> None:
    """A UDP socket that is connected is told with its peer, and where sending is seen, every datagram counts."""
    ports: list[int] = []

    def action() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
            receiver.bind(("127.0.0.1", 0))
            sender.connect(receiver.getsockname())
            for _ in range(4):
                sender.send(b"xyz")
            ports.append(receiver.getsockname()[1])

    told = _sent(observe_connections(action), ports[0])

    expected = [(1, 3), (2, 6), (4, 12)] if _knows_size(connection_rung) else [(1, 0)]
    assert expected == [(one.datagrams, one.size) for one in told]
    assert {str(one.remote) for one in told} == {"127.0.0.1"}


def test_socket_that_is_bound(observe_connections: Observe, connection_rung: Monitor) -> None:
    """A socket that is bound to one address is told where sending is seen."""
    ports: list[int] = []

    def action() -> None:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as sender:
                sender.bind((host, 0))
                sender.sendto(b"x", (host, 9))
                ports.append(sender.getsockname()[1])

    told = _sent(observe_connections(action), 9)

    assert [one.local_port for one in told] == (ports if _knows_size(connection_rung) else [])


def test_who_refuses_a_datagram_sends_none(observe_connections: Observe) -> None:
    """The kernel's own answer to a datagram that nobody waits for is not taken for one of a process."""
    ports: list[int] = []

    def action() -> None:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", (host, 9))
                ports.append(sender.getsockname()[1])

    seen = observe_connections(action)

    assert len(_sent(seen, 9)) == 2
    assert [one for one in of_type(DatagramSent, seen) if one.remote_port in ports] == []


def test_process_with_very_many_peers(observe_connections: Observe) -> None:
    """A process that sends to thousands of peers is told in part, and the number of its peers tells the rest."""
    peers = [(f"127.0.{number >> 8}.{number & 255}", 20_000) for number in range(1, 3001)]

    def action() -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            for peer in peers:
                sender.sendto(b"x", peer)
            # A moment later there is a budget again.
            subprocess.run([sys.executable, "-c", "import time; time.sleep(1.1)"], check=True)
            sender.sendto(b"x", ("127.0.99.99", 20_000))

    told = _sent(observe_connections(action), 20_000)

    assert 256 <= len(told) < 2000
    assert told[-1].peers == len(peers) + 1 + told[0].peers - 1


def test_sockets_that_bypass_are_told(observe_connections: Observe, connection_rung: Monitor) -> None:
    """Raw, packet and XDP sockets are told with family, type, protocol and process; ordinary ones are not."""
    bypassing = [
        (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        (socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.IPPROTO_RAW),
        (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
        (socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)),
        (socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)),
        (socket.AF_INET, SOCK_PACKET, socket.htons(3)),
        (AF_XDP, socket.SOCK_RAW, 0),
    ]
    ordinary = [
        (socket.AF_INET, socket.SOCK_STREAM, 0),
        (socket.AF_INET, socket.SOCK_DGRAM, 0),
        (socket.AF_UNIX, socket.SOCK_DGRAM, 0),
        (socket.AF_NETLINK, socket.SOCK_RAW, 0),
    ]

    def action() -> None:
        for kind in bypassing + ordinary:
            socket.socket(*kind).close()

    told = [one for one in of_type(SocketCreated, observe_connections(action)) if one.pid == os.getpid()]

    blind = {hook.name: hook.rungs[0].blind_to for hook in connection_rung.hooks}["raw"]
    told_as = [
        (socket.AF_PACKET if kind == SOCK_PACKET else family, kind, number) for family, kind, number in bypassing
    ]
    expected = [
        (family, kind & 0xF, _in_host_order(family, protocol, knows="packet" not in blind))
        for family, kind, protocol in told_as
    ]
    assert expected == [(one.family, one.socket_type, one.protocol) for one in told]


def _in_host_order(family: int, protocol: int, *, knows: bool) -> int:
    if family == socket.AF_PACKET:
        return socket.ntohs(protocol) if knows else 0
    return protocol


def test_refused_raw_socket_is_not_told() -> None:
    """A process that may not make a raw socket has made none."""
    pids: list[int] = []

    code = (
        "import os, socket\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "try: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\n"
        "except PermissionError: os._exit(42)\n"
    )

    def action() -> None:
        with subprocess.Popen([sys.executable, "-c", code]) as child:
            pids.append(child.pid)
        assert child.returncode == 42

    told = of_type(SocketCreated, observe(action, CONNECTION))

    assert [one for one in told if one.pid in pids] == []
