"""Records from a recording."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from pyloader.errors import ClosedError
from pyloader.host import Focus
from pyloader.records import AnyRecord
from pyloader.records.recording import RecordingReader


class ReplaySource:
    """A recording, from a file or from bytes, as a source. Damage raises `RecordingError` where it lies."""

    def __init__(self, recording: Path | bytes) -> None:
        if isinstance(recording, bytes):
            self._reader = RecordingReader(BytesIO(recording), "the recording")
        else:
            self._reader = RecordingReader.open(recording)
        self.header = self._reader.header
        self._closed = False
        self._added: list[AnyRecord] = []
        self._batches: Iterator[list[AnyRecord]] = self._reader.batches()

    def start(self) -> None:
        """Do nothing: a recording waits."""

    def read(self, timeout: float | None) -> list[AnyRecord]:  # noqa: ARG002 -- a recording never makes one wait.
        """Return the next records, or raise `EOFError` at the end and `ClosedError` after `close`."""
        if self._closed:
            message = "this source is closed"
            raise ClosedError(message)
        if self._added:
            added, self._added = self._added, []
            return added
        for batch in self._batches:
            return batch
        raise EOFError

    def fileno(self) -> None:
        """Return `None`: nobody needs to wait."""

    def patience(self) -> float:
        """Return 0, for there is something at once, always."""
        return 0.0

    def add(self, records: Iterable[AnyRecord]) -> None:
        """Put records of the sensor's own into the stream; the next `read` returns them."""
        self._added.extend(records)

    def attend(self, focus: Focus) -> None:
        """Do nothing: what was not recorded cannot be looked at."""

    def stop(self) -> None:
        """Go no further."""
        self._batches = iter(())

    def close(self) -> None:
        """Close the file. Further calls do nothing."""
        self._closed = True
        self._reader.close()
