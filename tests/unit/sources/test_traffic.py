"""Totals become one record a second."""

import struct

from pyloader.monitors.network import TRAFFIC_WORDS
from pyloader.records import Traffic
from pyloader.records.network import DISPERSION_BINS, TRAFFIC_LIMIT
from pyloader.sources.traffic import TrafficReport

PULSES = TRAFFIC_LIMIT + DISPERSION_BINS


class FakeMonitor:
    """Totals of two CPUs that a test sets."""

    def __init__(self) -> None:
        self.cpus = [[0] * TRAFFIC_WORDS, [0] * TRAFFIC_WORDS]

    def totals(self) -> list[tuple[int, ...]]:
        """Return the words of each CPU."""
        return [tuple(words) for words in self.cpus]


def report(monitor: FakeMonitor) -> TrafficReport:
    """Return a report that begins now."""
    return TrafficReport(monitor.totals, 1_000)


def test_what_the_totals_grew_by() -> None:
    """A record has what all CPUs counted since the last one, and the time since then."""
    monitor = FakeMonitor()
    monitor.cpus[0][Traffic.SYN] = 7
    told = report(monitor)
    monitor.cpus[0][Traffic.SYN], monitor.cpus[1][Traffic.SYN] = 10, 5
    monitor.cpus[1][TRAFFIC_LIMIT + 3] = 4

    first, second = told.since_last(3_000), told.since_last(4_000)
    assert (first.count(Traffic.SYN), second.count(Traffic.SYN)) == (8, 0)
    assert (first.interval, second.interval) == (2_000, 1_000)
    assert struct.unpack(f">{DISPERSION_BINS}I", first.dispersion)[3] == 4


def test_the_fullest_window() -> None:
    """The peak is the fullest window of all CPUs together, and no window that was told before."""
    monitor = FakeMonitor()
    told = report(monitor)
    monitor.cpus[0][PULSES : PULSES + 4] = [100, 5, 101, 20]
    monitor.cpus[1][PULSES : PULSES + 4] = [100, 30, 90, 2]
    assert told.since_last(3_000).peak == 35
    monitor.cpus[0][PULSES : PULSES + 4] = [100, 5, 101, 21]

    assert told.since_last(4_000).peak == 21
