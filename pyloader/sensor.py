"""The sensor: a source of records and the pipeline that assesses them.

Example:
    with Sensor(monitors=["process"]) as sensor:
        for assessment in sensor:
            for alert in assessment.alerts:
                print(alert.score, alert.summary)
"""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.errors import BusyError, StateError, UsageError
from pyloader.monitors import MONITORS, ON_INTERFACES, Transport, named
from pyloader.pipeline import Assessment, Pipeline, Summary
from pyloader.records import AnalystLabel
from pyloader.scorer import Label
from pyloader.sources import KernelSource, ReplaySource, Source
from pyloader.sources.labels import Inbox
from pyloader.sources.live import RING_BYTES
from pyloader.state import Keeper

_LOG: Final = logging.getLogger(__name__)

_EXCHANGE_INTERVAL = 1.0
"""Seconds between two looks for what analysts have left."""


class Sensor:
    """Watches this host, or replays a recording, and assesses every record.

    Entering the context attaches the monitors, or raises `NotPermittedError`, `UnsupportedError` or `LoadError` that
    says why this host cannot run them; leaving it, for whatever reason, detaches and unloads them. Iteration
    blocks until there is something to tell and ends after `stop`, or at the end of a recording.

    Args:
        monitors: names of monitors; all that exist if omitted.
        interfaces: names of the network interfaces that the network monitor watches; without any it is idle.
        min_score: the lowest score (0-100) that raises an alert.
        record_to: a file that gets every raw record, for `Sensor.replay`.
        ring_bytes: size of each monitor's ring, a power of two and at least 65,536.
        hooks: a kind of hook, such as `tp`, on which all hooks that have it are forced; the best that hold if omitted.
        transport: how records come from the kernel; ring buffers if it has them.
        btf: a file that describes the types of this kernel, for one that does not do so itself.
        instance: a name that one process at a time can have; monitors that `pyloader load` has pinned under it are read
            instead of loaded again.
        source: another source of records than this kernel.
        state_dir: a folder from which the sensor takes what it knew, and in which it keeps that every minute and at the
            end; without it the sensor begins anew.
        needs_state: whether it is an error that the folder cannot be used; else that is logged.

    Raises:
        UsageError: there is no such monitor or hook, or interfaces were chosen for no monitor.

    """

    def __init__(
        self,
        monitors: Sequence[str] | None = None,
        *,
        interfaces: Sequence[str] = (),
        min_score: float = MEDIUM_FROM,
        record_to: Path | None = None,
        ring_bytes: int = RING_BYTES,
        hooks: str | None = None,
        transport: Transport | None = None,
        btf: Path | None = None,
        instance: str | None = None,
        source: Source | None = None,
        state_dir: Path | None = None,
        needs_state: bool = True,
    ) -> None:
        if source is None:
            wanted = [named(name) for name in (monitors if monitors is not None else [*MONITORS, *ON_INTERFACES])]
            if interfaces and not any(monitor.name in ON_INTERFACES for monitor in wanted):
                message = f"interfaces are for the monitor {', '.join(ON_INTERFACES)}, which was left out"
                raise UsageError(message)
            if not interfaces:
                wanted = [monitor for monitor in wanted if monitor.name not in ON_INTERFACES]
            if hooks is not None:
                wanted = [one if one.name in ON_INTERFACES else one.forced(hooks) for one in wanted]
            source = KernelSource(
                wanted,
                interfaces=interfaces,
                ring_bytes=ring_bytes,
                transport=transport,
                record_to=record_to,
                btf=btf,
                instance=instance,
            )
        self._source = source
        self._make = partial(Pipeline, source.header, min_score=min_score)
        self._pipeline = self._make()
        self._focus = self._pipeline.focus
        self._state_dir = state_dir
        self._needs_state = needs_state
        self._keeper: Keeper | None = None
        self._faults_before = 0
        self._is_between_batches = True
        self._inbox: Inbox | None = None
        self._next_exchange = 0.0

    @classmethod
    def replay(cls, recording: Path | bytes, *, min_score: float = MEDIUM_FROM, state_dir: Path | None = None) -> Self:
        """Return a sensor that assesses a recording, from a file or from bytes, exactly as the live run did.

        With `state_dir` it goes on from what is known there, and adds to it. Raises `RecordingError` if it is none;
        damage further on raises it where it lies, during iteration.
        """
        return cls(source=ReplaySource(recording), min_score=min_score, state_dir=state_dir)

    def batches(self, interval: float | None = None) -> Iterator[list[Assessment]]:
        """Yield assessments as they come, in lists; an empty list after at most `interval` seconds without any."""
        keeper = self._keeper
        while True:
            try:
                records = self._source.read(interval if keeper is None else keeper.patience(interval))
            except EOFError:
                return
            self._is_between_batches = False
            assessments = self._pipeline.assess_all(records)
            self._is_between_batches = True
            if keeper is not None:
                if keeper.fails(self._pipeline.faults - self._faults_before):
                    self._pipeline = keeper.begin_anew(self._make)
                keeper.look(self._pipeline)
            if self._pipeline.focus is not self._focus:
                self._focus = self._pipeline.focus
                self._source.attend(self._focus)
            if self._inbox is not None:
                self._exchange(self._inbox, assessments)
            yield assessments

    def __iter__(self) -> Iterator[Assessment]:
        for batch in self.batches():
            yield from batch

    def feedback(self, alert: str, label: Label, note: str = "") -> None:
        """Say what an alert was. It is taken into the stream of records, so that a recording holds it too.

        What becomes of it is the `answer` of the assessment of its record.
        """
        record = AnalystLabel(self._pipeline.latest, int(label), alert.encode(), note.encode())
        self._source.add([record])

    def summary(self) -> Summary:
        """Return what was seen, lost and reported so far."""
        return self._pipeline.summary()

    def stop(self) -> None:
        """End the iteration after what is already in the rings; safe in signal handlers and other threads."""
        self._source.stop()

    def close(self) -> None:
        """Detach and unload everything, and keep what is known. Further calls do nothing."""
        keeper, self._keeper = self._keeper, None
        try:
            self._source.close()
        finally:
            if keeper is not None:
                if self._is_between_batches:
                    keeper.keep(self._pipeline)
                keeper.close()

    def _remember(self, folder: Path) -> None:
        """Bring back what is known in a folder."""
        header = self._source.header
        try:
            keeper = Keeper(folder, boot_id=header.boot_id, realtime_offset=header.realtime_offset)
        except (StateError, BusyError) as error:
            if self._needs_state:
                raise
            _LOG.warning("what is learned now will not be kept: %s", error)
            return
        self._keeper = keeper
        self._pipeline = keeper.bring_back(self._make)
        if isinstance(self._source, KernelSource):
            # A recording that is replayed in parts is one run; a sensor that starts again is another.
            self._pipeline.begin_run()
        self._faults_before = self._pipeline.faults
        self._inbox = Inbox(folder)

    def __enter__(self) -> Self:
        try:
            self._source.start()
            if self._state_dir is not None:
                self._remember(self._state_dir)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _exchange(self, inbox: Inbox, assessments: Iterable[Assessment]) -> None:
        """Take what analysts have left since, and answer to what they left before."""
        labels = [(one.record, one.answer) for one in assessments if type(one.record) is AnalystLabel]
        if labels and self._keeper is not None:
            # Whoever gets an answer may rely on it.
            self._keeper.keep(self._pipeline)
        for record, answer in labels:
            inbox.answer(record, answer)
        now = time.monotonic()
        if now >= self._next_exchange:
            self._next_exchange = now + _EXCHANGE_INTERVAL
            self._source.add(inbox.take(self._pipeline.latest))
