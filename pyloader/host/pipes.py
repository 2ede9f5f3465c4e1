"""Which process writes into which pipe, and which reads from it.

A pipe has the same inode at both ends, so that `curl … | sh` shows as two processes joined by one number, whatever
their order of execution. The table holds the first program at each end of the last `capacity` pipes.
"""

from pyloader.host.processes import Process
from pyloader.records import Stdio

_PIPE = int(Stdio.PIPE)


class PipeTable:
    """The programs at both ends of the pipes that were last used as standard input or output."""

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._writers: dict[int, Process] = {}
        self._readers: dict[int, Process] = {}

    def connect(self, process: Process) -> None:
        """Note the pipes that a process has as standard input and output when it executes an image."""
        if process.stdio & 0xF == _PIPE:
            self._note(self._readers, process.stdin_inode, process)
        if process.stdio >> 4 & 0xF == _PIPE:
            self._note(self._writers, process.stdout_inode, process)

    def writer(self, inode: int) -> Process | None:
        """Return the program whose standard output is this pipe."""
        return self._writers.get(inode)

    def reader(self, inode: int) -> Process | None:
        """Return the program whose standard input is this pipe."""
        return self._readers.get(inode)

    def _note(self, end: dict[int, Process], inode: int, process: Process) -> None:
        known = end.get(inode)
        if known is None or known.pid == process.pid:
            if known is None and len(end) >= self.capacity:
                del end[next(iter(end))]
                self.evicted += 1
            end[inode] = process
