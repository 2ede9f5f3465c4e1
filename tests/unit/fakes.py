"""What stands in for the kernel."""

from collections.abc import Iterable

from pyloader.host import Focus
from pyloader.records import AnyRecord
from tests.unit.examples import HEADER


class FakeSource:
    """A source that gives prepared batches and writes down what is asked of it."""

    def __init__(self, *batches: list[AnyRecord], fails: type[Exception] | None = None) -> None:
        self.header = HEADER
        self.asked: list[str] = []
        self.timeouts: list[float | None] = []
        self.attended: list[Focus] = []
        self._batches = list(batches)
        self._fails = fails

    def start(self) -> None:
        """Begin, or fail if the test wants so."""
        self.asked.append("start")
        if self._fails is not None:
            raise self._fails

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next batch."""
        self.timeouts.append(timeout)
        if not self._batches:
            raise EOFError
        return self._batches.pop(0)

    def add(self, records: Iterable[AnyRecord]) -> None:
        """Put records of the sensor's own into the stream, before what is left of the others."""
        added = list(records)
        if added:
            self._batches.insert(0, added)

    def attend(self, focus: Focus) -> None:
        """Remember what to look at."""
        self.attended.append(focus)

    def stop(self) -> None:
        """End after the next batch."""
        self.asked.append("stop")
        del self._batches[1:]

    def close(self) -> None:
        """Note it."""
        self.asked.append("close")
