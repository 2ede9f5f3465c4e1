"""The monitors: what each observes, and how it gets into the kernel."""

from pyloader.errors import UsageError
from pyloader.monitors.active import ActiveMonitor, Tally
from pyloader.monitors.attention import AttentionWriter
from pyloader.monitors.connection import CONNECTION
from pyloader.monitors.instance import only_one
from pyloader.monitors.ladder import Hook, Monitor, Rung
from pyloader.monitors.lane import LaneMonitor, MonitorLane
from pyloader.monitors.loaded import LoadedMonitor
from pyloader.monitors.memory import MEMORY
from pyloader.monitors.network import NETWORK
from pyloader.monitors.on_interfaces import InterfaceMonitor
from pyloader.monitors.pinned import PinnedMonitor, Pins, pinned_monitors
from pyloader.monitors.process import PROCESS
from pyloader.monitors.stale import sweep_left_behind
from pyloader.monitors.steering import lane_of, lane_of_cgroup, lane_of_source, require_lanes
from pyloader.monitors.transport import Transport

MONITORS: dict[str, Monitor] = {monitor.name: monitor for monitor in (PROCESS, MEMORY, CONNECTION)}
"""The monitors that every host has something for."""

ON_INTERFACES: dict[str, Monitor] = {NETWORK.name: NETWORK}
"""Those that are idle until interfaces are chosen for them."""


def named(name: str) -> Monitor:
    """Return the monitor with this name. Raises `UsageError` that names those that exist."""
    known = MONITORS | ON_INTERFACES
    try:
        return known[name]
    except KeyError:
        message = f"there is no monitor {name!r}; there are: {', '.join(known)}"
        raise UsageError(message) from None


__all__ = [
    "CONNECTION",
    "MEMORY",
    "MONITORS",
    "NETWORK",
    "ON_INTERFACES",
    "PROCESS",
    "ActiveMonitor",
    "AttentionWriter",
    "Hook",
    "InterfaceMonitor",
    "LaneMonitor",
    "LoadedMonitor",
    "Monitor",
    "MonitorLane",
    "PinnedMonitor",
    "Pins",
    "Rung",
    "Tally",
    "Transport",
    "lane_of",
    "lane_of_cgroup",
    "lane_of_source",
    "named",
    "only_one",
    "pinned_monitors",
    "require_lanes",
    "sweep_left_behind",
]
