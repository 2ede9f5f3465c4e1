"""A monitor that this process loads, and whose program it puts on interfaces."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from pyloader.attach import Attachment, Changes, Interfaces, Mode
from pyloader.binding import PerCpuArray, read_numbers, write_numbers
from pyloader.monitors.addresses import MAPS, AddressSet, AddressTable
from pyloader.monitors.instance import only_one
from pyloader.monitors.ladder import Monitor, Rung
from pyloader.monitors.lane import MonitorLane
from pyloader.monitors.loaded import LoadedMonitor
from pyloader.monitors.network import CONSTANTS, CONSTANTS_LAYOUT, POLICY, POLICY_LAYOUT, PROGRAM, TRAFFIC_WORDS
from pyloader.monitors.stale import open_stale, socket_name
from pyloader.monitors.steering import NO_LANE
from pyloader.monitors.transport import Transport
from pyloader.records import Policy


class News(NamedTuple):
    """What became of the hooks on interfaces: those that hold now, and those that do not, with the reason."""

    rungs: dict[str, Rung]
    gone: dict[str, Rung]


class InterfaceMonitor(LoadedMonitor):
    """The network monitor on the interfaces of these names.

    Raises `UsageError` if there is no such interface, `BusyError` if another program is on one, and what
    `LoadedMonitor` raises; then nothing stays behind. The hooks in `rungs` are called `packets INTERFACE`.
    """

    def __init__(
        self,
        monitor: Monitor,
        interfaces: Sequence[str],
        *,
        ring_bytes: int,
        transport: Transport | None = None,
        btf: Path | None = None,
        lanes: int = 1,
    ) -> None:
        super().__init__(monitor, ring_bytes=ring_bytes, transport=transport, btf=btf, lanes=lanes)
        try:
            self._table = {**POLICY}
            self.steer({})
            self._totals = PerCpuArray(self._object.map_fd("traffic"), width=TRAFFIC_WORDS)
            filters = self._object.map_fd("address_filters")
            self.addresses = {
                which: AddressTable(which, self._object.map_fd(name), filters) for which, name in MAPS.items()
            }
            self._held.enter_context(only_one(socket_name(self._owner())))
            self._interfaces = Interfaces(interfaces, self._object.program_fd(PROGRAM), open_stale)
            self._held.enter_context(self._interfaces)
            self._learn_own_addresses()
            self._packets = self.rungs.pop("packets")
            self.rungs |= self._rungs_of(list(self._interfaces.attachments.values()))
        except BaseException:
            self._held.close()
            raise

    def steer(self, changes: dict[Policy, int]) -> None:
        """Change numbers of the policy (`pyloader.records.Policy`), while packets come. Raises `OSError`."""
        self._table |= changes
        numbers = [self._table[one] for one in Policy]
        write_numbers(self._object.map_fd("policy"), 0, POLICY_LAYOUT, *numbers)

    def lane(self, lane: int) -> MonitorLane:
        """Return what whoever reads a lane must have; lane 0 tells the totals of all packets."""
        of_this = super().lane(lane)
        return of_this if lane != NO_LANE else msgspec.structs.replace(of_this, traffic=self._object.map_fd("traffic"))

    def totals(self) -> list[tuple[int, ...]]:
        """Return the words of `struct totals` (bpf/traffic.bpf.h) for each CPU."""
        return self._totals.read(0)

    def filenos(self) -> list[int]:
        """Return what becomes readable when interfaces change."""
        return [self._interfaces.fileno()]

    def follow(self) -> News | None:
        """Follow the interfaces; return what became of them, or `None` if nothing happened to any interface."""
        changes = self._interfaces.follow()
        return None if changes is None else self._news(changes, "is gone")

    def choose(self, interfaces: Sequence[str]) -> News:
        """Watch these interfaces from now on; those that stay are watched all the time. Return what became of them.

        Raises what making the monitor raises for them; then all is as before.
        """
        return self._news(self._interfaces.choose(interfaces), "is no longer watched")

    def _news(self, changes: Changes, departed: str) -> News:
        self._learn_own_addresses()
        gone = {f"packets {one.name}": self._missing(f"{one.name} {departed}") for one in changes.gone}
        gone |= {f"packets {name}": self._missing(str(error)) for name, error in changes.refused.items()}
        for hook in gone:
            self.rungs.pop(hook, None)
        news = self._rungs_of(changes.attached)
        self.rungs |= news
        return News(news, gone)

    def detach(self) -> None:
        """Observe no more; what is in the rings can still be read."""
        self._interfaces.close()
        super().detach()

    def _owner(self) -> int:
        return int(read_numbers(self._object.map_fd(CONSTANTS), 0, CONSTANTS_LAYOUT)[5])

    def _learn_own_addresses(self) -> None:
        self.addresses[AddressSet.OWN].replace(self._interfaces.addresses())

    def _rungs_of(self, attachments: Sequence[Attachment]) -> dict[str, Rung]:
        """Return how packets are observed on interfaces, by the name of the hook."""
        return {f"packets {one.name}": self._rung(one) for one in attachments}

    def _missing(self, reason: str) -> Rung:
        """Return how packets of an interface are observed that cannot be."""
        return self._packets._replace(name="none", blind_to=f"all packets: {reason}")

    def _rung(self, attachment: Attachment) -> Rung:
        cost = ""
        if attachment.mode is Mode.GENERIC:
            cost = f"a copy of many a packet, for the driver cannot do it itself ({attachment.refused})"
        return self._packets._replace(name=f"xdp {attachment.mode}", cost=cost)
