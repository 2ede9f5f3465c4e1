"""What a domain of evidence is to the stage that joins them."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from pyloader.evidence.item import Evidence
from pyloader.host import Host, Process
from pyloader.records import Record

Handler: TypeAlias = Callable[[Any, Process, Host], tuple[Evidence, ...]]
"""Judges a record of one type; the process is the one that the record is about, as the record has left it."""


PacketHandler: TypeAlias = Callable[[Any, Host], tuple[Evidence, ...]]
"""Judges a record of one type that is about no process."""


class Domain(Protocol):
    """The evidence of one kind of monitor."""

    @property
    def handlers(self) -> Mapping[type[Record], Handler]:
        """What judges which type of record; types without a handler are no evidence."""
        ...

    @property
    def learned(self) -> Mapping[str, object]:
        """What was learned and outlives a restart, by name."""
        ...

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        ...
