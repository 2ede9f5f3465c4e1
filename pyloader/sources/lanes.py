"""The monitors at work for several workers, in the process that has the right to load them.

Each worker is told what its lane is (`description`) and reads it as a `LaneSource`. Here nothing is read, but what
concerns all workers is done: saying whom to look at, and following the interfaces.
"""

import select
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from pyloader import kernel
from pyloader.errors import UnsupportedError
from pyloader.host import Focus, procfs
from pyloader.monitors import (
    ON_INTERFACES,
    AttentionWriter,
    InterfaceMonitor,
    LoadedMonitor,
    Monitor,
    Transport,
    lane_of,
    only_one,
    pinned_monitors,
    require_lanes,
    sweep_left_behind,
)
from pyloader.records import AnyRecord, Elsewhere, HookInUse
from pyloader.records.recording import Header
from pyloader.sources.cgroups import CgroupNames
from pyloader.sources.lane import LaneDescription, placed
from pyloader.sources.live import RING_BYTES, hooks_in_use, hooks_of
from pyloader.sources.reading import boot_now


class Lanes:
    """Monitors whose records are shared out among `lanes` workers; every lane has rings of `ring_bytes`.

    Raises `UsageError` if there cannot be so many.
    """

    def __init__(
        self,
        monitors: Sequence[Monitor],
        *,
        lanes: int,
        interfaces: Sequence[str] = (),
        ring_bytes: int = RING_BYTES,
        transport: Transport | None = None,
        btf: Path | None = None,
        instance: str | None = None,
    ) -> None:
        require_lanes(lanes)
        self.header = Header.of_this_host()
        self.lanes = lanes
        self.monitors: list[LoadedMonitor] = []
        self._wanted = monitors
        self._interfaces = interfaces
        self._watched: InterfaceMonitor | None = None
        self._ring_bytes = ring_bytes
        self._transport = transport
        self._btf = btf
        self._instance = instance
        self._held = ExitStack()

    def start(self) -> None:
        """Attach the monitors.

        Raises `NotPermittedError`, `UnsupportedError` or `LoadError` if this host cannot run them so, and `BusyError`
        if another process has the instance; `close` then leaves nothing behind.
        """
        kernel.require(self._btf)
        self._epoll = self._held.enter_context(select.epoll())
        if self._instance is not None:
            self._held.enter_context(only_one(self._instance))
            self._require_unpinned(self._instance)
        sweep_left_behind()
        for wanted in self._wanted:
            monitor = self._held.enter_context(self._load(wanted))
            self.monitors.append(monitor)
        if self._watched is not None:
            for descriptor in self._watched.filenos():
                self._epoll.register(descriptor, select.EPOLLIN)
        self._attention = AttentionWriter(self.monitors)

    def description(self, lane: int) -> LaneDescription:
        """Return what the worker of a lane must be told when it starts, at first or again.

        The processes that run now are among it: whoever was started before reads of all later ones.
        """
        now = boot_now()
        return LaneDescription(
            lane=lane,
            lanes=self.lanes,
            header=self.header,
            monitors=tuple(monitor.lane(lane) for monitor in self.monitors),
            beginning=tuple(self._beginning(lane, now)),
        )

    def attend(self, focus: Focus) -> None:
        """Let the programs report these in full and all others at their rate, from now on; never raises."""
        self._attention.write(*focus)

    def fileno(self) -> int:
        """Return a descriptor that polls readable when `follow` may have something to tell."""
        return self._epoll.fileno()

    def follow(self) -> list[HookInUse]:
        """Follow the interfaces; return what changed about the hooks on them, which the worker of lane 0 is to tell."""
        news = self._watched.follow() if self._watched is not None else None
        if self._watched is None or news is None:
            return []
        return list(hooks_of(self._watched, news.gone | news.rungs, boot_now()))

    def detach(self) -> None:
        """Observe no more; what is in the rings can still be read."""
        for monitor in self.monitors:
            monitor.detach()

    def close(self) -> None:
        """Detach and unload everything. Further calls do nothing."""
        self._held.close()

    def _load(self, wanted: Monitor) -> LoadedMonitor:
        if wanted.name in ON_INTERFACES:
            self._watched = InterfaceMonitor(
                wanted,
                self._interfaces,
                ring_bytes=self._ring_bytes,
                transport=self._transport,
                btf=self._btf,
                lanes=self.lanes,
            )
            return self._watched
        return LoadedMonitor(
            wanted, ring_bytes=self._ring_bytes, transport=self._transport, btf=self._btf, lanes=self.lanes
        )

    def _require_unpinned(self, instance: str) -> None:
        """Raise `UnsupportedError` if monitors are pinned for this instance: those have one lane."""
        pinned = [pins.monitor.name for pins in pinned_monitors(instance, self._wanted)]
        if pinned:
            message = (
                f"{', '.join(pinned)} of instance {instance} is pinned for one reader and cannot be shared out among"
                " workers; use one worker, or run pyloader unload first"
            )
            raise UnsupportedError(message)

    def _beginning(self, lane: int, now: int) -> Iterator[AnyRecord]:
        """Yield the hooks, in lane 0, and the processes that run, each told by the lane that judges it."""
        if lane == 0:
            yield from hooks_in_use(self.monitors, now)
        names = CgroupNames()
        for seen in procfs.processes(now):
            if seen.cgroup and names.is_news(seen.cgroup):
                for group in names.announce(seen.cgroup, seen.pid, now):
                    yield placed(group, lane, self.lanes)
            yield seen if lane_of(seen.cgroup, seen.session, self.lanes) == lane else Elsewhere.of(seen)
