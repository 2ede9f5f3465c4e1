"""Records from this kernel."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pyloader import kernel
from pyloader.host import Focus, procfs
from pyloader.monitors import (
    ON_INTERFACES,
    ActiveMonitor,
    AttentionWriter,
    InterfaceMonitor,
    LoadedMonitor,
    Monitor,
    Pins,
    Rung,
    Transport,
    only_one,
    sweep_left_behind,
)
from pyloader.records import AnyRecord, HookInUse
from pyloader.records.recording import Header
from pyloader.sources.reading import RingSource, boot_now
from pyloader.sources.traffic import TrafficReport

RING_BYTES = 4 * 1024 * 1024
"""Room for about 10,000 records of a busy host in each ring; what does not fit is counted as lost."""


class KernelSource(RingSource):
    """The monitors at work, and what the sensor adds to their records.

    The stream begins with the processes that ran before. The path of each control group stands before the first
    record that names it, and losses stand where they happened. With `record_to` everything is recorded in that file
    as it is handed out. With an `instance`, monitors that it has pinned are read instead of loaded again, and no other
    process can read as that instance meanwhile.

    A record is dealt with when the next ones are asked for: until then, if its ring is pinned, the next reader finds it
    there.
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
        super().__init__(Header.of_this_host(), ring_bytes=ring_bytes, record_to=record_to)
        self._wanted = monitors
        self._interfaces = interfaces
        self._watched: InterfaceMonitor | None = None
        self._transport = transport
        self._btf = btf
        self._instance = instance
        self._focus: Focus | None = None
        """What is to be looked at and was not yet written into the kernel."""

    def start(self) -> None:
        """Attach the monitors, and only then look at the processes that run already, so that none is missed.

        Raises `NotPermittedError`, `UnsupportedError` or `LoadError` if this host cannot run the monitors, and
        `RecordingError` if the recording cannot be made; `close` then leaves nothing behind.
        """
        kernel.require(self._btf)
        begin = boot_now()
        self._open()
        if self._instance is not None:
            self._held.enter_context(only_one(self._instance))
        sweep_left_behind()
        for wanted in self._wanted:
            self._take(self._activate(wanted))
        self._attention = AttentionWriter(self.monitors)
        # Pinned monitors go on without us, and then for nobody in particular.
        self._held.callback(self._attention.clear)
        self._begin()
        if self._watched is not None:
            self._traffic = TrafficReport(self._watched.totals, begin)
            self._wait_for(self._watched.filenos())
        self._backlog.extend(hooks_in_use(self.monitors, begin))
        for seen in procfs.processes(begin):
            if seen.cgroup and self._cgroups.is_news(seen.cgroup):
                self._backlog.extend(self._cgroups.announce(seen.cgroup, seen.pid, begin))
            self._backlog.append(seen)

    def attend(self, focus: Focus) -> None:
        """Let the programs report these in full and all others at their rate, from within a second on."""
        self._focus = focus

    def _whenever_read(self, now: int) -> Iterator[HookInUse]:
        """Follow the interfaces, and yield what changed about the hooks on them."""
        news = self._watched.follow() if self._watched is not None else None
        if self._watched is not None and news is not None:
            yield from hooks_of(self._watched, news.gone | news.rungs, now)

    def _every_second(self, now: int) -> Iterator[AnyRecord]:
        """Write down whom to look at, and yield the totals of all packets."""
        if self._focus is not None:
            self._attention.write(*self._focus)
            self._focus = None
        if self._watched is not None:
            yield self._traffic.since_last(now)

    def _activate(self, wanted: Monitor) -> ActiveMonitor:
        """Return the monitor as this instance has it pinned, or else load it."""
        if wanted.name in ON_INTERFACES:
            self._watched = InterfaceMonitor(
                wanted, self._interfaces, ring_bytes=self._ring_bytes, transport=self._transport, btf=self._btf
            )
            return self._watched
        if self._instance is not None and self._transport is not Transport.PERF:
            pinned = Pins(wanted, self._instance).find()
            if pinned is not None:
                return pinned
        return LoadedMonitor(wanted, ring_bytes=self._ring_bytes, transport=self._transport, btf=self._btf)


def hooks_in_use(monitors: Iterable[ActiveMonitor], timestamp: int) -> Iterator[HookInUse]:
    """Yield how each monitor observes on this host."""
    for monitor in monitors:
        yield from hooks_of(monitor, monitor.rungs, timestamp)


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
