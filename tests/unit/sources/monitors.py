"""Monitors without a kernel: rings that a test fills, counters that it sets, and what a reader did to them."""

import contextlib
import os
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Self

from pyloader.binding import Batch
from pyloader.monitors import Monitor, Rung, Tally
from pyloader.records import AnyRecord
from pyloader.records.codec import ARRAY_HEADER, decode, encode

RUNG = Rung("tp/sample", "exec_tp", blind_to="much", cost="little")


class FakeReader:
    """A reader of one ring that polls readable while something is not acknowledged, at most `room` records a read."""

    def __init__(self, *, room: int = 100) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._records: list[tuple[int, bytes]] = []
        self._room = room
        self._next = 0
        self.committed = 0
        self.acknowledged = 0
        self.knows_stamps = True

    def fill(self, *records: AnyRecord | bytes) -> None:
        """Add records."""
        for record in records:
            raw = record if isinstance(record, bytes) else encode(record)
            self._records.append((_stamp(raw), raw))
        os.eventfd_write(self._descriptor, 1)

    def filenos(self) -> list[int]:
        """Return what polls readable."""
        return [self._descriptor]

    def oldest(self) -> int | None:
        """Return the stamp of the next record."""
        if not self.knows_stamps:
            return None
        return next((stamp for stamp, _ in self._records[self._next :]), None)

    def read(self, horizon: int) -> tuple[Batch | None, bool]:
        """Return what was stamped up to the horizon, if stamps are known, and whether there was more than room."""
        parts: list[bytes] = []
        for stamp, raw in self._records[self._next :]:
            if self.knows_stamps and stamp > horizon:
                break
            if len(parts) == self._room:
                return self._batch(parts), True
            parts.append(raw)
        return (self._batch(parts) if parts else None), False

    def commit(self) -> None:
        """Note up to where."""
        self.committed = self._next

    def acknowledge(self) -> None:
        """Give back what was read."""
        self.acknowledged = self._next
        if self._next == len(self._records):
            _drain(self._descriptor)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)

    def _batch(self, parts: list[bytes]) -> Batch:
        self._next += len(parts)
        data = b"\xdd" + len(parts).to_bytes(4, "big") + b"".join(parts)
        return Batch(memoryview(data), [ARRAY_HEADER + end for end in accumulate(map(len, parts))])


class FakeMonitor:
    """A monitor at work. `counts` are its tallies by tag and CPU, `told` what readers have reported of them."""

    others: FakeReader | None = None
    totals: Callable[[], list[tuple[int, ...]]] | None = None

    def __init__(self, monitor: Monitor) -> None:
        self.monitor = monitor
        self.rungs = {"exec": RUNG}
        self.reader = FakeReader()
        self.counts: dict[int, list[Tally]] = {1: [Tally(0, 0, 0)]}
        self.told: dict[int, list[int]] = {}
        self.done: list[str] = []

    def lose(self, tag: int, cpu: int, lost: int, at: int) -> None:
        """Set how many records of a type a CPU has lost, the last of them at a time."""
        self.counts[tag][cpu] = Tally(0, lost, at)

    def tallies(self) -> Iterator[tuple[int, list[Tally]]]:
        """Yield the counters."""
        for tag, tallies in self.counts.items():
            yield tag, list(tallies)

    def reported(self, tag: int) -> list[int]:
        """Return what was told."""
        return list(self.told.get(tag, [0] * len(self.counts[tag])))

    def set_reported(self, tag: int, counts: list[int]) -> None:
        """Remember what was told."""
        self.told[tag] = list(counts)

    def map_fd(self, name: str) -> None:
        """Return no map: there is no kernel."""

    def detach(self) -> None:
        """Note it."""
        self.done.append("detach")

    def close(self) -> None:
        """Note it, and close the rings."""
        self.done.append("close")
        self.reader.close()
        if self.others is not None:
            self.others.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _stamp(raw: bytes) -> int:
    try:
        return decode(raw).timestamp
    except ValueError:
        return 0


def _drain(descriptor: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.eventfd_read(descriptor)
