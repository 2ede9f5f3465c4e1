"""Nothing escapes the connection monitor: ten thousand connections are ten thousand, on either side."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pyloader.monitors import CONNECTION, Monitor, Transport
from pyloader.records import ConnectionClosed, ConnectionOpened, Direction, EventLoss, Outcome, tag_of
from tests.kernel.observing import observe, of_type


class Server(NamedTuple):
    """A server of the test suite: where it listens and which process it is."""

    pid: int
    port: int


@pytest.fixture(name="server")
def _server(programs: Path) -> Iterator[Server]:
    """Yield a server that takes one connection after the other."""
    with subprocess.Popen([programs / "serve"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield Server(process.pid, int(process.stdout.readline()))
        process.terminate()


def wait_for_ends(server: Server) -> None:
    """Wait until every connection to a server has ended on both sides, which may be a moment after its client."""
    listening_or_over = {"0A", "06"}
    for _ in range(500):
        sockets = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        port = f":{server.port:04X}"
        if not any(
            port in local[-5:] + remote[-5:] and state not in listening_or_over for local, remote, state in sockets
        ):
            return
        time.sleep(0.01)
    message = "connections of the test have not ended"
    raise AssertionError(message)


def test_ten_thousand_connections(connection_rung: Monitor, server: Server, programs: Path) -> None:
    """Each of 10,000 connections is opened once and closed once on either side, by its process, and none is lost."""
    count = 10_000
    pids: list[int] = []

    def action() -> None:
        with subprocess.Popen([programs / "connect", str(server.port), str(count)]) as child:
            pids.append(child.pid)
        assert child.returncode == 0
        wait_for_ends(server)

    seen = observe(action, connection_rung, ring_bytes=1 << 24)

    assert of_type(EventLoss, seen) == []
    outbound = [one for one in of_type(ConnectionOpened, seen) if one.remote_port == server.port]
    inbound = [one for one in of_type(ConnectionOpened, seen) if one.local_port == server.port]
    assert {(pids[0], Direction.OUTBOUND, Outcome.ESTABLISHED)} == {
        (one.pid, one.direction, one.outcome) for one in outbound
    }
    assert {(server.pid, Direction.INBOUND, Outcome.ESTABLISHED)} == {
        (one.pid, one.direction, one.outcome) for one in inbound
    }
    ended = [one for one in of_type(ConnectionClosed, seen) if server.port in (one.local_port, one.remote_port)]
    assert {(pids[0], Direction.OUTBOUND, 1, 0), (server.pid, Direction.INBOUND, 0, 1)} == {
        (one.pid, one.direction, one.sent, one.received) for one in ended
    }
    assert (count, count, 2 * count) == (len(outbound), len(inbound), len(ended))


@pytest.mark.parametrize("way", list(Transport))
def test_small_buffer_loses_and_says_so(way: Transport, server: Server, programs: Path) -> None:
    """Where the buffer is too small for a flood of connections, what is not received is counted as lost."""
    count = 3000

    def action() -> None:
        subprocess.run([programs / "connect", str(server.port), str(count)], check=True)
        wait_for_ends(server)

    seen = observe(action, CONNECTION, ring_bytes=1 << 16, transport=way)

    for kind in (ConnectionOpened, ConnectionClosed):
        received = len(of_type(kind, seen))
        lost = sum(one.count for one in of_type(EventLoss, seen) if one.lost == tag_of(kind))
        assert lost > 0
        # Others may use this machine meanwhile.
        assert 2 * count <= received + lost < 2 * count + 500
