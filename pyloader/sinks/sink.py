"""What every sink can do."""

from collections.abc import Sequence
from typing import Protocol

from pyloader.pipeline import Assessment, Summary


class Sink(Protocol):
    """Takes assessments in order, then one summary."""

    def write(self, batch: Sequence[Assessment]) -> None:
        """Show a batch; what is to be shown of it has left the process when this returns."""

    def end(self, summary: Summary) -> None:
        """Show what the run came to."""
