"""Floods at full speed: each is one alert that names its kind, and costs the sensor little."""

import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.kernel.command import running
from tests.kernel.networks import INSIDE, OUTSIDE, Cable, cable

HIGH = 62
HPING = ["hping3", "--flood", "-q"]

FLOODS = {
    "SYN flood": ["-S", "-p", "80"],
    "UDP flood": ["--udp", "-p", "53"],
    "ICMP flood": ["--icmp"],
}


@pytest.fixture(scope="module", name="two")
def _two() -> Iterator[Cable]:
    """Return two hosts."""
    with cable() as two:
        yield two


def processor_time(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("forged", [False, True])
@pytest.mark.parametrize("kind", FLOODS)
def test_flood_is_one_alert(two: Cable, tmp_path: Path, kind: str, forged: bool) -> None:  # noqa: FBT001 -- a table.
    """A flood is one alert within three seconds of its time, from one source or from forged ones, at little cost."""
    command = [*HPING, *FLOODS[kind], *(["--rand-source"] if forged else []), INSIDE]
    with running(tmp_path, "--monitors", "network", "--interface", two.interface, namespace=two.inside) as sensor:
        time.sleep(1.5)
        begun, used = time.time(), processor_time(sensor.process.pid)
        two.run(command, seconds=4)
        lasted = time.time() - begun
        used = processor_time(sensor.process.pid) - used
        time.sleep(1.5)

    [alert] = sensor.alerts(HIGH)
    assert kind in alert["summary"]
    assert alert["subject"]["src"] == ("many" if forged else OUTSIDE)
    assert datetime.fromisoformat(alert["time"]).timestamp() - begun < 3.5
    assert used < 0.5 * lasted
