"""Let the memory monitor watch many acts at once: to load it for each would take longer than all of them together."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from pyloader.monitors import Monitor, Transport
from pyloader.records import Record
from pyloader.sensor import Sensor
from pyloader.sources import KernelSource
from tests.kernel.acts import Act

R = TypeVar("R", bound=Record)

Acts = Mapping[str, Act]


class Seen(NamedTuple):
    """What was done, by name, and everything that the sensor told meanwhile."""

    acts: Acts
    records: list[Record]

    def told(self, kind: type[R], name: str) -> list[R]:
        """Return the records of one type about the process of one act."""
        return [one for one in self.every(kind) if getattr(one, "pid", None) == self.acts[name].pid]

    def every(self, kind: type[R]) -> list[R]:
        """Return all records of one type."""
        return [one for one in self.records if isinstance(one, kind)]


Watch = Callable[[Callable[[], Acts]], Seen]


def watch(monitor: Monitor, transport: Transport, perform: Callable[[], Acts]) -> Seen:
    """Return what was done and what a monitor told of it."""
    with Sensor(source=KernelSource([monitor], transport=transport)) as sensor:
        acts = perform()
        sensor.stop()
        return Seen(acts, [one.record for one in sensor])
