"""Whom evidence can be about."""

from typing import Protocol


class Entity(Protocol):
    """A process, what a source of packets does, or what happens to this host.

    `ledger` belongs to the scorer. `label` tells an entity from every other one that is there at the same time, and
    stands in the ids of alerts: letters, digits, dots, colons and dashes. `str` names it for a reader.
    """

    ledger: object | None

    @property
    def label(self) -> str:
        """What tells this entity from others."""
        ...
