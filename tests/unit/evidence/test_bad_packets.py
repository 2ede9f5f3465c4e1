"""Packets that no honest stack sends, one by one."""

from pyloader.pipeline import Pipeline
from pyloader.records import Anomaly, PacketAnomaly
from tests.unit.examples import HEADER, HOME
from tests.unit.traffic import raw

SECOND = 1_000_000_000


def packet(kind: Anomaly, source: str = "198.51.100.7", now: int = 10) -> PacketAnomaly:
    """Return an odd packet."""
    return PacketAnomaly(now * SECOND, kind, 2, raw(source), HOME, 5, 80, 17, 0, 0, 0, 60, 0)


def test_each_kind_is_told_once() -> None:
    """A thousand fragments that overlap are one item of evidence about their source, and no alert."""
    pipeline = Pipeline(HEADER)

    found = [pipeline.assess(packet(Anomaly.OVERLAPPING_FRAGMENT, now=10 + second)) for second in range(1_000)]

    assert [item.code for one in found for item in one.evidence] == [f"bad_packets_{Anomaly.OVERLAPPING_FRAGMENT}"]
    assert [one.alerts for one in found if one.alerts] == []


def test_several_kinds_add_up() -> None:
    """A source that does it in three ways scores higher than in one, and below 62."""
    pipeline = Pipeline(HEADER)
    kinds = (Anomaly.OVERLAPPING_FRAGMENT, Anomaly.TINY_FRAGMENT, Anomaly.SOURCE_ROUTED)

    scores = [pipeline.assess(packet(kind)).score for kind in kinds]

    assert scores == sorted(set(scores))
    assert scores[-1] < 62


def test_forged_sources_are_nobody() -> None:
    """Packets from addresses that cannot be are told of the host, once a minute, whatever their addresses."""
    pipeline = Pipeline(HEADER)

    found = [pipeline.assess(packet(Anomaly.LAND, f"198.51.100.{number}")) for number in range(200)]

    [item] = [item for one in found for item in one.evidence]
    assert (item.code, item.entity.label) == ("spoofed_packets", "host-spoofed-packets")


def test_sources_are_bounded() -> None:
    """What was told of whom is remembered for as many sources as there is room."""
    pipeline = Pipeline(HEADER)
    pipeline.assess_all([packet(Anomaly.PORT_ZERO, f"198.51.{one // 250}.{one % 250}") for one in range(3_000)])

    assert pipeline.summary().evicted["bad_packets"] == 3_000 - 2_048
