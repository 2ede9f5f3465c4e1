"""Records from this kernel."""

import os
import select
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from pyloader import kernel
from pyloader.errors import ClosedError
from pyloader.host import Focus, procfs
from pyloader.monitors import (
    ON_INTERFACES,
    PROCESS,
    ActiveMonitor,
    AttentionWriter,
    InterfaceMonitor,
    LoadedMonitor,
    Monitor,
    PinnedMonitor,
    Pins,
    Rung,
    Transport,
    only_one,
    sweep_left_behind,
)
from pyloader.monitors.ladder import NONE
from pyloader.records import AnyRecord, HookInUse, Malformed
from pyloader.records.codec import decode_batch, encode
from pyloader.records.recording import Header, RecordingWriter
from pyloader.sources.cgroups import CgroupNames
from pyloader.sources.losses import LossReport
from pyloader.sources.merge import Merge
from pyloader.sources.source import Tap
from pyloader.sources.traffic import TrafficReport

RING_BYTES = 4 * 1024 * 1024
"""Room for about 10,000 records of a busy host in each ring; what does not fit is counted as lost."""

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


class KernelSource:
    """The monitors at work, and what the sensor adds to their records.

    The stream begins with the processes that ran before. The path of each control group stands before the first
    record that names it, and losses stand where they happened. With `record_to` everything is recorded in that file
    as it is handed out. With an `instance`, monitors that it has pinned are read instead of loaded again, and no other
    process can read as that instance meanwhile.

    A record is dealt with when the next ones are asked for: until then, if its ring is pinned, the next reader finds it
    there.

    The monitors can be exchanged while records come. New ones observe from `open` on, and from `exchange` on are read;
    those that are no longer wanted then observe no more, and are read to the end before they are closed.
    """

    def __init__(
        self,
        monitors: Sequence[Monitor],
        *,
        interfaces: Sequence[str] = (),
        ring_bytes: int = RING_BYTES,
        transport: Transport | None = None,
        record_to: Path | None = None,
        btf: Path | None = None,
        instance: str | None = None,
    ) -> None:
        self.header = Header.of_this_host()
        self.monitors: list[ActiveMonitor] = []
        self.taps: list[Tap] = []
        """What gets all that is handed out, with its bytes as they came from the kernel."""
        self._wanted = monitors
        self._interfaces = interfaces
        self._watched: InterfaceMonitor | None = None
        self._leaving: dict[ActiveMonitor, int] = {}
        """Those that are read to their end, and until when (ns) they may have told something."""
        self._ring_bytes = ring_bytes
        self._transport = transport
        self._record_to = record_to
        self._btf = btf
        self._instance = instance
        self._raw: dict[int, bytes] = {}
        self._cgroups = CgroupNames()
        self._merge = Merge()
        self._backlog: list[AnyRecord] = []
        self._next_loss_report = 0
        self._focus: Focus | None = None
        """What is to be looked at and was not yet written into the kernel."""
        self._focus_before: Focus | None = None
        """What was written last."""
        self._end: int | None = None
        self._last_reading = self._told_until = 0
        self._streaming = self._caught_up = False
        self._stopping = self._finished = self._closed = False
        self._held = ExitStack()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._held.callback(os.close, self._wake)

    def start(self) -> None:
        """Attach the monitors, and only then look at the processes that run already, so that none is missed.

        Raises `NotPermittedError`, `UnsupportedError` or `LoadError` if this host cannot run the monitors, and
        `RecordingError` if the recording cannot be made; `close` then leaves nothing behind.
        """
        kernel.require(self._btf)
        begin = _now()
        self._epoll = self._held.enter_context(select.epoll())
        self._epoll.register(self._wake, select.EPOLLIN)
        if self._instance is not None:
            self._held.enter_context(only_one(self._instance))
        sweep_left_behind()
        self._losses = LossReport()
        self._held.callback(self._close_monitors)
        self.monitors += self.open(self._wanted, self._interfaces)
        for monitor in self.monitors:
            self._join(monitor, begin)
        self._attention = AttentionWriter(self.monitors)
        # Pinned monitors go on without us, and then for nobody in particular.
        self._held.callback(lambda: self._attention.clear())  # noqa: PLW0108 -- there may be another one by then.
        if self._record_to is not None:
            writer = RecordingWriter(self._record_to, self.header)
            self._held.callback(writer.close)
            self.taps.append(lambda _, raw: writer.write(b"".join(raw)))
        self._look_at_processes(begin)

    def open(self, wanted: Sequence[Monitor], interfaces: Sequence[str]) -> list[ActiveMonitor]:
        """Return those of these monitors that are not at work yet, attached; what they see waits in their rings.

        Another thread may read meanwhile. Raises what `start` raises, and then nothing stays behind.
        """
        at_work = {monitor.monitor.name for monitor in self.monitors if monitor not in self._leaving}
        with ExitStack() as held:
            opened = [held.enter_context(self._activate(one, interfaces)) for one in wanted if one.name not in at_work]
            held.pop_all()
        return opened

    def exchange(self, wanted: Sequence[Monitor], interfaces: Sequence[str], opened: Sequence[ActiveMonitor]) -> None:
        """From now on watch with these monitors, of which `open` has opened those that were not at work.

        Nobody may read meanwhile. Raises what choosing interfaces raises; then all is as before.
        """
        now = _now()
        names = {one.name for one in wanted}
        stay = [one for one in self.monitors if one.monitor.name in names and one not in self._leaving]
        if self._watched is not None and self._watched in stay and tuple(interfaces) != tuple(self._interfaces):
            news = self._watched.choose(interfaces)
            self._backlog.extend(hooks_of(self._watched, news.gone | news.rungs, now))
        self._interfaces = interfaces
        # Whoever goes has no attention any more, and whoever comes has none of before.
        self._attention.clear()
        for monitor in self.monitors:
            if monitor not in stay and monitor not in self._leaving:
                self._dismiss(monitor, now)
        self.monitors += opened
        for monitor in opened:
            self._join(monitor, now)
        self._attention = AttentionWriter([*stay, *opened])
        self._focus = self._focus or self._focus_before
        if any(monitor.monitor.name == PROCESS.name for monitor in opened):
            self._look_at_processes(now)

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
        for monitor in [one for one in self._leaving if self._is_read(one)]:
            self._part_with(monitor)
        if self._backlog:
            backlog, self._backlog = self._backlog, []
            return self._told(backlog)
        if self._stopping:
            return self._rest()
        # In a stream there is most likely something; if there is not, it is no stream any more and the next read waits.
        ready = self._streaming or bool(self._merge) or bool(self._epoll.poll(self._until_report(timeout)))
        now = _now()
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
        """Let the programs report these in full and all others at their rate, from within a second on."""
        self._focus = focus

    def stop(self) -> None:
        """Wake a blocked `read`; safe in signal handlers and from other threads."""
        self._stopping = True
        if not self._closed:
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Detach and unload everything. Further calls do nothing."""
        self._closed = True
        self._held.close()

    def _join(self, monitor: ActiveMonitor, now: int) -> None:
        """Take a monitor into all that looks at monitors."""
        self._losses.add(monitor)
        for descriptor in monitor.reader.filenos():
            self._epoll.register(descriptor, select.EPOLLIN)
        if isinstance(monitor, InterfaceMonitor):
            self._watched = monitor
            self._traffic = TrafficReport(monitor, now)
            for descriptor in monitor.filenos():
                self._epoll.register(descriptor, select.EPOLLIN)
        self._backlog.extend(hooks_of(monitor, monitor.rungs, now))

    def _dismiss(self, monitor: ActiveMonitor, now: int) -> None:
        """Let a monitor observe no more, and say so."""
        name = monitor.monitor.name
        switched_off = {
            hook: rung._replace(name=NONE, blind_to=f"all of it: the {name} monitor was switched off", cost="")
            for hook, rung in monitor.rungs.items()
        }
        self._backlog.extend(hooks_of(monitor, switched_off, now))
        if monitor is self._watched:
            self._backlog.append(self._traffic.since_last(now))
            self._watched = None
            for descriptor in monitor.filenos():
                self._epoll.unregister(descriptor)
        monitor.detach()
        # A program that ran when its hook was taken away may finish a little later.
        self._leaving[monitor] = _now() + SLICE_NS

    def _is_read(self, monitor: ActiveMonitor) -> bool:
        """Return whether a monitor that leaves has nothing more to tell: pinned ones go on for the next reader."""
        if isinstance(monitor, PinnedMonitor):
            return True
        return self._told_until >= self._leaving[monitor] and monitor.reader.oldest() is None

    def _part_with(self, monitor: ActiveMonitor) -> None:
        """Close a monitor whose records are all dealt with; its last losses are told before."""
        self._merge.add(self._losses.since_last())
        self._losses.drop(monitor)
        for descriptor in monitor.reader.filenos():
            self._epoll.unregister(descriptor)
        self.monitors.remove(monitor)
        del self._leaving[monitor]
        monitor.close()

    def _close_monitors(self) -> None:
        with ExitStack() as held:
            for monitor in self.monitors:
                held.enter_context(monitor)

    def _look_at_processes(self, now: int) -> None:
        """Tell of the processes that run already."""
        for seen in procfs.processes(now):
            if seen.cgroup and self._cgroups.is_news(seen.cgroup):
                self._backlog.extend(self._cgroups.announce(seen.cgroup, seen.pid, now))
            self._backlog.append(seen)

    def _activate(self, wanted: Monitor, interfaces: Sequence[str]) -> ActiveMonitor:
        """Return the monitor as this instance has it pinned, or else load it."""
        if wanted.name in ON_INTERFACES:
            return InterfaceMonitor(
                wanted, interfaces, ring_bytes=self._ring_bytes, transport=self._transport, btf=self._btf
            )
        if self._instance is not None and self._transport is not Transport.PERF:
            pinned = Pins(wanted, self._instance).find()
            if pinned is not None:
                return pinned
        return LoadedMonitor(wanted, ring_bytes=self._ring_bytes, transport=self._transport, btf=self._btf)

    def _commit(self) -> None:
        """Remember what was handed out as dealt with: whoever took it has come back for more."""
        for monitor in self.monitors:
            monitor.reader.commit()
        self._losses.acknowledge(self._told_until)

    def _until_report(self, timeout: float | None) -> float:
        """Return how long to wait for records, in seconds: at most until the next look at the loss counters."""
        until_report = max(0, self._next_loss_report - _now()) / 1e9
        return until_report if timeout is None else min(timeout, until_report)

    def _rest(self) -> list[AnyRecord]:
        """Return the next of what is in the rings after the programs are detached, in the end with the last losses."""
        if self._finished:
            raise EOFError
        if self._end is None:
            for monitor in self.monitors:
                monitor.detach()
            # Pinned monitors go on, so the end is this moment.
            self._end = _now()
        horizon = self._horizon(self._end)
        if not self._take_in(horizon) and horizon == self._end:
            self._finished = True
            horizon = _now()
            self._merge.add(self._losses.since_last())
        return self._tell(horizon)

    def _horizon(self, limit: int) -> int:
        """Return up to which moment to read now: `limit`, or less if there is a backlog."""
        oldest = [stamp for monitor in self.monitors if (stamp := monitor.reader.oldest()) is not None]
        return min(limit, min(oldest) + SLICE_NS) if oldest else limit

    def _take_in(self, horizon: int) -> int:
        """Read the rings up to a horizon, and the loss counters when it is time or a ring was well filled.

        Return the bytes that were in the rings.
        """
        size = 0
        for monitor in self.monitors:
            more = True
            while more:
                batch, more = monitor.reader.read(horizon)
                if batch is None:
                    break
                records, malformed = decode_batch(batch.data, batch.ends, horizon)
                if self.taps:
                    self._raw.update(zip(map(id, records), batch.split(), strict=True))
                    if malformed:
                        self._forget_malformed(records)
                self._merge.add(records)
                size += len(batch.data)
        now = _now()
        due = now >= self._next_loss_report
        if due or size >= self._ring_bytes // 2:
            self._next_loss_report = now + LOSS_INTERVAL_NS
            self._merge.add(self._losses.since_last())
        if due and self._focus is not None:
            self._attention.write(*self._focus)
            self._focus, self._focus_before = None, self._focus
        if self._watched is not None:
            self._merge.add(self._followed(self._watched, now))
            if due:
                self._merge.add([self._traffic.since_last(now)])
        return size

    def _forget_malformed(self, records: Iterable[AnyRecord]) -> None:
        """Forget the bytes of what is malformed: a record of ours stands for it in the stream."""
        for record in records:
            if type(record) is Malformed:
                del self._raw[id(record)]

    def _followed(self, watched: InterfaceMonitor, now: int) -> Iterator[HookInUse]:
        """Follow the interfaces, and yield what changed about the hooks on them."""
        news = watched.follow()
        if news is None:
            return
        yield from hooks_of(watched, news.gone | news.rungs, now)

    def _tell(self, horizon: int) -> list[AnyRecord]:
        """Return what may be told by now."""
        self._told_until = horizon
        records = self._merge.until(horizon)
        news = self._cgroups.news_in(records)
        return self._told(news + records if news else records)

    def _told(self, records: list[AnyRecord]) -> list[AnyRecord]:
        """Give the records to the taps, as they came if they came from the kernel, and return them."""
        if self.taps and records:
            raw = [self._raw.pop(id(record), b"") or encode(record) for record in records]
            for tap in self.taps:
                tap(records, raw)
        return records


def hooks_of(monitor: ActiveMonitor, rungs: Mapping[str, Rung], timestamp: int) -> Iterator[HookInUse]:
    """Yield how a monitor observes by these hooks."""
    for hook, rung in rungs.items():
        yield HookInUse(
            timestamp=timestamp,
            monitor=monitor.monitor.name.encode(),
            hook=hook.encode(),
            rung=rung.name.encode(),
            blind_to=rung.blind_to.encode(),
            cost=rung.cost.encode(),
        )


def _now() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
