"""The network monitor on interfaces: how it gets there, follows them, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyroute2 import IPRoute

from tests.kernel.command import PYLOADER, Running, running
from tests.kernel.packets import foreign_program

NETWORK = ("--monitors", "network", "--events")


class Namespace:
    """A network namespace of its own, with two ends of one cable: `v0`, which is watched, and `v1` in another."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.other = f"{name}o"

    def ip(self, *words: str, namespace: str = "") -> str:
        """Run `ip` in the namespace, or in the other one."""
        command = ["ip", "-j", "-n", namespace or self.name, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def make_cable(self) -> None:
        """Lay the cable, with addresses on both ends."""
        self.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", self.other)
        for end, number, namespace in (("v0", 1, self.name), ("v1", 2, self.other)):
            self.ip("addr", "add", f"10.9.0.{number}/24", "dev", end, namespace=namespace)
            self.ip("link", "set", end, "up", namespace=namespace)

    def xdp(self, interface: str = "v0", namespace: str = "") -> dict[str, Any]:
        """Return what is attached to an interface, with its id and mode, or nothing."""
        (link,) = json.loads(self.ip("link", "show", "dev", interface, namespace=namespace))
        return link.get("xdp", {})  # type: ignore[no-any-return]

    def probe(self, *command: str) -> None:
        """Run a command at the far end of the cable."""
        subprocess.run(["ip", "netns", "exec", self.other, *command], check=False, capture_output=True, timeout=60)


@pytest.fixture(name="namespace")
def _namespace() -> Iterator[Namespace]:
    """Return two namespaces with a cable between them."""
    made = Namespace(f"pl{os.getpid()}")
    for name in (made.name, made.other):
        subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        made.ip("link", "set", "lo", "up")
        made.make_cable()
        yield made
    finally:
        for name in (made.name, made.other):
            subprocess.run(["ip", "netns", "del", name], check=True)


def _wait_for(what: Callable[[], object]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + 15
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def _hooks(sensor: Running) -> list[tuple[str, str]]:
    """Return how packets were observed, in order."""
    return [
        (line["hook"], line["rung"])
        for line in sensor.lines()
        if line.get("event") == "hook_in_use" and line["monitor"] == "network"
    ]


def _run(namespace: Namespace, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = ["ip", "netns", "exec", namespace.name, *PYLOADER, "run", "--monitors", "network"]
    name = ["--instance", f"test-{os.getpid()}"]
    return subprocess.run([*command, *name, *options], check=False, capture_output=True, text=True, timeout=60)


def test_a_scan_over_the_wire_is_told(namespace: Namespace, tmp_path: Path) -> None:
    """A port scan through the interface gives flows, and summaries of its source; nothing stays behind."""
    with running(tmp_path, *NETWORK, "--interface", "v0", namespace=namespace.name) as sensor:
        assert namespace.xdp()["mode"] == 1
        namespace.probe("nmap", "-sS", "-Pn", "-n", "-T4", "-p", "1-200", "10.9.0.1")
        time.sleep(1.5)

    assert namespace.xdp() == {}
    told = [line for line in sensor.lines() if line.get("event") == "source_summary" and line["prefix"] == 128]
    assert any(line["source"] == "10.9.0.2" and line["ports"] >= 64 for line in told)
    traffic = [line for line in sensor.lines() if line.get("event") == "network_traffic"]
    assert sum(line["counts"].get("syn", 0) for line in traffic) >= 200
    assert _hooks(sensor) == [("packets v0", "xdp native")]


@pytest.mark.parametrize(("scan", "kind"), [("-sN", "null_flags"), ("-sX", "xmas"), ("-sF", "fin_without_ack")])
def test_odd_scans_are_anomalies(namespace: Namespace, tmp_path: Path, scan: str, kind: str) -> None:
    """Scans with odd flags are told as what no honest stack sends."""
    with running(tmp_path, *NETWORK, "--interface", "v0", namespace=namespace.name) as sensor:
        namespace.probe("nmap", scan, "-Pn", "-n", "-T4", "-p", "1-20", "10.9.0.1")
        time.sleep(0.5)

    kinds = [line["kind"] for line in sensor.lines() if line.get("event") == "packet_anomaly"]
    assert kind in kinds


def test_the_loopback_can_be_watched(namespace: Namespace, tmp_path: Path) -> None:
    """On the loopback, where every packet has an own address, nothing is wrong with that."""
    with running(tmp_path, *NETWORK, "--interface", "lo", namespace=namespace.name) as sensor:
        scan = ["nmap", "-sS", "-Pn", "-n", "-p", "1-20", "127.0.0.1"]
        subprocess.run(["ip", "netns", "exec", namespace.name, *scan], check=True, capture_output=True, timeout=60)
        time.sleep(0.5)

    assert _hooks(sensor) == [("packets lo", "xdp generic")]
    assert [line for line in sensor.lines() if line.get("event") == "packet_anomaly"] == []


@pytest.mark.parametrize("flag", [pytest.param(4, id="native"), pytest.param(2, id="generic")])
def test_a_foreign_program_stays(namespace: Namespace, flag: int) -> None:
    """Where another program is attached nothing is replaced, and the message names the interface and the way out."""
    with foreign_program() as program, IPRoute(netns=namespace.name) as route:
        (number,) = route.link_lookup(ifname="v0")
        route.link("set", index=number, xdp={"attrs": [["IFLA_XDP_FD", program], ["IFLA_XDP_FLAGS", flag]]})
    before = namespace.xdp()
    done = _run(namespace, "--interface", "v0", "--duration", "1")

    assert done.returncode != 0
    assert "v0 has an XDP program already" in done.stderr
    assert before == namespace.xdp()


def test_an_unknown_interface_is_a_usage_error(namespace: Namespace) -> None:
    """The name of an interface that does not exist is refused with those that do."""
    done = _run(namespace, "--interface", "v7")

    assert done.returncode == 2
    assert "there is no interface v7; there are: " in done.stderr
    assert "v0" in done.stderr


def test_without_interface_it_is_idle(namespace: Namespace) -> None:
    """Without an interface the monitor is idle, and the command says so."""
    done = _run(namespace, "--duration", "0.5")

    assert done.returncode == 0
    assert "network is idle" in done.stderr


def test_an_interface_that_comes_back(namespace: Namespace, tmp_path: Path) -> None:
    """An interface that is removed and made again is watched again, and both is told."""
    with running(tmp_path, *NETWORK, "--interface", "v0", namespace=namespace.name) as sensor:
        namespace.ip("link", "del", "v0")
        _wait_for(lambda: ("packets v0", "none") in _hooks(sensor))
        namespace.make_cable()
        _wait_for(namespace.xdp)
        _wait_for(lambda: len(_hooks(sensor)) == 3)

    assert [rung for _, rung in _hooks(sensor)] == ["xdp native", "none", "xdp native"]
    assert namespace.xdp() == {}


def test_an_interface_that_moves_away(namespace: Namespace, tmp_path: Path) -> None:
    """An interface that goes to another network namespace takes no program of ours along."""
    with running(tmp_path, *NETWORK, "--interface", "v0", namespace=namespace.name) as sensor:
        namespace.ip("link", "set", "v0", "netns", namespace.other)
        _wait_for(lambda: not namespace.xdp(namespace=namespace.other))
        _wait_for(lambda: ("packets v0", "none") in _hooks(sensor))


def test_a_killed_sensor_is_swept_up_after(namespace: Namespace, tmp_path: Path) -> None:
    """What a killed sensor left attached is removed by the next, even one that watches no interface."""
    with running(tmp_path, *NETWORK, "--interface", "v0", namespace=namespace.name) as sensor:
        sensor.process.send_signal(signal.SIGKILL)
        sensor.process.wait()
    assert namespace.xdp() != {}
    assert _run(namespace, "--duration", "0.2").returncode == 0
    assert namespace.xdp() == {}


def test_a_killed_sensor_is_replaced(namespace: Namespace, tmp_path: Path) -> None:
    """A sensor takes the place of one that was killed."""
    with running(tmp_path, *NETWORK, "--interface", "v0", namespace=namespace.name) as sensor:
        sensor.process.send_signal(signal.SIGKILL)
        sensor.process.wait()
    left = namespace.xdp()
    with running(tmp_path, *NETWORK, "--interface", "v0", namespace=namespace.name):
        assert namespace.xdp()["prog"]["id"] != left["prog"]["id"]

    assert namespace.xdp() == {}


def test_a_living_sensor_is_not_swept(namespace: Namespace, tmp_path: Path) -> None:
    """A second sensor neither replaces nor removes the program of one that lives."""
    with running(tmp_path, *NETWORK, "--interface", "v0", namespace=namespace.name):
        before = namespace.xdp()
        command = ["ip", "netns", "exec", namespace.name, *PYLOADER, "run", "--monitors", "network"]
        done = subprocess.run(
            [*command, "--instance", "second", "--interface", "v0", "--duration", "1"],
            check=False,
            capture_output=True,
            timeout=60,
        )

        assert done.returncode != 0
        assert b"has an XDP program already" in done.stderr
        assert before == namespace.xdp()
