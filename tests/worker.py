"""A worker that reads a recording.

With a file `hold` beside it, it goes on after the end, as a host does on which nothing happens: until it is stopped.
With a file `fail` it fails there.
"""

import os
import sys
from pathlib import Path

from pyloader.records import AnyRecord
from pyloader.sources import ReplaySource
from pyloader.workers.child import main


class Held(ReplaySource):
    """A recording that does not end before it is stopped."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._hold = path.with_name("hold").exists()
        self._fail = path.with_name("fail").exists()
        self._stopped = False
        self._wake = os.eventfd(0)

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next records; none after the last ones."""
        try:
            return super().read(timeout)
        except EOFError:
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
