"""What was not published, counted until it is announced."""

import threading
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from pyloader.nats.segments import Entry


class Loss(NamedTuple):
    """How many messages of a kind were lost for one reason, and when they were handed over (ns since 1970)."""

    kind: str
    reason: str
    messages: int
    begin: int
    end: int


class Gap(msgspec.Struct, frozen=True, tag="gap", rename={"begin": "from", "end": "to"}):
    """The announcement of a loss: how many messages of the kind `lost` are missing, why, and of which time."""

    host: str
    boot_id: str
    lost: str
    count: int
    reason: str
    begin: datetime
    end: datetime


_GAPS: Final = msgspec.json.Decoder(Gap)


class Losses:
    """Counts by kind and reason; safe to use from several threads."""

    def __init__(self) -> None:
        self.total: dict[str, int] = {}
        """All that ever was lost, by kind."""
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, str], Loss] = {}

    def add(self, loss: Loss) -> None:
        """Count."""
        with self._lock:
            self.total[loss.kind] = self.total.get(loss.kind, 0) + loss.messages
            self._announce(loss)

    def add_entries(self, entries: list[Entry], reason: str) -> None:
        """Count entries. What a lost gap has announced is announced again; headers come again by themselves."""
        for entry in entries:
            if entry.kind == "gap":
                gap = _GAPS.decode(entry.data)
                with self._lock:
                    self._announce(
                        Loss(gap.lost, gap.reason, gap.count, _nanoseconds(gap.begin), _nanoseconds(gap.end))
                    )
            elif entry.kind != "header":
                self.add(Loss(entry.kind, reason, 1, entry.time, entry.time))

    def take(self) -> list[Loss]:
        """Return what was lost since the last call."""
        with self._lock:
            pending, self._pending = self._pending, {}
        return list(pending.values())

    def _announce(self, loss: Loss) -> None:
        key = (loss.kind, loss.reason)
        before = self._pending.get(key, loss._replace(messages=0))
        begin, end = min(before.begin, loss.begin), max(before.end, loss.end)
        self._pending[key] = Loss(*key, before.messages + loss.messages, begin, end)


def date(nanoseconds: int) -> datetime:
    """Return a time since 1970 as a date, to the second."""
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)


def _nanoseconds(time: datetime) -> int:
    return int(time.timestamp()) * 1_000_000_000
