"""What a run publishes to NATS, by settings that can change while it runs.

A spool has one user at a time. So while the settings change, the publisher before is closed, which leaves in the spool
what the server has not taken, and only then the next one is opened. What is seen meanwhile is held, up to a bound, and
goes to the next one first; what the bound forces out is announced there.
"""

import os
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from msgspec.structs import replace

from pyloader.config import NatsSettings, Settings
from pyloader.pipeline import Assessment, Summary
from pyloader.records import AnyRecord
from pyloader.sensor import Sensor

if TYPE_CHECKING:
    from pyloader.nats import Publisher

_HELD_BYTES: Final = 16 << 20
"""Bytes of records that are held while settings change; it takes seconds, if the server is slow."""

_HELD_ASSESSMENTS: Final = 4_096


class _Held:
    """What is seen while there is no publisher."""

    def __init__(self) -> None:
        self._records: list[tuple[Sequence[AnyRecord], Sequence[bytes]]] = []
        self._assessments: list[Assessment] = []
        self._bytes = 0
        self._missed: Counter[str] = Counter()

    def records(self, records: Sequence[AnyRecord], raw: Sequence[bytes]) -> None:
        """Hold records, if there is room."""
        size = sum(map(len, raw))
        if self._bytes + size > _HELD_BYTES:
            self._missed["record"] += len(records)
            return
        self._bytes += size
        self._records.append((records, raw))

    def assessments(self, assessments: Sequence[Assessment]) -> None:
        """Hold assessments, if there is room."""
        if len(self._assessments) >= _HELD_ASSESSMENTS:
            self._missed["assessment"] += len(assessments)
            return
        self._assessments += assessments

    def hand_over(self, publisher: "Publisher", settings: NatsSettings) -> None:
        """Give everything to a publisher."""
        if "records" in settings.publish:
            for records, raw in self._records:
                publisher.records(records, raw)
        publisher.assessments(self._assessments)
        for kind, count in self._missed.items():
            publisher.missed(kind, "settings changed", count)


class Publishing:
    """Hands what a sensor sees to a publisher, if there is one. A context manager around that of the sensor."""

    def __init__(self, sensor: Sensor, settings: Settings) -> None:
        self._sensor = sensor
        self._nats = _effective(settings)
        self._publisher = _publisher(sensor, settings)
        self._held: _Held | None = None
        self._counts: Counter[str] = Counter()
        self._is_tapped = self._is_subscribed = self._is_over = False
        self._lock = threading.Lock()
        """Held for moments only: the reader waits for it."""
        self._changing = threading.Lock()

    def change(self, before: Settings, after: Settings) -> None:
        """Publish by other settings from now on. If they are wrong, that is raised, and all is as before."""
        with self._changing:
            if self._is_over:
                return
            # What can be known to be wrong without a server is raised before anything has changed.
            following = _publisher(self._sensor, after)
            if following is not None:
                self._attach(_effective(after))
            with self._lock:
                previous, self._publisher = self._publisher, None
                self._held = held = _Held()
            self._end(previous)
            self._nats = _effective(after)
            try:
                if following is not None:
                    following.start()
            except BaseException:
                self._nats = _effective(before)
                following = _publisher(self._sensor, before)
                if following is not None:
                    following.start()
                raise
            finally:
                with self._lock:
                    self._publisher, self._held = following, None
                    if following is not None:
                        held.hand_over(following, self._nats)

    def summed(self, summary: Summary) -> Summary:
        """Close, and return the summary of a run with what became of what was to be published."""
        self.close()
        return replace(summary, nats=dict(self._counts)) if self._counts else summary

    def close(self) -> None:
        """Let what is left be published, or kept in the spool. Further calls do nothing."""
        with self._changing:
            self._is_over = True
            with self._lock:
                previous, self._publisher = self._publisher, None
            self._end(previous)

    def _end(self, publisher: "Publisher | None") -> None:
        if publisher is None:
            return
        publisher.close()
        counts = publisher.stats().counts()
        # What waits now is found again by the next one, if there is one.
        self._counts.update({name: count for name, count in counts.items() if name != _WAITING})
        self._counts[_WAITING] = counts.get(_WAITING, 0)

    def _attach(self, settings: NatsSettings) -> None:
        """Let the sensor give what these settings ask for, if it does not yet. Raises `UsageError` if it cannot."""
        if "records" in settings.publish and not self._is_tapped:
            self._sensor.tap(self._records)
            self._is_tapped = True
        if {"alerts", "assessments"} & set(settings.publish) and not self._is_subscribed:
            self._sensor.subscribe(self._of_assessment, name="nats")
            self._is_subscribed = True

    def _records(self, records: Sequence[AnyRecord], raw: Sequence[bytes]) -> None:
        with self._lock:
            if self._held is not None:
                self._held.records(records, raw)
            elif self._publisher is not None and "records" in self._nats.publish:
                self._publisher.records(records, raw)

    def _of_assessment(self, assessment: Assessment) -> tuple[()]:
        """Take what is to be published; nothing is left for a queue of the sensor's own."""
        if assessment.alerts or assessment.score >= self._nats.min_score:
            with self._lock:
                if self._held is not None:
                    self._held.assessments((assessment,))
                elif self._publisher is not None:
                    self._publisher.assessments((assessment,))
        return ()

    def __enter__(self) -> Self:
        if self._publisher is not None:
            self._attach(self._nats)
            self._publisher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


_WAITING: Final = "bytes waiting"


def _effective(settings: Settings) -> NatsSettings:
    """Return what is to be published: a host that does not score has nothing but records."""
    return settings.nats if settings.score else replace(settings.nats, publish=("records",))


def _publisher(sensor: Sensor, settings: Settings) -> "Publisher | None":
    """Return a publisher that has not been started, or `None` if nothing is to be published."""
    if not settings.nats.url:
        return None
    from pyloader.nats import Publisher  # noqa: PLC0415 -- who publishes nothing needs neither it nor asyncio.

    keeps = settings.state or settings.nats.spool is not None
    spool = (settings.nats.spool or settings.state_folder(os.environ) / "nats") if keeps else None
    return Publisher(_effective(settings), sensor.header, instance=settings.instance, spool=spool)
