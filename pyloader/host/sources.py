"""Where packets come from, as the records of the network and the connection monitor tell it.

A source that sends one packet may not exist: its address costs an attacker nothing. So there are two tables. `fresh`
ones were only named by a flow or an odd packet, and push out nobody but each other. A source that the kernel summed up,
or that completed a connection, is known for longer.
"""

from collections.abc import Iterable
from typing import Final

from pyloader.host.lineage import Lineage
from pyloader.records import (
    ConnectionOpened,
    DatagramSent,
    Direction,
    NetworkFlow,
    Outcome,
    PacketAnomaly,
    SocketListening,
    SourceSummary,
    address_text,
)

WHOLE: Final = 128
"""The prefix of a single source."""

PORTS: Final = 64
"""So many ports of a source are remembered one by one."""

_IPV4: Final = bytes(10) + b"\xff\xff"
_IPV4_NETWORK: Final = 120
_IPV6_NETWORK: Final = 64
_SERVED: Final = 4_096
_ESTABLISHED: Final = int(Outcome.ESTABLISHED)
_INBOUND: Final = int(Direction.INBOUND)


class Activity:
    """One kind of thing that a source does, or, without a source, that many do to this host: an `Entity`.

    `kind` is a short name for it. `destination` and the like are those of a recent packet of it, `ports` those that it
    was seen to try.
    """

    __slots__ = (
        "destination",
        "destination_port",
        "interface",
        "kind",
        "ledger",
        "lineage",
        "ports",
        "protocol",
        "source",
        "source_port",
    )

    def __init__(self, kind: str, source: "Source | None" = None) -> None:
        self.kind = kind
        self.source = source
        self.ledger: object | None = None
        self.lineage = Lineage(self.label)
        self.source_port = 0
        self.destination = b""
        self.destination_port = 0
        self.protocol = 0
        self.interface = 0
        self.ports: Iterable[int] = ()

    def __str__(self) -> str:
        return str(self.source) if self.source is not None else "many sources"

    @property
    def label(self) -> str:
        """What tells this activity from others."""
        return f"{self.source if self.source is not None else 'host'}-{self.kind}".replace("/", "-")

    def seen(self, packet: NetworkFlow | PacketAnomaly | SourceSummary) -> None:
        """Note to where a packet of this activity went."""
        self.destination = packet.destination
        self.destination_port = packet.destination_port
        self.protocol = packet.protocol
        self.interface = packet.interface
        if not isinstance(packet, SourceSummary):
            self.source_port = packet.source_port


class Source:
    """An address, or a network of them (`prefix` below `WHOLE`, counted as of IPv6).

    `summary` is the kernel's last word about it and `before` the one before that. `accepted` counts the connections
    that this host took up from it, to `ports`; `spoken_to` is whether this host went to it by itself. `contacts`
    belongs to the evidence stage.
    """

    __slots__ = ("accepted", "activities", "address", "before", "contacts", "ports", "prefix", "spoken_to", "summary")

    def __init__(self, raw: bytes, prefix: int) -> None:
        self.address = raw
        self.prefix = prefix
        self.summary: SourceSummary | None = None
        self.before: SourceSummary | None = None
        self.accepted = 0
        self.ports: dict[int, None] = {}
        self.spoken_to = False
        self.contacts: object | None = None
        self.activities: dict[str, Activity] = {}

    def __str__(self) -> str:
        plain = address_text(self.address)
        if self.prefix == WHOLE:
            return plain
        return f"{plain}/{self.prefix - 96 if self.address.startswith(_IPV4) else self.prefix}"

    @property
    def known(self) -> bool:
        """Whether this host and the source have had a connection, or this host sent to it by itself."""
        return self.accepted > 0 or self.spoken_to

    def activity(self, kind: str) -> Activity:
        """Return what the source does, of one kind; the number of kinds bounds how many there are."""
        activity = self.activities.get(kind)
        if activity is None:
            activity = self.activities[kind] = Activity(kind, self)
        return activity


Key = tuple[bytes, int]


class SourceTable:
    """Sources by address and prefix, and the ports of this host that serve. Of each at most as many as there is room.

    Whoever was silent for longest leaves first, and `evicted` counts it.
    """

    def __init__(self, capacity: int = 8_192, fresh: int = 2_048) -> None:
        self.capacity = capacity
        self.fresh = fresh
        self.evicted = 0
        self._known: dict[Key, Source] = {}
        self._fresh: dict[Key, Source] = {}
        self._served: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._known) + len(self._fresh)

    def get(self, raw: bytes, prefix: int = WHOLE) -> Source | None:
        """Return a source, if it is remembered."""
        key = (raw, prefix)
        return self._known.get(key) or self._fresh.get(key)

    def network_of(self, source: Source) -> Source | None:
        """Return the network of a single source, if it was summed up."""
        raw = source.address
        if raw.startswith(_IPV4):
            return self._known.get((raw[:15] + b"\0", _IPV4_NETWORK))
        return self._known.get((raw[:8] + bytes(8), _IPV6_NETWORK))

    def serves(self, port: int) -> bool:
        """Return whether a process of this host is known to have waited for TCP connections on a port."""
        return port in self._served

    def summarised(self, record: SourceSummary) -> None:
        """Take in what the kernel tells of a source or a network."""
        source = self._known_one((record.source, record.prefix))
        source.before = source.summary
        source.summary = record

    def appeared(self, record: NetworkFlow | PacketAnomaly) -> None:
        """Take in that a packet came, from whoever bears this address."""
        key = (record.source, WHOLE)
        source = self._known.pop(key, None)
        if source is not None:
            self._known[key] = source
            return
        source = self._fresh.pop(key, None)
        if source is None:
            source = Source(*key)
            if len(self._fresh) >= self.fresh:
                del self._fresh[next(iter(self._fresh))]
                self.evicted += 1
        self._fresh[key] = source

    def keep(self, source: Source) -> None:
        """Remember a source for longer, since there is something to remember."""
        self._known_one((source.address, source.prefix))

    def connected(self, record: ConnectionOpened) -> None:
        """Take in an attempt to connect, in either direction."""
        if record.outcome != _ESTABLISHED:
            return
        source = self._known_one((record.remote_address, WHOLE))
        if record.direction == _INBOUND:
            source.accepted += 1
            if len(source.ports) < PORTS:
                source.ports[record.local_port] = None
            self._serve(record.local_port)
        else:
            source.spoken_to = True

    def sent(self, record: DatagramSent) -> None:
        """Take in that a process sent to an address."""
        self._known_one((record.remote_address, WHOLE)).spoken_to = True

    def listening(self, record: SocketListening) -> None:
        """Take in that a process waits on a port."""
        if record.local_port:
            self._serve(record.local_port)

    def _serve(self, port: int) -> None:
        if port in self._served:
            return
        if len(self._served) >= _SERVED:
            del self._served[next(iter(self._served))]
        self._served[port] = None

    def _known_one(self, key: Key) -> Source:
        known = self._known
        source = known.pop(key, None)
        if source is None:
            source = self._fresh.pop(key, None) or Source(*key)
            if len(known) >= self.capacity:
                del known[next(iter(known))]
                self.evicted += 1
        known[key] = source
        return source
