"""What the sensor asks of a source of records."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from pyloader.host import Focus
from pyloader.records import AnyRecord
from pyloader.records.recording import Header

Tap: TypeAlias = Callable[[Sequence[AnyRecord], Sequence[bytes]], object]
"""What gets records as they are handed out, with the bytes of each; whoever reads waits for it."""


@runtime_checkable
class Tapped(Protocol):
    """A source that has the bytes of its records, and gives them to whom it is told to."""

    taps: list[Tap]


class Source(Protocol):
    """A stream of records in the order in which they are to be assessed.

    `header` describes the host and the run. `read` blocks for at most `timeout` seconds and returns what is there,
    possibly nothing; it raises `EOFError` when there will be nothing more. `stop` may be called from a signal handler
    or another thread: reads then return what is left, and end. `read(0)` does not wait: an event loop calls it when
    `fileno` polls readable, and after `patience` at the latest.
    """

    header: Header

    def start(self) -> None:
        """Begin; nothing that happens after this is missed."""

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next records."""

    def fileno(self) -> int | None:
        """Return a descriptor that polls readable while `read` has something, or `None` if `read` never waits."""

    def patience(self) -> float:
        """Return for how many seconds `read` may be put off as long as the descriptor is not readable."""

    def add(self, records: Iterable[AnyRecord]) -> None:
        """Put records of the sensor's own into the stream; the next `read` returns them."""

    def attend(self, focus: Focus) -> None:
        """Look at these more closely from now on, as far as this source can; never raises."""

    def stop(self) -> None:
        """Ask for the end."""

    def close(self) -> None:
        """Release everything."""
