"""Which process is at which end of a connection, and which process listens where.

The table follows the records of the connection monitor only. It tells the stages that see packets, or the end of a
connection, whose they are.
"""

from typing import NamedTuple, TypeVar

from pyloader.host.processes import Process
from pyloader.records import ConnectionClosed, ConnectionOpened, Direction, Outcome, SocketListening

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Ends(NamedTuple):
    """A connection as this host sees it. Addresses are as in the records: 16 bytes, IPv4 mapped."""

    local_address: bytes
    local_port: int
    remote_address: bytes
    remote_port: int


class Flow:
    """An open connection: its process, who asked for it, and since when it is known (nanoseconds, boot-time clock)."""

    __slots__ = ("direction", "opened", "process")

    def __init__(self, process: Process | None, direction: Direction, opened: int) -> None:
        self.process = process
        self.direction = direction
        self.opened = opened


class FlowTable:
    """The open connections, and the last process to listen on each port.

    Of each at most `capacity`; the one that was opened first leaves first, and `evicted` counts it.
    """

    def __init__(self, capacity: int = 8_192) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._flows: dict[Ends, Flow] = {}
        self._listeners: dict[tuple[int, int], Process] = {}

    def __len__(self) -> int:
        return len(self._flows)

    def opened(self, record: ConnectionOpened, process: Process | None) -> None:
        """Note a connection if it was established."""
        if record.outcome == Outcome.ESTABLISHED:
            ends = ends_of(record)
            self._flows.pop(ends, None)
            self._make_room(self._flows)
            self._flows[ends] = Flow(process, Direction(record.direction), record.timestamp)

    def closed(self, record: ConnectionClosed) -> Flow | None:
        """Remove a connection and return it, if it was known."""
        return self._flows.pop(ends_of(record), None)

    def listening(self, record: SocketListening, process: Process) -> None:
        """Note who listens on a port of a network namespace."""
        port = (record.net_namespace, record.local_port)
        self._listeners.pop(port, None)
        self._make_room(self._listeners)
        self._listeners[port] = process

    def get(self, ends: Ends) -> Flow | None:
        """Return an open connection, if it is known."""
        return self._flows.get(ends)

    def listener(self, net_namespace: int, port: int) -> Process | None:
        """Return the last process that began to listen on a port of a network namespace, if it still runs."""
        process = self._listeners.get((net_namespace, port))
        return process if process is not None and process.alive else None

    def _make_room(self, table: dict[_Key, _Value]) -> None:
        if len(table) >= self.capacity:
            del table[next(iter(table))]
            self.evicted += 1


def ends_of(record: ConnectionOpened | ConnectionClosed) -> Ends:
    """Return what tells a connection from every other."""
    return Ends(record.local_address, record.local_port, record.remote_address, record.remote_port)
