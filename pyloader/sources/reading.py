"""Read the rings of monitors, and what the sensor adds to their records, as one stream.

Who loads the monitors is another matter: this process (`KernelSource`), or the parent of workers (`LaneSource`).
"""

import os
import select
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, cast, get_args

from pyloader.errors import ClosedError
from pyloader.host import Focus
from pyloader.monitors import ActiveMonitor
from pyloader.records import AnyRecord, CgroupSeen, Elsewhere, Malformed, OfHost
from pyloader.records.codec import decode_batch, encode
from pyloader.records.recording import Header, RecordingWriter
from pyloader.sources.cgroups import CgroupNames
from pyloader.sources.losses import LossReport
from pyloader.sources.merge import Merge
from pyloader.sources.source import Tap

LOSS_INTERVAL_NS = 1_000_000_000
"""Time between two looks at the loss counters while the rings are far from full."""

SLICE_NS = 10_000_000
"""How much time one reading covers at most. A backlog is dealt with in slices, each acknowledged for itself."""

BUSY_GAP_NS = 2_000_000
"""Records that come in closer succession are a stream, and a stream is read in strides."""

_STRIDE = 0.0004
"""Seconds between two readings of a stream.

While records wait that are not acknowledged, the kernel wakes nobody for new ones, and waking costs the process that
caused the record more than everything else that it does for us. So a stream is acknowledged only when it is read again,
after this pause; a lone record is still answered at once.
"""

_BUSY_PAUSE = 0.0001
"""Seconds to wait for a program that has reserved a record and not finished it."""


_OF_HOST: Final[frozenset[type]] = frozenset(get_args(OfHost))


class RingSource:
    """Monitors at work, read in one order; the base of all sources of this kernel.

    The path of each control group stands before the first record that names it, and losses stand where they happened.
    With `record_to` everything is recorded in that file as it is handed out.

    A record is dealt with when the next ones are asked for: until then, if its ring outlives this process, the next
    reader finds it there.
    """

    def __init__(self, header: Header, *, ring_bytes: int, record_to: Path | None) -> None:
        self.header = header
        self.monitors: list[ActiveMonitor] = []
        self._ring_bytes = ring_bytes
        self.taps: list[Tap] = []
        """What gets all that is handed out, with its bytes as they came from the kernel."""
        self._record_to = record_to
        self._raw: dict[int, bytes] = {}
        self._cgroups = CgroupNames()
        self._merge = Merge()
        self._losses = LossReport()
        self._backlog: list[AnyRecord] = []
        self._next_loss_report = 0
        self._end: int | None = None
        self._last_reading = self._told_until = 0
        self._streaming = self._caught_up = False
        self._stopping = self._finished = self._closed = False
        self._held = ExitStack()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._held.callback(os.close, self._wake)

    def start(self) -> None:
        """Begin; nothing that happens after this is missed."""
        raise NotImplementedError

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next records, or nothing after `timeout` seconds. Raises `EOFError` after the last ones."""
        if self._closed:
            message = "this source is closed"
            raise ClosedError(message)
        self._commit()
        if self._streaming and not self._stopping and timeout != 0:
            time.sleep(_STRIDE)
        for monitor in self.monitors:
            monitor.reader.acknowledge()
            if monitor.others is not None:
                monitor.others.acknowledge()
        self._dealt_with()
        if self._backlog:
            backlog, self._backlog = self._backlog, []
            return self._told(backlog)
        if self._stopping:
            return self._rest()
        # In a stream there is most likely something; if there is not, it is no stream any more and the next read waits.
        ready = self._streaming or bool(self._merge) or bool(self._epoll.poll(self._until_report(timeout)))
        now = boot_now()
        recent = now - self._last_reading
        # After a reading that left nothing behind, a backlog needs more time than a slice to come about.
        horizon = now if self._caught_up and recent < SLICE_NS else self._horizon(now)
        size = self._take_in(horizon)
        if not size and ready and not self._merge:
            time.sleep(_BUSY_PAUSE)
        self._caught_up = horizon == now
        self._streaming = bool(size) and recent < BUSY_GAP_NS and self._caught_up
        self._last_reading = now
        return self._tell(horizon)

    def fileno(self) -> int:
        """Return a descriptor that polls readable while records wait, and after `stop`."""
        return self._epoll.fileno()

    def patience(self) -> float:
        """Return for how many seconds `read` may be put off as long as the descriptor is not readable."""
        at_once = self._backlog or self._merge or self._streaming
        return 0.0 if at_once else self._until_report(None)

    def add(self, records: Iterable[AnyRecord]) -> None:
        """Put records of the sensor's own into the stream; the next `read` returns them."""
        self._backlog.extend(records)

    def attend(self, focus: Focus) -> None:
        """Look at these more closely from now on, as far as this source can; never raises."""
        raise NotImplementedError

    def stop(self) -> None:
        """Wake a blocked `read`; safe in signal handlers and from other threads."""
        self._stopping = True
        if not self._closed:
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Detach and unload everything. Further calls do nothing."""
        self._closed = True
        self._held.close()

    def _open(self) -> None:
        self._epoll = self._held.enter_context(select.epoll())
        self._epoll.register(self._wake, select.EPOLLIN)
        self._held.callback(self._close_monitors)

    def _wait_for(self, descriptors: Iterable[int]) -> None:
        for descriptor in descriptors:
            self._epoll.register(descriptor, select.EPOLLIN)

    def _take(self, monitors: Sequence[ActiveMonitor]) -> None:
        """Read these monitors, too, and close them in the end."""
        self.monitors += monitors
        for monitor in monitors:
            self._losses.add(monitor)
            self._wait_for(monitor.reader.filenos())
            if monitor.others is not None:
                self._wait_for(monitor.others.filenos())

    def _part_with(self, monitor: ActiveMonitor) -> None:
        """Close a monitor of which everything was told."""
        self._losses.drop(monitor)
        for descriptor in monitor.reader.filenos():
            self._epoll.unregister(descriptor)
        self.monitors.remove(monitor)
        monitor.close()

    def _close_monitors(self) -> None:
        with ExitStack() as held:
            for monitor in self.monitors:
                held.enter_context(monitor)

    def _begin(self) -> None:
        """Begin the stream, when all monitors are there."""
        if self._record_to is not None:
            writer = RecordingWriter(self._record_to, self.header)
            self._held.callback(writer.close)
            self.taps.append(lambda _, raw: writer.write(b"".join(raw)))

    def _dealt_with(self) -> None:
        """Do what is to be done when all that was handed out is dealt with."""

    def _whenever_read(self, now: int) -> Iterable[AnyRecord]:
        """Return what else there is to tell at each reading."""
        del now
        return ()

    def _every_second(self, now: int) -> Iterable[AnyRecord]:
        """Do what is due from time to time, and return what is to be told of it."""
        del now
        return ()

    def _placed(self, seen: Iterable[CgroupSeen]) -> list[AnyRecord]:
        """Return announcements as this source tells them."""
        return list(seen)

    def _commit(self) -> None:
        """Remember what was handed out as dealt with: whoever took it has come back for more."""
        for monitor in self.monitors:
            monitor.reader.commit()
        self._losses.acknowledge(self._told_until)

    def _until_report(self, timeout: float | None) -> float:
        """Return how long to wait for records, in seconds: at most until the next look at the loss counters."""
        until_report = max(0, self._next_loss_report - boot_now()) / 1e9
        return until_report if timeout is None else min(timeout, until_report)

    def _rest(self) -> list[AnyRecord]:
        """Return the next of what is in the rings after the programs are detached, in the end with the last losses."""
        if self._finished:
            raise EOFError
        if self._end is None:
            for monitor in self.monitors:
                monitor.detach()
            # Pinned monitors go on, so the end is this moment.
            self._end = boot_now()
        horizon = self._horizon(self._end)
        if not self._take_in(horizon) and horizon == self._end:
            self._finished = True
            horizon = boot_now()
            self._merge.add(self._losses.since_last())
        return self._tell(horizon)

    def _horizon(self, limit: int) -> int:
        """Return up to which moment to read now: `limit`, or less if there is a backlog."""
        oldest = [stamp for monitor in self.monitors if (stamp := monitor.reader.oldest()) is not None]
        return min(limit, min(oldest) + SLICE_NS) if oldest else limit

    def _take_in(self, horizon: int) -> int:
        """Read the rings up to a horizon, and the loss counters when it is time or a ring was well filled.

        Return the bytes that were in the rings; copies do not count, for nobody waits for them.
        """
        size = 0
        for monitor in self.monitors:
            for reader in filter(None, (monitor.reader, monitor.others)):
                more = True
                while more:
                    batch, more = reader.read(horizon)
                    if batch is None:
                        break
                    records, malformed = decode_batch(batch.data, batch.ends, horizon)
                    if reader is monitor.others:
                        self._merge.add(_as_copies(records))
                        continue
                    if self.taps:
                        self._raw.update(zip(map(id, records), batch.split(), strict=True))
                        if malformed:
                            self._forget_malformed(records)
                    self._merge.add(records)
                    size += len(batch.data)
        now = boot_now()
        due = now >= self._next_loss_report
        if due or size >= self._ring_bytes // 2:
            self._next_loss_report = now + LOSS_INTERVAL_NS
            self._merge.add(self._losses.since_last())
        self._merge.add(self._whenever_read(now))
        if due:
            self._merge.add(self._every_second(now))
        return size

    def _forget_malformed(self, records: Iterable[AnyRecord]) -> None:
        """Forget the bytes of what is malformed: a record of ours stands for it in the stream."""
        for record in records:
            if type(record) is Malformed:
                del self._raw[id(record)]

    def _tell(self, horizon: int) -> list[AnyRecord]:
        """Return what may be told by now."""
        self._told_until = horizon
        records = self._merge.until(horizon)
        news = self._cgroups.news_in(records)
        return self._told(self._placed(news) + records if news else records)

    def _told(self, records: list[AnyRecord]) -> list[AnyRecord]:
        """Give the records to the taps, as they came if they came from the kernel, and return them."""
        if self.taps and records:
            raw = [self._raw.pop(id(record), b"") or encode(record) for record in records]
            for tap in self.taps:
                tap(records, raw)
        return records


def _as_copies(records: list[AnyRecord]) -> list[AnyRecord]:
    """Return records of the ring for others as what they are here."""
    return [Elsewhere.of(cast("OfHost", one)) if type(one) in _OF_HOST else one for one in records]


def boot_now() -> int:
    """Return the time of records: nanoseconds of CLOCK_BOOTTIME."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
