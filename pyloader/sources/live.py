"""Records from this kernel."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from pyloader import kernel
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
from pyloader.records import AnyRecord, HookInUse
from pyloader.records.recording import Header
from pyloader.sources.reading import SLICE_NS, RingSource, boot_now
from pyloader.sources.traffic import TrafficReport

RING_BYTES = 4 * 1024 * 1024
"""Room for about 10,000 records of a busy host in each ring; what does not fit is counted as lost."""


class KernelSource(RingSource):
    """The monitors at work, and what the sensor adds to their records.

    The stream begins with the processes that ran before. With an `instance`, monitors that it has pinned are read
    instead of loaded again, and no other process can read as that instance meanwhile.

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
        super().__init__(Header.of_this_host(), ring_bytes=ring_bytes, record_to=record_to)
        self._wanted = monitors
        self._interfaces = interfaces
        self._watched: InterfaceMonitor | None = None
        self._leaving: dict[ActiveMonitor, int] = {}
        """Those that are read to their end, and until when (ns) they may have told something."""
        self._transport = transport
        self._btf = btf
        self._instance = instance
        self._focus: Focus | None = None
        """What is to be looked at and was not yet written into the kernel."""
        self._focus_before: Focus | None = None
        """What was written last."""

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
        self._take(self.open(self._wanted, self._interfaces))
        for monitor in self.monitors:
            self._introduce(monitor, begin)
        self._attention = AttentionWriter(self.monitors)
        # Pinned monitors go on without us, and then for nobody in particular.
        self._held.callback(lambda: self._attention.clear())  # noqa: PLW0108 -- there may be another one by then.
        self._begin()
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
        now = boot_now()
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
        self._take(opened)
        for monitor in opened:
            self._introduce(monitor, now)
        self._attention = AttentionWriter([*stay, *opened])
        self._focus = self._focus or self._focus_before
        if any(monitor.monitor.name == PROCESS.name for monitor in opened):
            self._look_at_processes(now)

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
            self._focus, self._focus_before = None, self._focus
        if self._watched is not None:
            yield self._traffic.since_last(now)

    def _dealt_with(self) -> None:
        """Part with monitors that have nothing more to tell."""
        for monitor in [one for one in self._leaving if self._is_read(one)]:
            self._merge.add(self._losses.since_last())
            del self._leaving[monitor]
            self._part_with(monitor)

    def _introduce(self, monitor: ActiveMonitor, now: int) -> None:
        """Tell how a monitor observes, and follow its interfaces, if it has some."""
        if isinstance(monitor, InterfaceMonitor):
            self._watched = monitor
            self._traffic = TrafficReport(monitor.totals, now)
            self._wait_for(monitor.filenos())
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
        self._leaving[monitor] = boot_now() + SLICE_NS

    def _is_read(self, monitor: ActiveMonitor) -> bool:
        """Return whether a monitor that leaves has nothing more to tell: pinned ones go on for the next reader."""
        if isinstance(monitor, PinnedMonitor):
            return True
        return self._told_until >= self._leaving[monitor] and monitor.reader.oldest() is None

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
