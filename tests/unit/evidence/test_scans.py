"""Port scans from outside, and the crowds that are none."""

from collections.abc import Iterable
from itertools import count

import pytest

from pyloader.alerts import Alert, NetworkSubject
from pyloader.pipeline import Pipeline
from pyloader.records import AnyRecord, PacketFlag
from tests.unit.examples import HEADER, listening_record, opened_record
from tests.unit.traffic import UDP, Packet, Wire, connections, probes, raw, steady, together

HIGH = 62
SCANNER = "198.51.100.7"
XMAS = int(PacketFlag.FIN | PacketFlag.PSH | PacketFlag.URG)
PORTS = range(1, 1_001)


def alerts(records: Iterable[AnyRecord]) -> list[Alert]:
    """Return all alerts of 62 or more, updates as well."""
    pipeline = Pipeline(HEADER)
    return [alert for record in records for alert in pipeline.assess(record).alerts if alert.score >= HIGH]


def told(packets: Iterable[Packet], seconds: int = 0) -> list[Alert]:
    """Return all alerts of 62 or more over packets."""
    return alerts(Wire().records(packets, seconds))


SCANS = {
    "TCP SYN scan": probes(SCANNER, PORTS),
    "TCP NULL scan": probes(SCANNER, PORTS, flags=0),
    "TCP Xmas scan": probes(SCANNER, PORTS, flags=XMAS),
    "TCP FIN scan": probes(SCANNER, PORTS, flags=int(PacketFlag.FIN)),
    "TCP ACK scan": probes(SCANNER, PORTS, flags=int(PacketFlag.ACK)),
    "UDP scan": probes(SCANNER, PORTS, protocol=UDP),
}


@pytest.mark.parametrize("kind", SCANS)
def test_scan_is_one_alert(kind: str) -> None:
    """A scan of a thousand ports is one alert within twenty probes, which names source, kind and number of ports."""
    [alert] = told(SCANS[kind])

    assert alert.domain == "network"
    assert isinstance(alert.subject, NetworkSubject)
    assert alert.subject.src == SCANNER
    assert f"{SCANNER} looks for open ports of this host: {kind} of " in alert.summary
    assert alert.timestamp <= 10.02 * 10**9
    assert alert.techniques == ["T1046"]


def test_ports_of_an_alert() -> None:
    """The subject of an alert names the ports that were seen one by one, and where the last packet went."""
    [alert] = told(probes(SCANNER, [22, 80, 443, 8080, 25, 110, 143, 3389, 5432, 6379]))

    assert isinstance(alert.subject, NetworkSubject)
    assert set(alert.subject.ports) >= {22, 80, 443, 8080, 25, 110, 143}
    assert (alert.subject.dst, alert.subject.protocol, alert.subject.interface) == ("192.0.2.1", "tcp", 2)


def test_scan_over_ipv6() -> None:
    """A source with an IPv6 address is told as such, and its network is not told beside it."""
    [alert] = told(probes("2001:db8::7", PORTS))

    assert isinstance(alert.subject, NetworkSubject)
    assert alert.subject.src == "2001:db8::7"


def test_slow_scan_is_found() -> None:
    """A probe every forty seconds is found within twenty probes, as a fast one is."""
    [alert] = told(probes(SCANNER, range(1, 60), interval=40.0))

    assert alert.timestamp <= (10 + 20 * 40) * 10**9


def test_connect_scan_is_named() -> None:
    """A scan that is let in at some ports is told as one that connects."""
    open_ports = [22, 80]
    stream = together(
        probes(SCANNER, [one for one in PORTS if one not in open_ports]), connections(SCANNER, open_ports)
    )

    [alert] = told(stream)

    assert "TCP connect scan of" in alert.summary


def test_scan_by_a_network_is_one_alert() -> None:
    """Twenty addresses of a network that try four ports each are one alert about the network."""
    stream = together(
        *(
            probes(f"198.51.100.{number}", range(100 * number, 100 * number + 4), start=10 + number, interval=0.1)
            for number in range(1, 21)
        )
    )

    [alert] = told(stream)

    assert isinstance(alert.subject, NetworkSubject)
    assert alert.subject.src == "198.51.100.0/24"


def test_scan_that_many_share_is_one_alert() -> None:
    """A thousand sources of a thousand networks with a probe each, for two minutes, are one alert about the host."""
    stream = (
        Packet(10 + number * 0.12, f"{11 + number // 250}.{number % 250}.1.9", destination_port=1 + number)
        for number in range(1_250)
    )

    [alert] = told(stream, seconds=240)

    assert isinstance(alert.subject, NetworkSubject)
    assert alert.subject.src == "many"
    assert "ports within a minute" in alert.summary


def test_background_noise_is_no_scan() -> None:
    """On a host that is asked for a random port by another source every ten seconds there is no alert in two hours."""
    stream = (
        Packet(
            10 + number * 10,
            f"{11 + number % 200}.{number // 200 % 250}.1.9",
            destination_port=1 + number * 7919 % 60_000,
        )
        for number in range(720)
    )

    assert told(stream) == []


def test_crowd_behind_one_address_is_no_scan() -> None:
    """Five hundred clients behind one address, with twenty connections each to two services, raise nothing."""
    assert told(connections("203.0.113.5", [80, 443] * 5_000, interval=0.002)) == []


def test_client_of_many_ports_is_no_scan() -> None:
    """A client that is served at two hundred ports, such as those of passive FTP, raises nothing."""
    assert told(connections("203.0.113.5", range(20_000, 20_200), interval=0.1, delay=0.02)) == []


def test_retries_are_no_scan() -> None:
    """A client that asks a thousand times for three ports that do not serve raises nothing."""
    assert told(probes("203.0.113.5", [8080, 9090, 7070] * 333, interval=1.0)) == []


def test_successes_do_not_hide_a_scan() -> None:
    """Three known connections before every probe do not hide it, if the connection monitor sees where they go."""
    accepted = opened_record(
        direction=1, local_port=80, remote_address=raw(SCANNER), remote_port=1, timestamp=9 * 10**9
    )
    mixed = [port for number in range(200) for port in (80, 80, 80, 1_000 + number)]
    served = together(
        connections(SCANNER, [80] * 600, interval=0.01),
        probes(SCANNER, [one for one in mixed if one != 80], interval=0.03),
    )

    records = [listening_record(local_port=80), *(accepted for _ in range(600)), *Wire().records(served)]
    [alert] = alerts(records)

    assert "TCP connect scan of" in alert.summary


def test_calls_are_no_scan() -> None:
    """A telephone system whose peer sends to a new port for every call, hundreds of packets each, raises nothing."""
    stream = (
        Packet(10 + call * 2 + number * 0.02, "203.0.113.5", 5_000, 10_000 + 2 * call, UDP, length=214)
        for call in range(60)
        for number in range(100)
    )

    assert told(stream) == []


def test_flood_with_forged_sources_makes_no_scanners() -> None:
    """A SYN flood to random ports from random sources is one alert, and not about any of them."""
    number = count()
    stream = (
        Packet(
            now,
            f"{11 + next(number) * 97 % 200}.{round(now * 1e6) % 251}.{round(now * 1e5) % 241}.9",
            destination_port=1 + round(now * 1e7) % 60_000,
        )
        for now in steady(5_000, 4)
    )

    assert [alert.subject.src for alert in told(stream) if isinstance(alert.subject, NetworkSubject)] == ["many"]


def test_sources_are_bounded() -> None:
    """However many sources come, the tables hold as many as they have room for, and count the others."""
    pipeline = Pipeline(HEADER)
    sources = pipeline.host.sources
    sources.capacity = sources.fresh = 50
    stream = (
        one
        for number in range(400)
        for one in probes(
            f"{11 + number}.1.1.9" if number < 200 else f"11.{number - 200}.1.9", range(1, 20), start=10 + number
        )
    )
    pipeline.assess_all(Wire().records(stream))

    assert len(sources) <= 100
    assert pipeline.summary().evicted["sources"] > 300
