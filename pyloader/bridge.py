"""`ConsciousnessBridge`: named streams of what this host does, for other parts of the same program.

Whoever registers gets a stream, and the monitors that it needs are started with the first consumer that needs them and
stopped with the last. Consumers share a sensor if it has all the monitors that they need; for others one more is
started beside it. So those who are at work lose nothing when somebody joins or leaves. Each sensor judges by itself: a
program that wants evidence of several monitors joined asks for `alerts` or `posture` first, for that sensor has all of
them, and serves the streams of each.

Example:
    from pyloader.bridge import ConsciousnessBridge

    with ConsciousnessBridge() as bridge:
        alerts = bridge.register_ebpf_consumer("alerts")
        for alert in alerts.iter(timeout=5.0):
            print(alert.summary)
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.errors import ClosedError, UsageError
from pyloader.hub import CAPACITY, Subscription, WhenFull
from pyloader.monitors import MONITORS, ON_INTERFACES
from pyloader.ownership import OfOneProcess
from pyloader.pipeline import Assessment
from pyloader.sensor import Sensor
from pyloader.streams import alerts, changes, events_of

__all__ = ["STREAMS", "ConsciousnessBridge"]

_EVENTS: Final = {f"{name}_events": name for name in ("memory", "process", "network", "connection")}
_VERDICTS: Final[dict[str, Callable[[Assessment], Iterable[Any]]]] = {"alerts": alerts, "posture": changes}

STREAMS: Final = (*_EVENTS, *_VERDICTS)
"""The streams that there are.

`NAME_events` gives an `Assessment` for each record of the monitor of this name, and for each loss of its records;
`alerts` gives each `Alert`, `posture` each `Change` of the posture of the host.
"""


class _Shared(NamedTuple):
    """A sensor, the monitors that it runs, and who consumes what it tells."""

    sensor: Sensor
    monitors: frozenset[str]
    consumers: list[Subscription[Any]]


class ConsciousnessBridge(OfOneProcess):
    """Starts the monitors that its consumers need, and stops them with the last.

    Args:
        interfaces: names of the network interfaces of which `network_events` tells.
        min_score: the lowest score (0-100) that raises an alert.
        sensor_factory: makes the sensor for these monitors, in place of `Sensor(monitors, …)`.

    """

    def __init__(
        self,
        *,
        interfaces: Sequence[str] = (),
        min_score: float = MEDIUM_FROM,
        sensor_factory: Callable[[Sequence[str]], Sensor] | None = None,
    ) -> None:
        super().__init__()
        self._interfaces = interfaces
        self._min_score = min_score
        self._make = sensor_factory or self._sensor
        self._lock = threading.RLock()
        self._shared: list[_Shared] = []
        self._closed = False

    @property
    def monitors(self) -> tuple[str, ...]:
        """The names of the monitors that are at work for consumers."""
        return tuple(sorted(frozenset().union(*(shared.monitors for shared in self._shared))))

    def register_ebpf_consumer(
        self,
        stream: str,
        callback: Callable[[Any], object] | None = None,
        *,
        on_error: Callable[[Exception], object] | None = None,
        capacity: int = CAPACITY,
        when_full: WhenFull = WhenFull.DROP_OLDEST,
    ) -> Subscription[Any]:
        """Return a consumer of one of the `STREAMS`, which can be iterated, awaited and closed.

        A callback is called with each item in a thread of its own; what it raises is logged and given to `on_error`,
        and disturbs no other consumer. `capacity` items wait at most; `when_full` says what becomes of more.

        Raises `UsageError` if there is no such stream, or no interface for `network_events`, and what starting a
        `Sensor` raises if its monitors cannot run here.
        """
        self.require_owner()
        needed = self._needed(stream)
        select = events_of(_EVENTS[stream]) if stream in _EVENTS else _VERDICTS[stream]
        with self._lock:
            if self._closed:
                message = "this bridge is closed"
                raise ClosedError(message)
            shared = self._serving(needed)
            consumer = shared.sensor.subscribe(
                select, callback, name=stream, capacity=capacity, when_full=when_full, on_error=on_error
            )
            shared.consumers.append(consumer)
            consumer.when_closed(partial(self._left, shared, consumer))
            try:
                shared.sensor.start()
            except BaseException:
                consumer.close()
                raise
        return consumer

    def close(self) -> None:
        """Stop all monitors; consumers can still take what waits for them. Further calls do nothing."""
        if self.is_inherited:
            return
        with self._lock:
            self._closed = True
            ending, self._shared = self._shared, []
        for shared in ending:
            shared.sensor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _needed(self, stream: str) -> frozenset[str]:
        """Return the monitors that a stream needs."""
        if stream in _VERDICTS:
            return frozenset(MONITORS) | (frozenset(ON_INTERFACES) if self._interfaces else frozenset())
        if stream not in _EVENTS:
            message = f"there is no stream {stream!r}; there are: {', '.join(STREAMS)}"
            raise UsageError(message)
        monitor = _EVENTS[stream]
        if monitor in ON_INTERFACES and not self._interfaces:
            message = f"{stream} needs interfaces to watch: ConsciousnessBridge(interfaces=[…])"
            raise UsageError(message)
        return frozenset({monitor})

    def _serving(self, needed: frozenset[str]) -> _Shared:
        """Return a sensor that has these monitors: one that is at work, or a new one."""
        for shared in self._shared:
            if needed <= shared.monitors:
                return shared
        shared = _Shared(self._make(sorted(needed)), needed, [])
        self._shared.append(shared)
        return shared

    def _left(self, shared: _Shared, consumer: Subscription[Any]) -> None:
        """Stop what the last consumer has left."""
        with self._lock:
            shared.consumers.remove(consumer)
            if shared.consumers or shared not in self._shared:
                return
            self._shared.remove(shared)
        shared.sensor.close()

    def _sensor(self, monitors: Sequence[str]) -> Sensor:
        watched = self._interfaces if any(name in ON_INTERFACES for name in monitors) else ()
        return Sensor(monitors, interfaces=watched, min_score=self._min_score)
