"""A scan that many sources share, each with a packet or two.

No single source tries enough ports to be told. But together they ask for many different ports that do not serve, and a
host is otherwise asked for that at a steady rate, which is learned. What counts is the number of different such ports
that strangers began with in a minute.
"""

from typing import Final

from pyloader.evidence.cusum import LogCusum
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import SPREAD_SCAN
from pyloader.evidence.scans import TCP_SCAN, contacts_of
from pyloader.host import Activity, Host
from pyloader.records import NetworkFlow, PacketFlag

MINUTE: Final = 60 * 1_000_000_000
FLOOR: Final = 10.0
"""So many ports a minute are nothing to speak of."""

LEAST: Final = 5.2
_PORTS: Final = 4_096
_TCP: Final = 6
_SYN: Final = int(PacketFlag.SYN)


class SpreadScan:
    """The ports that strangers began with in the current minute; at most as many as a flood of flows can name."""

    def __init__(self) -> None:
        self._ports: set[int] = set()
        self._test = LogCusum(FLOOR)
        self._activity = Activity("spread-scan")
        self._since = 0

    def flow(self, record: NetworkFlow, host: Host) -> None:
        """Note with which port a stranger began."""
        if record.protocol != _TCP or not record.flags & _SYN or host.sources.serves(record.destination_port):
            return
        source = host.sources.get(record.source)
        if source is None or source.known or len(self._ports) >= _PORTS:
            return
        if len(contacts_of(source).attempt(TCP_SCAN).exact) <= 1:
            self._ports.add(record.destination_port)
            self._activity.seen(record)

    def tick(self, now: int, *, suspended: bool) -> tuple[Evidence, ...]:
        """Judge the minute that is over by `now` (ns); in a flood the sources mean nothing."""
        if suspended:
            self._ports.clear()
        if now - self._since < MINUTE:
            return NOTHING
        first = not self._since
        self._since = now
        number = len(self._ports)
        self._activity.ports = sorted(self._ports)[:64]
        self._ports.clear()
        if suspended or first:
            return NOTHING
        nats = min(self._test.count(number), SPREAD_SCAN.nats)
        if nats < LEAST:
            return NOTHING
        self._activity.source_port = 0
        return (SPREAD_SCAN.about(self._activity, f"{number:,} ports within a minute", nats),)
