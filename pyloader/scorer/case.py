"""What is held against a lineage as a whole: the evidence about its members, and the tactics that they showed."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from pyloader.evidence import Evidence
from pyloader.host import Lineage
from pyloader.scorer.ledger import EMPTY, Ledger
from pyloader.scorer.tactics import Tactics

ATTENUATION: Final = 0.8
"""How much evidence about its relatives weighs against a process (tag attenuation: MORSE, IEEE S&P 2020)."""


class Case(NamedTuple):
    """The evidence and the tactics. It never changes, so that a lineage can share that of the one it left."""

    ledger: Ledger = EMPTY
    tactics: Tactics = Tactics()

    def with_evidence(self, items: Sequence[Evidence], now: int) -> "Case":
        """Return the case with new items."""
        return Case(self.ledger.with_evidence(items, now), self.tactics.with_evidence(items, now))


NO_CASE: Final = Case()


def case_of(lineage: Lineage) -> Case:
    """Return what is held against a lineage."""
    return lineage.case if isinstance(lineage.case, Case) else NO_CASE
