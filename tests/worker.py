"""A worker that reads a recording.

With a file `hold` beside it, it goes on after the end, as a host does on which nothing happens: until it is stopped.
With a file `fail` it fails there. With a named pipe `begin` it reads all before, waits for a byte from it, and writes
down in the end how long it took (`Spent`).
"""

import os
import sys
import time
from pathlib import Path

import msgspec

from pyloader.records import AnyRecord
from pyloader.sources import ReplaySource
from pyloader.workers.child import main


class Spent(msgspec.Struct):
    """When a worker began and ended, by the monotonic clock, and its processor time between, in seconds."""

    begin: float
    end: float
    cpu: float


class Held(ReplaySource):
    """A recording that does not end before it is stopped."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._hold = path.with_name("hold").exists()
        self._fail = path.with_name("fail").exists()
        self._stopped = False
        self._wake = os.eventfd(0)
        self._begin = path.with_name("begin")
        self._spent: Spent | None = None
        self._result = path.with_suffix(".spent")
        self._waits = self._begin.exists()
        if self._waits:
            self._batches = iter(list(self._batches))

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next records; none after the last ones."""
        if self._waits:
            self._waits = False
            with self._begin.open("rb", buffering=0) as pipe:
                pipe.read(1)
            self._spent = Spent(time.monotonic(), 0.0, time.process_time())
        try:
            return super().read(timeout)
        except EOFError:
            if self._spent is not None:
                self._spent.end, self._spent.cpu = time.monotonic(), time.process_time() - self._spent.cpu
                self._result.write_bytes(msgspec.json.encode(self._spent))
                self._spent = None
            if self._fail:
                message = "the recording is over"
                raise RuntimeError(message) from None
            if self._stopped or not self._hold:
                raise
            return []

    def fileno(self) -> int | None:  # type: ignore[override]
        """Return a descriptor that is never readable, if there is something to wait for."""
        return self._wake if self._hold else None

    def patience(self) -> float:
        """Return a second, since nothing comes."""
        return 1.0 if self._hold else 0.0

    def stop(self) -> None:
        """End after what is left."""
        self._stopped = True


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), lambda described: Held(Path(os.fsdecode(described)))))
