"""The totals of all packets, as one record a second."""

import struct
from collections.abc import Callable, Sequence

from pyloader.records import NetworkTraffic
from pyloader.records.network import DISPERSION_BINS, PULSE_SHIFT, PULSE_WINDOWS, TRAFFIC_LIMIT

_MASK = (1 << 64) - 1
_PULSES = TRAFFIC_LIMIT + DISPERSION_BINS


class TrafficReport:
    """Turns the growing totals of a network monitor into `NetworkTraffic` records; `totals` gives them for each CPU."""

    def __init__(self, totals: Callable[[], Sequence[tuple[int, ...]]], timestamp: int) -> None:
        self._totals = totals
        self._last = self._read(totals())
        self._timestamp = timestamp
        self._window = 0

    def since_last(self, timestamp: int) -> NetworkTraffic:
        """Return what the totals grew by since the last call."""
        totals = self._totals()
        now = self._read(totals)
        grown = [(after - before) & _MASK for before, after in zip(self._last, now, strict=True)]
        record = NetworkTraffic(
            timestamp=timestamp,
            interval=timestamp - self._timestamp,
            counts=struct.pack(f">{TRAFFIC_LIMIT}Q", *grown[:TRAFFIC_LIMIT]),
            dispersion=struct.pack(
                f">{DISPERSION_BINS}I", *(min(count, 0xFFFFFFFF) for count in grown[TRAFFIC_LIMIT:])
            ),
            peak=self._peak(totals),
            peak_window=1 << PULSE_SHIFT,
        )
        self._last, self._timestamp = now, timestamp
        return record

    @staticmethod
    def _read(totals: Sequence[tuple[int, ...]]) -> list[int]:
        """Return the words that only grow, all CPUs together."""
        return [sum(words) & _MASK for words in zip(*(words[:_PULSES] for words in totals), strict=True)]

    def _peak(self, totals: Sequence[tuple[int, ...]]) -> int:
        """Return the packets of the fullest window that was not looked at before."""
        packets: dict[int, int] = {}
        for words in totals:
            pulses = words[_PULSES : _PULSES + 2 * PULSE_WINDOWS]
            for window, count in zip(pulses[::2], pulses[1::2], strict=True):
                if window >= self._window and window:
                    packets[window] = packets.get(window, 0) + count
        # The newest window may still grow: it is looked at again.
        self._window = max(packets, default=self._window)
        return max(packets.values(), default=0)
