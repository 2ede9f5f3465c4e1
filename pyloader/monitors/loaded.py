"""A monitor that this process loads, and that ends with it."""

from contextlib import ExitStack
from pathlib import Path

from pyloader.binding import BpfObject, Descriptor, PerfReader, ProgramInfo, RingReader, create_ring, program_info
from pyloader.errors import LoadError, UnsupportedError
from pyloader.monitors.active import ActiveMonitor
from pyloader.monitors.climb import climb
from pyloader.monitors.ladder import Monitor
from pyloader.monitors.lane import MonitorLane
from pyloader.monitors.prepare import LANE_RINGS, RINGS, SAMPLES, fill_lanes, prepare, prepare_lanes
from pyloader.monitors.transport import Transport, best_transport

_PERF_SHARE = 16
"""A perf buffer is made for every CPU, so each gets this part of the size of a ring."""


class LoadedMonitor(ActiveMonitor):
    """The programs of one monitor, loaded, attached and at work until `detach` or `close`.

    Each hook starts on its best rung and steps down when the kernel refuses to load or attach the program. If the last
    rung of a hook is refused, nothing stays behind and the reason is raised. `btf` is a file that describes the
    kernel's types in its place; `refusals` tells the rungs that did not hold, by hook.

    With several `lanes` the records are shared out among as many rings of each kind: other processes read them
    (`lane`), and there is no `reader` here. Raises `UnsupportedError` where there are no ring buffers for that.
    """

    def __init__(
        self,
        monitor: Monitor,
        *,
        ring_bytes: int,
        transport: Transport | None = None,
        btf: Path | None = None,
        lanes: int = 1,
    ) -> None:
        self.monitor = monitor
        self.transport = transport or best_transport()
        self._ring_bytes = ring_bytes
        self._lanes = lanes
        self._lane_rings: dict[str, list[Descriptor]] = {}
        if lanes > 1 and self.transport is not Transport.RING:
            message = (
                "only ring buffers (Linux 5.8 and newer) can be shared out among workers; use one worker"
                " with a perf buffer"
            )
            raise UnsupportedError(message)
        with ExitStack() as rings:
            rings.callback(self._close_rings)
            climbed = climb(monitor, self._prepare, btf=btf, ready=self._open_reader)
            climbed.held.push(rings.pop_all())
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

    def lane(self, lane: int) -> MonitorLane:
        """Return what whoever reads one of several lanes must have; the descriptors belong to this monitor."""
        rings = {name: of_lanes[lane].fileno() for name, of_lanes in self._lane_rings.items()}
        vital, common, others = (rings.get(name, -1) for name in LANE_RINGS)
        return MonitorLane(
            monitor=self.monitor.name,
            lane=lane,
            ring_bytes=self._ring_bytes,
            vital=vital,
            common=common,
            tallies=self._object.map_fd("tallies"),
            reported=self._object.map_fd("reported"),
            others=others,
        )

    def _prepare(self, loaded: BpfObject) -> None:
        if self._lanes == 1:
            prepare(loaded, transport=self.transport, ring_bytes=self._ring_bytes)
            return
        if not self._lane_rings:
            for name in [name for name in LANE_RINGS if name in loaded.maps()]:
                rings = self._lane_rings[name] = []
                rings.extend(self._new_ring(name) for _ in range(self._lanes))
        prepare_lanes(loaded, self._lane_rings, self._lanes)

    def _new_ring(self, name: str) -> Descriptor:
        try:
            return create_ring(name, self._ring_bytes)
        except OSError as error:
            message = f"cannot make rings of {self._ring_bytes} bytes for {self._lanes} workers: {error.strerror}"
            raise LoadError(message, errno=error.errno or 0) from error

    def _close_rings(self) -> None:
        for rings in self._lane_rings.values():
            for ring in rings:
                ring.close()

    def _open_reader(self, loaded: BpfObject, held: ExitStack) -> None:
        """Make the place where records go: a perf buffer is not there before it is read."""
        if self._lanes > 1:
            fill_lanes(loaded, self._lane_rings)
            return
        if self.transport is Transport.PERF:
            self.reader = PerfReader(loaded.map_fd(SAMPLES), bytes_per_cpu=self._ring_bytes // _PERF_SHARE)
        else:
            self.reader = RingReader([(loaded.map_fd(ring), self._ring_bytes) for ring in RINGS])
        held.callback(self.reader.close)
