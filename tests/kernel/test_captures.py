"""The captures of the corpus, through the program and the verdict: benign traffic cries no wolf, floods are told."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyloader.alerts import Alert
from pyloader.pipeline import Pipeline
from pyloader.records import AnyRecord, NetworkTraffic
from pyloader.records.network import DISPERSION_BINS, TRAFFIC_LIMIT
from pyloader.records.recording import Header
from tests.kernel.packets import captured, packet_monitor

ROOT = Path(__file__).parents[2]
CAPTURES = Path(os.environ.get("PYLOADER_CORPUS", ROOT.parent / "shared" / "corpus")) / "pcaps"
HEADER = Header(1, "captures", "host", "6.1.0", "x86_64", 0)
HIGH = 62
SECOND = 1_000_000_000


def captures(expected: str) -> list[Path]:
    """Return the captures of one kind."""
    return sorted(CAPTURES.glob(f"{expected}__*"))


def records(capture: Path) -> Iterator[AnyRecord]:
    """Yield what is told of a capture that is played within a moment, and its totals as of one second."""
    empty = NetworkTraffic(1, SECOND, bytes(8 * TRAFFIC_LIMIT), bytes(4 * DISPERSION_BINS), 0, 1 << 23)
    yield empty
    with packet_monitor() as monitor:
        last = 0
        for frame in captured(capture):
            monitor.run(frame)
            for record in monitor.records():
                last = record.timestamp
                yield record
        words = monitor.words()
    counts = b"".join(word.to_bytes(8, "big") for word in words[:TRAFFIC_LIMIT])
    bins = b"".join(word.to_bytes(4, "big") for word in words[TRAFFIC_LIMIT : TRAFFIC_LIMIT + DISPERSION_BINS])
    yield NetworkTraffic(last + 1, SECOND, counts, bins, 0, 1 << 23)


def alerts(capture: Path) -> list[Alert]:
    """Return the alerts of 62 or more."""
    pipeline = Pipeline(HEADER, min_score=HIGH)
    return [alert for record in records(capture) for alert in pipeline.assess(record).alerts]


@pytest.mark.parametrize("capture", captures("benign"), ids=lambda path: path.name)
def test_benign_capture_raises_no_alert(capture: Path) -> None:
    """Calls, bulk, peers and tunnels raise no alert, even if all of it comes within a second."""
    assert [alert.summary for alert in alerts(capture)] == []


def test_there_are_benign_captures() -> None:
    """The corpus is there: without it nothing would be tested."""
    assert len(captures("benign")) >= 10, f"{CAPTURES} is missing: set PYLOADER_CORPUS"


def test_short_flood_is_told() -> None:
    """Two hundred SYNs of one source within a moment, none of which is completed, are one alert."""
    [capture] = CAPTURES.glob("flood__*syn-flood*")

    [alert] = alerts(capture)

    assert "SYN flood" in alert.summary
