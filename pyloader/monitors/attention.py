"""Tell the programs in the kernel whom to look at closely: the only writer of their maps of attention and focus.

The maps (`bpf/attention.bpf.h`, `bpf/addresses.bpf.h`) are kept as they were asked for last, by writing differences.
When the kernel refuses a write, that is counted, and what is missing is written the next time: nobody fails for want
of attention.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pyloader.binding import drop_entry, put_entry, read_keys, write_numbers
from pyloader.monitors.active import ActiveMonitor
from pyloader.monitors.addresses import AddressSet
from pyloader.monitors.network import POLICY
from pyloader.monitors.on_interfaces import InterfaceMonitor
from pyloader.records import Policy

_KEY: Final = struct.Struct("=I")
_VALUE: Final = struct.Struct("=I8x")
"""`struct attention`: the level, and what the programs count with."""

_ALL_WITHHELD: Final = 65_536

_SHARED: Final = (Policy.FLOWS_PER_SECOND, Policy.SUMMARIES_PER_SECOND)
"""What those share who are not in focus."""


class AttentionWriter:
    """The attention of these monitors, as far as they have any; the monitors stay with their owner.

    What an earlier reader left in the maps of a pinned monitor is removed. `failures` counts the writes that the kernel
    refused.
    """

    def __init__(self, monitors: Iterable[ActiveMonitor]) -> None:
        self.failures = 0
        self._parts: list[_OfProcesses | _OfSources] = []
        for monitor in monitors:
            levels, withheld = monitor.map_fd("attention"), monitor.map_fd("withheld")
            if isinstance(monitor, InterfaceMonitor):
                self._parts.append(_OfSources(monitor))
            elif levels is not None and withheld is not None:
                self._parts.append(_OfProcesses(levels, withheld))
        self.clear()

    def write(self, processes: Mapping[int, int], sources: Sequence[bytes], rate: float) -> None:
        """Look closely at processes, at a level from 1 to 3 each, and at sources; tell a share of all others."""
        for part in self._parts:
            try:
                if isinstance(part, _OfProcesses):
                    part.write(processes, rate)
                else:
                    part.write(sources, rate)
            except OSError:
                self.failures += 1

    def clear(self) -> None:
        """Look at nobody closely, and let all be told as usual."""
        self.write({}, (), 1.0)


class _OfProcesses:
    """The attention of one monitor of processes."""

    def __init__(self, levels_fd: int, withheld_fd: int) -> None:
        self._levels_fd = levels_fd
        self._withheld_fd = withheld_fd
        self._levels: dict[int, int] | None = None
        """What the map holds; `None` until that is known."""
        self._withheld = -1

    def write(self, processes: Mapping[int, int], rate: float) -> None:
        """Raises `OSError`; what was written by then is remembered."""
        if self._levels is None:
            self._levels = {_KEY.unpack(key)[0]: 0 for key in read_keys(self._levels_fd, _KEY.size)}
        levels = self._levels
        for pid in [pid for pid in levels if pid not in processes]:
            drop_entry(self._levels_fd, _KEY.pack(pid))
            del levels[pid]
        for pid, level in processes.items():
            if levels.get(pid) != level:
                put_entry(self._levels_fd, _KEY.pack(pid), _VALUE.pack(level))
                levels[pid] = level
        withheld = round((1.0 - rate) * _ALL_WITHHELD)
        if withheld != self._withheld:
            write_numbers(self._withheld_fd, 0, "=I", withheld)
            self._withheld = withheld


class _OfSources:
    """The attention of the network monitor."""

    def __init__(self, monitor: InterfaceMonitor) -> None:
        self._monitor = monitor
        self._shared: dict[Policy, int] = {}

    def write(self, sources: Sequence[bytes], rate: float) -> None:
        """Raises `OSError`; what was written by then is remembered."""
        self._monitor.addresses[AddressSet.FOCUS].replace(dict.fromkeys(sources, 0))
        shared = {one: max(1, round(POLICY[one] * rate)) for one in _SHARED}
        if shared != self._shared:
            self._monitor.steer(shared)
            self._shared = shared
