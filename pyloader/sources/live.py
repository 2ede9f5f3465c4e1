"""Records from this kernel."""

import os
import select
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from pyloader import kernel
from pyloader.errors import ClosedError
from pyloader.host import procfs
from pyloader.monitors import LoadedMonitor, Monitor
from pyloader.records import AnyRecord
from pyloader.records.codec import decode_batch, encode
from pyloader.records.recording import Header, RecordingWriter
from pyloader.sources.cgroups import CgroupNames
from pyloader.sources.losses import LossReport

RING_BYTES = 4 * 1024 * 1024
"""Room for about 10,000 records of a busy host; what does not fit is counted as lost."""

LOSS_INTERVAL_NS = 1_000_000_000
"""Time between two looks at the loss counters."""

_BUSY_PAUSE = 0.0001
"""Seconds to wait for a program that has reserved a record and not finished it."""


class KernelSource:
    """The monitors at work, and what the sensor adds to their records.

    The stream begins with the processes that ran before. The path of each control group stands before the first
    record that names it, and losses stand where they were noticed. With `record_to` everything is recorded in
    that file as it is handed out.

    Raises `NotPermittedError`, `UnsupportedError` or `LoadError` if this host cannot run the monitors; nothing stays
    behind then.
    """

    def __init__(
        self, monitors: Sequence[Monitor], *, ring_bytes: int = RING_BYTES, record_to: Path | None = None
    ) -> None:
        kernel.require()
        self.header = Header.of_this_host()
        self._writer: RecordingWriter | None = None
        self._cgroups = CgroupNames()
        self._held = ExitStack()
        try:
            self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self._held.callback(os.close, self._wake)
            self._epoll = self._held.enter_context(select.epoll())
            self._epoll.register(self._wake, select.EPOLLIN)
            self.monitors = [
                self._held.enter_context(LoadedMonitor(monitor, ring_bytes=ring_bytes)) for monitor in monitors
            ]
            for monitor in self.monitors:
                self._epoll.register(monitor.ring.fileno(), select.EPOLLIN)
            if record_to is not None:
                self._writer = RecordingWriter(record_to, self.header)
                self._held.callback(self._writer.close)
        except BaseException:
            self._held.close()
            raise
        self._losses = LossReport(self.monitors)
        self._next_loss_report = 0
        self._backlog: list[AnyRecord] = []
        self._stopping = self._finished = self._closed = False

    def start(self) -> None:
        """Attach every program, and only then look at the processes that run already, so that none is missed."""
        for monitor in self.monitors:
            monitor.attach()
        now = _now()
        for seen in procfs.processes(now):
            if seen.cgroup and self._cgroups.is_news(seen.cgroup):
                self._backlog.extend(self._cgroups.announce(seen.cgroup, seen.pid, now))
            self._backlog.append(seen)
        self._next_loss_report = now + LOSS_INTERVAL_NS

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next records, or nothing after `timeout` seconds. Raises `EOFError` after the last ones."""
        if self._closed:
            message = "this source is closed"
            raise ClosedError(message)
        if self._backlog:
            backlog, self._backlog = self._backlog, []
            return self._recorded(backlog)
        if self._stopping:
            return self._rest()
        now = _now()
        if now >= self._next_loss_report:
            self._next_loss_report = now + LOSS_INTERVAL_NS
            if losses := self._losses.since_last(now):
                return self._recorded(losses)
        until_report = (self._next_loss_report - now) / 1e9
        ready = self._epoll.poll(until_report if timeout is None else min(timeout, until_report))
        records = self._drain()
        if ready and not records and not self._stopping:
            time.sleep(_BUSY_PAUSE)
        return records

    def stop(self) -> None:
        """Wake a blocked `read`; safe in signal handlers and from other threads."""
        self._stopping = True
        if not self._closed:
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Detach and unload everything. Further calls do nothing."""
        self._closed = True
        self._held.close()

    def _rest(self) -> list[AnyRecord]:
        """Return what is still in the rings after the programs are detached, then the last losses."""
        if self._finished:
            raise EOFError
        for monitor in self.monitors:
            monitor.detach()
        if records := self._drain():
            return records
        self._finished = True
        return self._recorded(self._losses.since_last(_now()))

    def _drain(self) -> list[AnyRecord]:
        records: list[AnyRecord] = []
        for monitor in self.monitors:
            batch = monitor.ring.read()
            if batch is None:
                continue
            decoded, malformed = decode_batch(batch.data, batch.ends, _now())
            records += self._recorded(self._cgroups.news_in(decoded))
            records += self._recorded(decoded, None if malformed else batch.records)
        return records

    def _recorded(self, records: list[AnyRecord], raw: memoryview | None = None) -> list[AnyRecord]:
        """Write the records down, as the given bytes if there are any, and return them."""
        if self._writer is not None:
            self._writer.write(raw if raw is not None else b"".join(map(encode, records)))
        return records


def _now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
