"""Whose an open connection is.

The table follows the records of the connection monitor only: its end may come long after the process that it belongs
to was forgotten.
"""

from typing import Final

from pyloader.host.processes import Process
from pyloader.records import ConnectionClosed, ConnectionOpened, Outcome

_ESTABLISHED: Final = int(Outcome.ESTABLISHED)

_Ends = tuple[bytes, int, bytes, int]
"""A connection as this host sees it: local address and port, remote address and port."""


class FlowTable:
    """The open connections, at most `capacity`; the one that was opened first leaves first, and `evicted` counts it."""

    def __init__(self, capacity: int = 8_192) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._owners: dict[_Ends, Process | None] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def opened(self, record: ConnectionOpened, process: Process | None) -> None:
        """Note whose a connection is, if it was established."""
        if record.outcome != _ESTABLISHED:
            return
        owners = self._owners
        ends = (record.local_address, record.local_port, record.remote_address, record.remote_port)
        if ends in owners:
            del owners[ends]
        elif len(owners) >= self.capacity:
            del owners[next(iter(owners))]
            self.evicted += 1
        owners[ends] = process

    def closed(self, record: ConnectionClosed) -> Process | None:
        """Remove a connection and return whose it was, if that was known."""
        return self._owners.pop(
            (record.local_address, record.local_port, record.remote_address, record.remote_port), None
        )
