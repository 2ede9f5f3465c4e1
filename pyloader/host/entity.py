"""Whom evidence can be about."""

from typing import Protocol

from pyloader.host.lineage import Lineage


class Entity(Protocol):
    """A process, what a source of packets does, or what happens to this host.

    `ledger` belongs to the scorer, `lineage` is whom the entity belongs to. `label` tells it from every other one that
    is there at the same time, and stands in the ids of alerts: letters, digits, dots, colons and dashes. `str` names it
    for a reader.
    """

    ledger: object | None
    lineage: Lineage

    @property
    def label(self) -> str:
        """What tells this entity from others."""
        ...
