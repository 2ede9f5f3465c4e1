"""Sockets that bypass TCP and UDP, weighed by who opens them."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest

from pyloader.host import Process
from tests.unit.evidence.stage import Stage
from tests.unit.examples import socket_record

MEDIUM = 50
HIGH = 62
AF_INET, AF_PACKET = 2, 17
ICMP, TCP = 1, 6


def opens(stage: Stage, process: Process, family: int = AF_PACKET, protocol: int = 3) -> float:
    """Let a process open a socket and return its score."""
    stage.apply(
        socket_record(pid=process.pid, start=process.start, ppid=process.ppid, family=family, protocol=protocol)
    )
    return stage.score(process)


@pytest.mark.parametrize(
    "exe", ["/tmp/x", "/dev/shm/kworker", "/var/tmp/.a/b", "/var/lib/.cache/udevd", "/tmp/tcpdump"]
)
@pytest.mark.parametrize(("family", "protocol"), [(AF_PACKET, 3), (AF_INET, TCP), (AF_INET, 255)])
def test_a_dropped_program_listens_to_packets(stage: Stage, exe: str, family: int, protocol: int) -> None:
    """A program that no package brought is a high alert with its first packet or raw socket, whatever its name."""
    assert opens(stage, stage.run([exe], exe=exe), family, protocol) >= HIGH


@pytest.mark.parametrize(
    "argv",
    [
        ["python3", "-c", "import socket"],
        ["perl", "-e", "socket"],
        ["python3", "/tmp/sniff.py"],
        ["ruby", "/dev/shm/s"],
    ],
)
def test_typed_or_dropped_code_listens_to_packets(stage: Stage, argv: list[str]) -> None:
    """So is an interpreter with code that was typed, or that lies where everyone may write."""
    assert opens(stage, stage.run(argv)) >= HIGH


@pytest.mark.parametrize(
    "exe", ["/usr/local/sbin/agent", "/opt/vendor/agent", "/usr/bin/python3.11", "/root/.cargo/bin/bandwhich"]
)
def test_an_unknown_program_listens_to_packets(stage: Stage, exe: str) -> None:
    """A program that is not known for it, but lies where programs lie, is worth a look and no high alert."""
    assert MEDIUM <= opens(stage, stage.run([exe.rpartition("/")[2], "run"], exe=exe)) < HIGH


@pytest.mark.parametrize("name", ["tcpdump", "ping", "dhclient", "keepalived", "dnsmasq", "qemu", "suricata"])
def test_programs_that_are_made_for_it(stage: Stage, name: str) -> None:
    """Programs that are known for such sockets, where programs are installed, are nothing."""
    process = stage.run([name], exe=f"/usr/sbin/{name}")
    opens(stage, process)

    assert stage.codes(process) == set()


def test_echoes_say_less(stage: Stage) -> None:
    """A socket for ICMP alone is what a program has that looks whether a host is there, unless somebody dropped it."""
    assert opens(stage, stage.run(["exporter"], exe="/opt/exporter"), AF_INET, ICMP) < MEDIUM
    assert opens(stage, stage.run(["x"], exe="/tmp/x"), AF_INET, ICMP) >= HIGH


@pytest.mark.parametrize("scanner", ["nmap", "masscan", "hping3"])
def test_a_scanner_with_a_raw_socket(stage: Stage, scanner: str) -> None:
    """A scanner by name that opens a raw socket does scan: a high alert; without one it is below an alert."""
    process = stage.run([scanner, "-p-", "192.0.2.1"])
    assert stage.score(process) < MEDIUM

    assert opens(stage, process, AF_INET, 255) >= HIGH
