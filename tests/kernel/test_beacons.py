"""Beacons over real connections, scaled down: a new place is found, a known one is not."""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.command import running
from tests.kernel.networks import INSIDE, OUTSIDE, Cable, cable
from tests.kernel.test_network_ordinary_work import WORKLOADS

HIGH = 62
BEACON = WORKLOADS / "beacon.py"
PERIOD = 0.2


@pytest.fixture(name="two")
def _two() -> Iterator[Cable]:
    """Return two hosts, with a web server on each."""
    with cable() as two:
        servers = [
            two.start([sys.executable, WORKLOADS / "web_server.py", "8080"], inside=inside) for inside in (True, False)
        ]
        time.sleep(1)
        yield two
        for server in servers:
            server.kill()
            server.wait()


def beacon(to: str, count: int) -> list[str]:
    """Return a command that connects at a steady period with 20 % jitter, and misses every tenth time."""
    chance = random.Random(1)
    pauses = []
    for _ in range(count):
        pause = PERIOD * chance.uniform(0.8, 1.2)
        while chance.random() < 0.1:
            pause += PERIOD * chance.uniform(0.8, 1.2)
        pauses.append(f"{pause:.3f}")
    return [sys.executable, str(BEACON), to, "8080", *pauses]


def test_beacon_to_a_new_place_is_found(two: Cable, tmp_path: Path) -> None:
    """A beacon to a place that this host never went to is one alert with its process within 32 contacts."""
    with running(tmp_path, "--monitors", "process,connection", namespace=two.inside) as sensor:
        pid = two.run(beacon(OUTSIDE, 32), inside=True)
        time.sleep(0.5)

    [alert] = [one for one in sensor.alerts(HIGH) if one["subject"]["pid"] == pid]
    assert alert["domain"] == "connection"
    assert f"{OUTSIDE}:8080, every 0.2" in alert["summary"]


def test_check_of_a_known_place_is_no_beacon(two: Cable, tmp_path: Path) -> None:
    """The same rhythm, to a place that this host went to before, is no alert."""
    before = [sys.executable, str(BEACON), OUTSIDE, "8080", *(["0.01", "0.4", "0.05", "0.1", "0.02"] * 2)]
    with running(tmp_path, "--monitors", "process,connection", namespace=two.inside) as sensor:
        two.run(["curl", "-s", f"http://{OUTSIDE}:8080/"], inside=True)
        two.run(before, inside=True)
        pid = two.run(beacon(OUTSIDE, 64), inside=True)
        time.sleep(0.5)

    assert [one for one in sensor.alerts(HIGH) if one["subject"].get("pid") == pid] == []
    assert any(line["type"] == "summary" and line["records"]["connection_opened"] >= 70 for line in sensor.lines())


def test_check_of_this_host_is_no_beacon(two: Cable, tmp_path: Path) -> None:
    """Nor is the same rhythm to a service of this host."""
    with running(tmp_path, "--monitors", "process,connection", namespace=two.inside) as sensor:
        pid = two.run(beacon(INSIDE, 40), inside=True)
        time.sleep(0.5)

    assert [one for one in sensor.alerts(HIGH) if one["subject"].get("pid") == pid] == []
