"""What goes over networks all day cries no wolf: load, bulk, checks of health, crowds."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.command import running
from tests.kernel.networks import INSIDE, Cable, cable

HIGH = 62
WORKLOADS = Path(__file__).parent / "workloads"


@pytest.fixture(scope="module", name="two")
def _two() -> Iterator[Cable]:
    """Return two hosts, with a web server and one for bulk inside."""
    with cable() as two:
        servers = [
            two.start([sys.executable, WORKLOADS / "web_server.py", "8080"], inside=True),
            two.start(["iperf3", "-s"], inside=True),
        ]
        time.sleep(1)
        yield two
        for server in servers:
            server.kill()
            server.wait()


def visits(count: int, together: int) -> list[str]:
    """Return a command that makes connections to the web server, so many at a time."""
    return [sys.executable, str(WORKLOADS / "web_client.py"), INSIDE, "8080", str(count), str(together)]


WORK = {
    "10,000 connections": visits(156, 64),
    "500 clients behind one address": visits(4, 500),
    "bulk": ["iperf3", "-c", INSIDE, "-t", "2"],
    "bulk the other way": ["iperf3", "-c", INSIDE, "-t", "2", "-R"],
    "datagrams": ["iperf3", "-c", INSIDE, "-t", "2", "-u", "-b", "200M"],
}


@pytest.mark.parametrize("what", WORK)
def test_ordinary_traffic_raises_no_alert(two: Cable, tmp_path: Path, what: str) -> None:
    """Neither the packets nor the processes of ordinary traffic raise an alert of 62 or more."""
    monitors = "process,connection,network"
    with running(tmp_path, "--monitors", monitors, "--interface", two.interface, namespace=two.inside) as sensor:
        time.sleep(1.5)
        mine = two.run(WORK[what])
        time.sleep(1.5)

    ours = [
        alert for alert in sensor.alerts(HIGH) if alert["domain"] == "network" or alert["subject"].get("pid") == mine
    ]
    assert ours == []
    assert any(line["type"] == "summary" and line["records"].get("network_traffic", 0) > 2 for line in sensor.lines())
