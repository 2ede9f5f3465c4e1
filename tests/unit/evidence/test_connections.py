"""Scans from inside, where programs go, covert channels, and what follows a scan."""

import random

import pytest

from pyloader.alerts import NetworkSubject, Severity, Subject
from pyloader.records import Outcome, SocketCreated
from tests.unit.evidence.journey import SECOND, Journey
from tests.unit.examples import padded
from tests.unit.traffic import Wire, probes

FAR = "203.0.113.66"
SCANNER = "198.51.100.7"


def test_scan_from_inside_is_told_with_its_process() -> None:
    """A process that is refused at port after port is one alert, within twelve contacts, with its pid."""
    journey = Journey()
    pid = journey.start("/usr/local/bin/prober")
    for port in range(1, 200):
        journey.connect(pid, FAR, port, 10 + port / 100, outcome=Outcome.REFUSED)

    [alert] = journey.alerts
    assert isinstance(alert.subject, Subject)
    assert (alert.domain, alert.subject.pid) == ("connection", pid)
    assert "looks for open ports: TCP to " in alert.summary
    assert alert.timestamp <= 10.12 * SECOND


def test_sweep_of_a_network_is_told() -> None:
    """A process that tries one port of many hosts, of which a tenth answers, is told."""
    journey = Journey()
    pid = journey.start("/usr/local/bin/prober")
    for host in range(1, 60):
        outcome = Outcome.ESTABLISHED if host % 10 == 0 else Outcome.TIMED_OUT
        journey.connect(pid, f"203.0.113.{host}", 445, 10 + host, outcome=outcome)

    [alert] = journey.alerts
    assert "hosts" in alert.summary


def test_scan_by_a_script_is_told_of_the_script() -> None:
    """A shell that starts a program for every port is the one that scans."""
    journey = Journey()
    shell = journey.start("/usr/bin/bash")
    for port in range(1, 40):
        probe = journey.start("/usr/bin/nc", shell, 10 + port)
        journey.connect(probe, FAR, port, 10 + port, outcome=Outcome.REFUSED)
        journey.end(probe, 10.5 + port)

    scans = [alert for alert in journey.alerts if alert.evidence[0].code == "outbound_scan"]
    assert {alert.subject.pid for alert in scans if isinstance(alert.subject, Subject)} == {shell}


def test_dead_service_is_no_scan() -> None:
    """A client that is refused by the same service a thousand times does not scan."""
    journey = Journey()
    pid = journey.start("/usr/bin/java")
    for number in range(1_000):
        journey.connect(pid, FAR, 5432, 10 + number, outcome=Outcome.REFUSED)

    assert journey.alerts == []


def test_browser_is_no_scan() -> None:
    """A browser whose every fourth new place fails, and that gives up every second address, does not scan."""
    journey, chance = Journey(), random.Random(1)
    pid = journey.start("/usr/bin/firefox")
    for number in range(400):
        place = f"203.0.{number // 250}.{number % 250}"
        outcome = Outcome.REFUSED if chance.random() < 0.25 else Outcome.ESTABLISHED
        journey.connect(pid, place, 443, 10 + number, outcome=outcome)
        journey.connect(pid, f"2001:db8::{number:x}", 443, 10 + number, outcome=Outcome.ABANDONED)

    assert journey.alerts == []


def test_failures_that_are_usual_are_learned() -> None:
    """After three runs of a program that looks for peers and often fails, one that fails more is no alert."""
    journey, chance = Journey(), random.Random(1)
    for run in range(4):
        pid = journey.start("/usr/bin/peers", now=10 + run * 1_000)
        for number in range(60):
            failed = chance.random() < (0.4 if run < 3 else 0.6)
            outcome = Outcome.TIMED_OUT if failed else Outcome.ESTABLISHED
            journey.connect(pid, f"203.{run}.113.{number}", 6881, 10 + run * 1_000 + number, outcome=outcome)
        journey.end(pid, 10 + run * 1_000 + 100)

    assert journey.alerts == []


def test_udp_scan_from_inside_is_told() -> None:
    """A process that sends a datagram to port after port of one address is told; a traceroute is not."""
    journey = Journey()
    pid = journey.start("/usr/local/bin/prober")
    for port in range(1, 60):
        journey.send(pid, FAR, port, 1, size=20, now=10 + port / 10)
    [alert] = journey.alerts
    assert "UDP to " in alert.summary

    other = Journey()
    pid = other.start("/usr/bin/traceroute")
    for port in range(33_434, 33_530):
        other.send(pid, FAR, port, 1, size=20)
    assert other.alerts == []


def test_raw_scan_from_inside_is_told() -> None:
    """A process with a raw socket is told when a host answers with resets that no connection asked for."""
    journey = Journey()
    pid = journey.start("/usr/local/bin/prober")
    socket = SocketCreated(10 * SECOND, pid, 1, pid, 0, 1, 1, 2, 255, padded(b"prober"), 3)

    journey.apply(socket, *Wire().records(probes(FAR, [40_000] * 4_096, start=11.0, flags=4)))

    alert = journey.alerts[-1]
    assert {one.id for one in journey.alerts} == {alert.id}
    assert isinstance(alert.subject, Subject)
    assert (alert.subject.pid, alert.domain) == (pid, "connection")
    assert f"{FAR} answers with" in alert.summary


def test_shell_that_connects_is_evidence() -> None:
    """A shell with a connection to the internet is told below 62, one with a connection to this host is nothing."""
    journey = Journey()
    shell = journey.start("/usr/bin/bash")
    journey.connect(shell, "127.0.0.1", 5432)
    assert journey.codes == []

    journey.connect(shell, "8.8.8.8", 443)
    assert journey.codes == ["shell_connects", "learned_pattern"]
    assert journey.alerts == []


def test_service_that_never_connected_is_evidence() -> None:
    """A server that took up fifty connections and now makes one is told; one that always makes them is not."""
    journey = Journey()
    quiet, proxy = journey.start("/usr/sbin/nginx"), journey.start("/usr/sbin/lighttpd")
    for number in range(50):
        journey.accept(quiet, FAR, now=10 + number)
        journey.accept(proxy, FAR, now=10 + number)
        journey.connect(proxy, "198.51.100.9", 9000, 10 + number)

    journey.codes.clear()
    journey.connect(quiet, "198.51.100.9", 9000, 100)
    assert "service_connects" in journey.codes
    journey.codes.clear()
    journey.connect(proxy, "198.51.100.10", 9000, 100)
    assert "service_connects" not in journey.codes


def test_new_place_of_a_faithful_program_is_evidence() -> None:
    """A program that went to one place a thousand times is told when it goes to another one, with another port."""
    journey = Journey()
    pid = journey.start("/usr/bin/agent")
    for number in range(1_000):
        journey.connect(pid, FAR, 443, 10 + number * random.Random(number).random())
    journey.codes.clear()

    journey.connect(pid, "198.51.100.9", 31337, 2_000)

    assert set(journey.codes) == {"rare_destination", "rare_port", "infamous_port"}
    assert journey.alerts == []


def test_new_listener_of_a_faithful_program_is_evidence() -> None:
    """A program that always waited at one port is told when it waits at another."""
    journey = Journey()
    for number in range(100):
        journey.listen(journey.start("/usr/sbin/server", now=10 + number), 8080, 10 + number)
    assert journey.codes == []

    journey.listen(journey.start("/usr/sbin/server", now=200), 4444, 200)

    assert journey.codes == ["rare_listener"]


@pytest.mark.parametrize(("size", "told"), [(45, False), (180, True)])
def test_data_in_names_is_evidence(size: int, told: bool) -> None:  # noqa: FBT001 -- a table of facts.
    """Queries of 180 bytes in great number are told; those for ordinary names are not."""
    journey = Journey()
    pid = journey.start("/usr/local/bin/tunnel")
    for power in range(12):
        journey.send(pid, "192.0.2.53", 53, 1 << power, size=(1 << power) * size, now=10 + power)

    assert ("dns_tunnel" in journey.codes) == told


def test_what_follows_a_scan_joins_its_episode() -> None:
    """A scan, a connection that is let in, and a new child are one alert, which turns critical and names the child."""
    journey = Journey()
    service = journey.start("/usr/local/bin/service")
    journey.apply(*Wire().records(probes(SCANNER, range(1, 100), start=20.0)))
    assert [alert.severity for alert in journey.alerts] == [Severity.HIGH]

    journey.accept(service, SCANNER, 80, 60.0)
    journey.start("/usr/bin/id", service, 61.0)

    first, last = journey.alerts
    assert (first.id, Severity.CRITICAL, 1) == (last.id, last.severity, last.update)
    assert isinstance(last.subject, NetworkSubject)
    assert last.domain == "network"
    assert "a program was started: id (pid" in "; ".join(reason.text for reason in last.evidence)


def test_child_without_a_scan_is_nothing() -> None:
    """A service that starts a program after a connection from anyone else is not told by that."""
    journey = Journey()
    service = journey.start("/usr/local/bin/service")
    journey.accept(service, SCANNER, 80, 60.0)
    journey.start("/usr/bin/id", service, 61.0)

    assert not {"scanner_accepted", "child_after_scan"} & set(journey.codes)
