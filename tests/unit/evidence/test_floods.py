"""Floods of every vector, and the crowds and streams that are none."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from pyloader.alerts import Alert, NetworkSubject
from pyloader.evidence.floods import Floods, dispersion
from pyloader.evidence.staging import Staging
from pyloader.host import Host
from pyloader.pipeline import Pipeline
from pyloader.records import AnyRecord, PacketFlag, Traffic
from tests.unit.examples import HEADER, SECOND, datagram_record, traffic_record
from tests.unit.traffic import ICMP, UDP, Packet, Wire, connections, raw, steady, together

HIGH = 62
FLOODER = "198.51.100.7"
ACK = int(PacketFlag.ACK)
START = 10.0


def alerts(records: Iterable[AnyRecord]) -> list[Alert]:
    """Return all alerts of 62 or more, updates as well."""
    pipeline = Pipeline(HEADER)
    return [alert for record in records for alert in pipeline.assess(record).alerts if alert.score >= HIGH]


def quiet(seconds: int = 5) -> list[Packet]:
    """Return a few echoes, so that there is something to count before a flood."""
    return [Packet(START - seconds + number, "203.0.113.9", protocol=ICMP, length=98) for number in range(seconds)]


def flood(rate: float = 10_000, seconds: float = 3, source: str = FLOODER, **how: object) -> Iterator[Packet]:
    """Yield a flood from one address with a new port for every packet, or from random addresses if there is none."""
    chance = random.Random(1)
    for number, now in enumerate(steady(rate, seconds, START)):
        address = source or ".".join(str(chance.randrange(11, 200)) for _ in range(4))
        yield Packet(now, address, source_port=1_024 + number % 60_000, **how)  # type: ignore[arg-type]


FLOODS: dict[str, dict[str, Any]] = {
    "SYN flood": {"destination_port": 80},
    "UDP flood": {"destination_port": 53, "protocol": UDP},
    "ICMP flood": {"destination_port": 0, "protocol": ICMP, "length": 98},
    "fragment flood": {"protocol": UDP, "fragment": True, "length": 1_500},
}


@pytest.mark.parametrize(
    ("kind", "source"),
    [*((kind, "") for kind in FLOODS), *((kind, FLOODER) for kind in FLOODS if "fragment" not in kind)],
)
def test_flood_is_one_alert(kind: str, source: str) -> None:
    """A flood is one alert within three seconds, which names its kind, its rate, and its source if it has one."""
    stream = Wire().records([*quiet(), *flood(source=source, **FLOODS[kind])])

    [alert] = alerts(stream)

    assert alert.domain == "network"
    assert kind in alert.summary
    assert "packets a second from" in alert.summary
    assert alert.timestamp <= (START + 3) * 10**9
    assert isinstance(alert.subject, NetworkSubject)
    assert alert.subject.src == (source or "many")


def test_flood_from_the_start_is_found() -> None:
    """A sensor that starts in a flood tells it all the same."""
    [alert] = alerts(Wire().records(flood(source="")))

    assert "SYN flood" in alert.summary


def test_acknowledgements_from_nowhere_are_a_flood() -> None:
    """ACKs from random addresses, which belong to no connection, are told."""
    before = connections("203.0.113.9", [80] * 400, start=START - 20, interval=0.05)

    [alert] = alerts(Wire().records([*before, *flood(40_000, 3, "", flags=ACK)]))

    assert "ACK flood" in alert.summary


def test_amplified_answers_are_named() -> None:
    """Large answers of time servers that nobody asked are told with their service."""
    chance = random.Random(1)
    stream = [
        Packet(now, f"{chance.randrange(11, 200)}.1.{chance.randrange(250)}.9", 123, 40_000, UDP, length=468)
        for now in steady(3_000, 3, START)
    ]

    [alert] = alerts(Wire().records([*quiet(), *stream]))

    assert "NTP amplification flood" in alert.summary


def test_few_sources_are_named_one_by_one() -> None:
    """A SYN flood from two addresses is told as theirs, and not of the host as well."""
    other = (packet._replace(source="203.0.113.77") for packet in flood())

    told = alerts(Wire().records(together(quiet(), flood(), other)))

    assert [alert.subject.src for alert in told if isinstance(alert.subject, NetworkSubject)] == [
        FLOODER,
        "203.0.113.77",
    ]


def test_flash_crowd_is_no_flood() -> None:
    """Ten thousand connections within two seconds, after silence, are no flood if they are served."""
    crowd = (
        packet._replace(source=f"203.0.{packet.source_port % 250}.{packet.source_port % 7 + 1}")
        for packet in connections("203.0.113.5", [80] * 10_000, interval=0.0002, delay=0.0001)
    )

    assert alerts(Wire().records([*quiet(), *crowd])) == []


def test_load_from_one_client_is_no_flood() -> None:
    """Nor are ten thousand connections from one address."""
    load = connections("203.0.113.5", [80] * 10_000, interval=0.0002, delay=0.0001)

    assert alerts(Wire().records([*quiet(), *load])) == []


def test_bulk_over_one_connection_is_no_flood() -> None:
    """A transfer of 20,000 packets a second over one connection is no flood, whichever side began it."""
    opening = list(connections("203.0.113.5", [5_201], start=START - 1))
    inbound = (Packet(now, "203.0.113.5", 1_024, 5_201, flags=ACK, length=1_500) for now in steady(20_000, 3, START))
    answers = (Packet(now, "203.0.113.5", 5_201, 40_000, flags=ACK, length=66) for now in steady(20_000, 3, START))

    assert alerts(Wire().records([*quiet(), *opening, *inbound])) == []
    assert alerts(Wire().records([*quiet(), *answers])) == []


def test_stream_of_datagrams_is_no_flood_if_this_host_takes_part() -> None:
    """Fifteen thousand datagrams a second are no flood from a peer that this host sends to; from others they are."""
    peer = "203.0.113.5"
    stream = [Packet(now, peer, 5_000, 5_201, UDP, length=100) for now in steady(15_000, 3, START)]
    answered = datagram_record(timestamp=9 * 10**9, remote_address=raw(peer), remote_port=5_000, local_port=5_201)

    assert alerts([answered, *Wire().records([*quiet(), *stream])]) == []
    assert [alert.summary[:9] for alert in alerts(Wire().records([*quiet(), *stream]))] == ["UDP flood"]


def test_stream_that_ends_is_no_flood() -> None:
    """What this host took part in is not taken for a flood when it is over."""
    peer = "203.0.113.5"
    stream = [Packet(now, peer, 5_000, 5_201, UDP, length=100) for now in steady(15_000, 2, START)]
    echoes = [Packet(START + 2 + second, "203.0.113.9", protocol=ICMP, length=98) for second in range(5)]
    answered = datagram_record(timestamp=9 * 10**9, remote_address=raw(peer), remote_port=5_000, local_port=5_201)

    assert alerts([answered, *Wire().records([*quiet(), *stream, *echoes])]) == []


def test_flood_by_a_scanner_is_its_scan() -> None:
    """Who sends SYNs to all ports scans; the same SYNs are not told as a flood as well."""
    scan = (Packet(now, FLOODER, destination_port=1 + number) for number, now in enumerate(steady(3_000, 4, START)))

    [alert] = alerts(Wire().records([*quiet(), *scan]))

    assert "TCP SYN scan" in alert.summary


def test_many_floods_cost_few_records() -> None:
    """A flood of 30,000 packets from random sources gives less than 2,000 records."""
    records = list(Wire().records(flood(10_000, 3, "")))

    assert len(records) < 2_000


@pytest.mark.parametrize(
    ("counts", "expected"), [([1] * 256, (1.0, 1 / 256)), ([9] + [0] * 255, (0.0, 1.0)), ([], (0.0, 0.0))]
)
def test_dispersion(counts: list[int], expected: tuple[float, float]) -> None:
    """Even classes have the full entropy, a single one has none, and what is missing counts as nothing."""
    assert dispersion(b"".join(count.to_bytes(4, "big") for count in counts)) == pytest.approx(expected)


def test_no_flood_is_learned_beside_losses() -> None:
    """Rates that stand beside losses do not become usual: a flood after them is told sooner than after learned ones."""

    def seconds_to_tell(frozen_until: int) -> int:
        staging, host = Staging(), Host()
        staging.frozen_until = frozen_until
        floods = Floods(staging)
        for second in range(1, 700):
            counts = bytearray(8 * 64)
            counts[8 * Traffic.ICMP : 8 * Traffic.ICMP + 8] = (40 if second < 600 else 600).to_bytes(8, "big")
            record = traffic_record(timestamp=second * SECOND, counts=bytes(counts))
            if floods.traffic(record, host):
                return second - 600
        return 100

    assert seconds_to_tell(700 * SECOND) < seconds_to_tell(0) < 100
