"""Port scans by the tools that are used for them: each is one alert, and our own are told with their process."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pyloader import NetworkSubject
from pyloader.pipeline import Pipeline
from pyloader.records import NetworkFlow, SourceSummary
from pyloader.sources import ReplaySource
from tests.kernel.command import running
from tests.kernel.networks import INSIDE, INSIDE6, OUTSIDE, OUTSIDE6, Cable, cable

HIGH = 62
NMAP = ["nmap", "-n", "-Pn", "-T4"]

SCANS = {
    "TCP SYN scan": [*NMAP, "-sS", "--top-ports", "200", INSIDE],
    "TCP NULL scan": [*NMAP, "-sN", "--top-ports", "200", INSIDE],
    "TCP Xmas scan": [*NMAP, "-sX", "--top-ports", "200", INSIDE],
    "TCP FIN scan": [*NMAP, "-sF", "--top-ports", "200", INSIDE],
    "UDP scan": [*NMAP, "-sU", "--top-ports", "30", "--max-retries", "0", INSIDE],
}


@pytest.fixture(scope="module", name="two")
def _two() -> Iterator[Cable]:
    """Return two hosts."""
    with cable() as two:
        yield two


def told(two: Cable, folder: Path, command: list[str], seconds: float = 30) -> list[dict[str, object]]:
    """Return the alerts of 62 or more about packets while a command runs outside."""
    with running(folder, "--monitors", "network", "--interface", two.interface, namespace=two.inside) as sensor:
        time.sleep(1.5)
        two.run(command, seconds=seconds)
        time.sleep(1.5)
    return sensor.alerts(HIGH)


@pytest.mark.parametrize("kind", SCANS)
def test_scan_is_one_alert(two: Cable, tmp_path: Path, kind: str) -> None:
    """Each scan of nmap is one alert within twenty ports, which names source, kind and number of ports."""
    [alert] = told(two, tmp_path, SCANS[kind])

    assert alert["domain"] == "network"
    assert alert["subject"]["src"] == OUTSIDE  # type: ignore[index]
    words = str(alert["summary"]).split(kind)[1].split()
    assert (words[0], words[2]) == ("of", "ports")
    assert int(words[1]) <= 20


def test_connect_scan_is_one_alert(two: Cable, tmp_path: Path) -> None:
    """A scan by the system's own connect is one alert."""
    [alert] = told(two, tmp_path, [*NMAP, "-sT", "--top-ports", "200", INSIDE])

    assert alert["subject"]["src"] == OUTSIDE  # type: ignore[index]


def test_scan_over_ipv6_is_one_alert(two: Cable, tmp_path: Path) -> None:
    """A scan over IPv6 is one alert that names the address."""
    [alert] = told(two, tmp_path, [*NMAP, "-6", "-sS", "--top-ports", "200", INSIDE6])

    assert alert["subject"]["src"] == OUTSIDE6  # type: ignore[index]


def test_masscan_is_one_alert(two: Cable, tmp_path: Path) -> None:
    """A scan by masscan, which has a TCP of its own, is one alert."""
    shown = subprocess.run(
        ["ip", "-n", two.inside, "-o", "link", "show", two.interface], check=True, capture_output=True, text=True
    ).stdout.split()
    router = shown[shown.index("link/ether") + 1]
    options = ["--rate", "500", "--wait", "1", "--interface", "veth0", "--router-mac", router]

    [alert] = told(two, tmp_path, ["masscan", INSIDE, "-p1-500", *options])

    assert alert["subject"]["src"] == OUTSIDE  # type: ignore[index]
    assert "TCP SYN scan of" in str(alert["summary"])


def test_slow_scan_is_one_alert(two: Cable, tmp_path: Path) -> None:
    """A scan of 40 ports that is stretched to ten minutes is the same one alert, within twenty ports."""
    recording = tmp_path / "scan.rec"
    options: list[str | Path] = ["--monitors", "network", "--interface", two.interface, "--record", recording]
    with running(tmp_path, *options, namespace=two.inside):
        time.sleep(1.5)
        two.run([*NMAP, "-sS", "--top-ports", "40", INSIDE])
        time.sleep(1.5)

    source = ReplaySource(recording.read_bytes())
    source.start()
    packets = [record for record in source.read(None) if isinstance(record, NetworkFlow | SourceSummary)]
    begin, end = packets[0].timestamp, packets[-1].timestamp
    stretch = 600 * 10**9 / (end - begin)
    pipeline = Pipeline(source.header, min_score=HIGH)
    slow = [replace(one, timestamp=begin + round((one.timestamp - begin) * stretch)) for one in packets]

    [alert] = [alert for one in pipeline.assess_all(slow) for alert in one.alerts]
    assert isinstance(alert.subject, NetworkSubject)
    assert alert.subject.src == OUTSIDE
    assert int(alert.summary.split("TCP SYN scan of ")[1].split()[0]) <= 20


@pytest.mark.parametrize(("kind", "code"), [("-sT", "outbound_scan"), ("-sS", "raw_scan")])
def test_own_scan_is_told_with_its_process(two: Cable, tmp_path: Path, kind: str, code: str) -> None:
    """A process of this host that scans another one, by connections or by raw packets, is told with its pid."""
    monitors = "process,connection,network"
    with running(tmp_path, "--monitors", monitors, "--interface", two.interface, namespace=two.inside) as sensor:
        time.sleep(1.5)
        # nsenter becomes nmap, and keeps its pid.
        pid = two.run([*NMAP, kind, "--top-ports", "200", OUTSIDE], inside=True)
        time.sleep(1.5)

    alerts = [alert for alert in sensor.alerts(HIGH) if alert["subject"].get("pid") == pid]
    assert len({alert["id"] for alert in alerts}) == 1
    assert code in {reason["code"] for alert in alerts for reason in alert["evidence"]}
    assert alerts[0]["domain"] == "connection"
