"""What makes assessments of records: in this process, or in several.

A sensor reads its engine, and tells all consumers.
"""

import logging
import threading
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from pyloader.errors import BusyError, StateError
from pyloader.pipeline import Assessment, Pipeline, Summary, Tally
from pyloader.records import AnalystLabel, AnyRecord
from pyloader.records.codec import encode
from pyloader.records.recording import Header
from pyloader.sources import KernelSource, Source
from pyloader.sources.labels import Inbox
from pyloader.sources.source import Tap, Tapped
from pyloader.state import Keeper
from pyloader.workers.folders import prepare_alone

_LOG: Final = logging.getLogger(__name__)

_EXCHANGE_INTERVAL: Final = 1.0
"""Seconds between two looks for what analysts have left."""


class Engine(Protocol):
    """What a sensor asks of it; the names mean what they mean of a `Source`."""

    header: Header

    @property
    def unread(self) -> bool:
        """Whether there is more of what was read already."""

    @property
    def latest(self) -> int:
        """The latest time (ns) of a record."""

    def start(self) -> None:
        """Attach the monitors, and bring back what is known."""

    def read(self, timeout: float | None, at_most: int | None = None) -> list[Assessment]:
        """Return the next assessments, of `at_most` records at a time; none after `timeout` seconds without any."""

    def fileno(self) -> int | None:
        """Return a descriptor that polls readable when there is something to read."""

    def patience(self) -> float:
        """Return for how many seconds `read` may be put off as long as the descriptor is not readable."""

    def add(self, labels: Iterable[AnalystLabel]) -> None:
        """Take labels into the stream."""

    def tap(self, take: Tap) -> None:
        """Give this all records that are read, and their bytes. Raises `UsageError` if they are not read here."""

    def report_from(self, min_score: float) -> None:
        """Let this be the lowest score that raises an alert from now on."""

    def tell_all(self, *, everything: bool) -> None:
        """Tell every assessment from now on, or only those that matter, if that is of use."""

    def summary(self) -> Summary:
        """Return what was seen so far."""

    def stop(self) -> None:
        """Ask for the end; safe in signal handlers and other threads."""

    def close(self) -> None:
        """Release everything, and keep what is known."""


class InProcess:
    """One source and one pipeline, in this process.

    `state` is a folder for what is known; `needs_state` whether it is an error that it cannot be used; `score` whether
    records are assessed, and not only counted.
    """

    def __init__(
        self,
        source: Source,
        *,
        min_score: float,
        state: Path | None = None,
        needs_state: bool = True,
        score: bool = True,
    ) -> None:
        self.header = source.header
        self.source = source
        self._taps: list[Tap] = []
        """Those of a source that has no bytes of its records."""
        self._make = partial(Pipeline if score else Tally, source.header, min_score=min_score)
        self.pipeline = self._make()
        self._focus = self.pipeline.focus
        self._state = state if score else None
        self._needs_state = needs_state
        self._keeper: Keeper | None = None
        self._faults_before = 0
        self._inbox: Inbox | None = None
        self._next_exchange = 0.0
        self._unread: list[AnyRecord] = []
        """What was read and not yet assessed."""
        # A signal handler may ask for the summary.
        self._knowing = threading.RLock()
        self._is_between_batches = True

    @property
    def unread(self) -> bool:
        """Whether there is more of what was read already."""
        return bool(self._unread)

    @property
    def latest(self) -> int:
        """The latest time (ns) of a record."""
        return self.pipeline.latest

    def start(self) -> None:
        """Start the source, and bring back what is known."""
        self.source.start()
        if self._state is not None:
            self._remember(self._state)

    def read(self, timeout: float | None, at_most: int | None = None) -> list[Assessment]:
        """Return the next assessments. Raises `EOFError` at the end."""
        patience = timeout if self._keeper is None else self._keeper.patience(timeout)
        records = self._unread or self._fresh(patience)
        self._unread = []
        if at_most is not None:
            records, self._unread = records[:at_most], records[at_most:]
        return self._assess(records)

    def fileno(self) -> int | None:
        """Return that of the source."""
        return self.source.fileno()

    def patience(self) -> float:
        """Return that of the source, but so that no snapshot is late."""
        if self._unread:
            return 0.0
        patience = self.source.patience()
        return patience if self._keeper is None else self._keeper.patience(patience)

    def add(self, labels: Iterable[AnalystLabel]) -> None:
        """Put labels into the stream."""
        self.source.add(labels)

    def tap(self, take: Tap) -> None:
        """Give this all records, and their bytes."""
        taps = self.source.taps if isinstance(self.source, Tapped) else self._taps
        taps.append(take)

    def report_from(self, min_score: float) -> None:
        """Let this be the lowest score that raises an alert from now on."""
        with self._knowing:
            self._make = partial(self._make, min_score=min_score)
            self.pipeline.report_from(min_score)

    def tell_all(self, *, everything: bool) -> None:
        """Do nothing: every assessment is told in any case."""

    def summary(self) -> Summary:
        """Return what was seen so far."""
        with self._knowing:
            return self.pipeline.summary()

    def stop(self) -> None:
        """Stop the source."""
        self.source.stop()

    def close(self) -> None:
        """Close the source, and keep what is known."""
        keeper, self._keeper = self._keeper, None
        try:
            self.source.close()
        finally:
            if keeper is not None:
                with self._knowing:
                    if self._is_between_batches:
                        keeper.keep(self.pipeline)
                keeper.close()

    def _fresh(self, timeout: float | None) -> list[AnyRecord]:
        """Return what the source has now."""
        records = self.source.read(timeout)
        if self._taps and records:
            raw = [encode(record) for record in records]
            for take in self._taps:
                take(records, raw)
        return records

    def _remember(self, folder: Path) -> None:
        """Bring back what is known in a folder."""
        try:
            keeper = Keeper(folder, boot_id=self.header.boot_id, realtime_offset=self.header.realtime_offset)
        except (StateError, BusyError) as error:
            if self._needs_state:
                raise
            _LOG.warning("what is learned now will not be kept: %s", error)
            return
        self._keeper = keeper
        prepare_alone(folder)
        self.pipeline = keeper.bring_back(self._make)
        if isinstance(self.source, KernelSource):
            # A recording that is replayed in parts is one run; a sensor that starts again is another.
            self.pipeline.begin_run()
        self._faults_before = self.pipeline.faults
        self._inbox = Inbox(folder)

    def _assess(self, records: list[AnyRecord]) -> list[Assessment]:
        with self._knowing:
            self._is_between_batches = False
            assessed = self.pipeline.assess_all(records)
            self._is_between_batches = True
            if self._keeper is not None:
                if self._keeper.fails(self.pipeline.faults - self._faults_before):
                    self.pipeline = self._keeper.begin_anew(self._make)
                self._keeper.look(self.pipeline)
            if self.pipeline.focus is not self._focus:
                self._focus = self.pipeline.focus
                self.source.attend(self._focus)
            if self._inbox is not None:
                self._exchange(self._inbox, assessed)
        return assessed

    def _exchange(self, inbox: Inbox, assessments: Iterable[Assessment]) -> None:
        """Take what analysts have left since, and answer to what they left before."""
        labels = [(one.record, one.answer) for one in assessments if type(one.record) is AnalystLabel]
        if labels and self._keeper is not None:
            # Whoever gets an answer may rely on it.
            self._keeper.keep(self.pipeline)
        for record, answer in labels:
            inbox.answer(record, answer)
        now = time.monotonic()
        if now >= self._next_exchange:
            self._next_exchange = now + _EXCHANGE_INTERVAL
            self.source.add(inbox.take(self.pipeline.latest))
