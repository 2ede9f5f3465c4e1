"""A monitor that this process loads, and that ends with it."""

from contextlib import ExitStack
from pathlib import Path

from pyloader.binding import BpfObject, PerfReader, ProgramInfo, RingReader, program_info
from pyloader.monitors.active import ActiveMonitor
from pyloader.monitors.climb import climb
from pyloader.monitors.ladder import Monitor
from pyloader.monitors.prepare import RINGS, SAMPLES, prepare
from pyloader.monitors.transport import Transport, best_transport

_PERF_SHARE = 16
"""A perf buffer is made for every CPU, so each gets this part of the size of a ring."""


class LoadedMonitor(ActiveMonitor):
    """The programs of one monitor, loaded, attached and at work until `detach` or `close`.

    Each hook starts on its best rung and steps down when the kernel refuses to load or attach the program. If the last
    rung of a hook is refused, nothing stays behind and the reason is raised. `btf` is a file that describes the
    kernel's types in its place; `refusals` tells the rungs that did not hold, by hook.
    """

    def __init__(
        self, monitor: Monitor, *, ring_bytes: int, transport: Transport | None = None, btf: Path | None = None
    ) -> None:
        self.monitor = monitor
        self.transport = transport or best_transport()
        self._ring_bytes = ring_bytes
        climbed = climb(
            monitor,
            lambda loaded: prepare(loaded, transport=self.transport, ring_bytes=ring_bytes),
            btf=btf,
            ready=self._open_reader,
        )
        self.rungs = climbed.rungs
        self.refusals = climbed.refusals
        self._object = climbed.object
        self._links = climbed.links
        self._held = climbed.held
        try:
            self._count_with(self._object.map_fd("tallies"), self._object.map_fd("reported"))
        except BaseException:
            self._held.close()
            raise

    @property
    def programs(self) -> dict[str, ProgramInfo]:
        """What the kernel tells of each program."""
        return {name: program_info(self._object.program_fd(name)) for name in self._links}

    def map_fd(self, name: str) -> int | None:
        """Return the descriptor of a map, which belongs to the monitor, or `None` if there is no such map."""
        return self._object.map_fd(name) if name in self._object.maps() else None

    def detach(self) -> None:
        """Observe no more; what is in the rings can still be read."""
        for link in self._links.values():
            link.close()

    def close(self) -> None:
        """Detach and unload everything. Further calls do nothing."""
        self._held.close()

    def _open_reader(self, loaded: BpfObject, held: ExitStack) -> None:
        """Make the place where records go: a perf buffer is not there before it is read."""
        if self.transport is Transport.PERF:
            self.reader = PerfReader(loaded.map_fd(SAMPLES), bytes_per_cpu=self._ring_bytes // _PERF_SHARE)
        else:
            self.reader = RingReader([(loaded.map_fd(ring), self._ring_bytes) for ring in RINGS])
        held.callback(self.reader.close)
