"""How far has an attack come? The tactics that a lineage has shown, and in which order.

Attacks go through stages, and ordinary work does not. One strong sign of one tactic may be an accident; a few of
different tactics, in the order in which attackers go, are hardly one (HOLMES, IEEE S&P 2019; RapSheet, IEEE S&P 2020).
With d distinct tactics, each worth what is left of it after its half-life of a day,

    bonus = 1.5·(d - 1) + 0.5 for each pair in order      at most 6 nats

Only what is rarer than the daily work of administrators counts as a sign.
"""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from pyloader.evidence import Evidence

HALF_LIFE_NS: Final = 24 * 3_600 * 1_000_000_000
SIGN_NATS: Final = 3.1
PER_TACTIC: Final = 1.5
PER_ORDERED_PAIR: Final = 0.5
MOST: Final = 6.0

TACTICS: Final = (
    "initial access",
    "execution",
    "persistence",
    "privilege escalation",
    "defence evasion",
    "credential access",
    "discovery",
    "lateral movement",
    "collection",
    "command and control",
    "exfiltration",
    "impact",
)
"""Those of MITRE ATT&CK that a host can see, in the order in which an attack mostly goes through them."""

_OF_TECHNIQUE: Final = {
    "T1003": 5,
    "T1014": 4,
    "T1016": 6,
    "T1018": 6,
    "T1021": 7,
    "T1027": 4,
    "T1033": 6,
    "T1036": 4,
    "T1037": 2,
    "T1040": 5,
    "T1041": 10,
    "T1046": 6,
    "T1048": 10,
    "T1053": 2,
    "T1055": 3,
    "T1057": 6,
    "T1059": 1,
    "T1068": 3,
    "T1070": 4,
    "T1071": 9,
    "T1082": 6,
    "T1083": 6,
    "T1090": 9,
    "T1095": 9,
    "T1098": 2,
    "T1105": 9,
    "T1110": 5,
    "T1136": 2,
    "T1140": 4,
    "T1190": 0,
    "T1203": 1,
    "T1205": 9,
    "T1222": 4,
    "T1485": 11,
    "T1489": 11,
    "T1496": 11,
    "T1498": 11,
    "T1499": 11,
    "T1505": 2,
    "T1543": 2,
    "T1547": 2,
    "T1548": 3,
    "T1552": 5,
    "T1556": 5,
    "T1557": 5,
    "T1560": 8,
    "T1562": 4,
    "T1564": 4,
    "T1571": 9,
    "T1572": 9,
    "T1574": 2,
    "T1588": 1,
    "T1595": 6,
    "T1611": 3,
    "T1620": 4,
}
"""The tactic of each technique; of several the one that a host sees it for. What is not here counts as none."""


def tactic_of(technique: str) -> int | None:
    """Return the number of the tactic in `TACTICS` of a technique such as `T1059.004`, if it counts as one.

    >>> tactic_of("T1059.004"), tactic_of("")
    (1, None)
    """
    return _OF_TECHNIQUE.get(technique[:5])


class Sign(NamedTuple):
    """A tactic, when it was first shown and when last (ns)."""

    tactic: int
    first: int
    last: int


class Tactics(NamedTuple):
    """The signs of one lineage, in the order of their first showing. It never changes: new signs make a new one."""

    signs: tuple[Sign, ...] = ()

    def with_evidence(self, items: Iterable[Evidence], now: int) -> "Tactics":
        """Return what the signs are with these items; what a day has halved three times is forgotten."""
        shown = {
            tactic for item in items if item.nats >= SIGN_NATS and (tactic := tactic_of(item.technique)) is not None
        }
        if not shown:
            return self
        kept = [sign for sign in self.signs if now - sign.last < 3 * HALF_LIFE_NS]
        known = {sign.tactic for sign in kept}
        signs = [sign._replace(last=now) if sign.tactic in shown else sign for sign in kept]
        return Tactics((*signs, *(Sign(tactic, now, now) for tactic in sorted(shown - known))))

    def bonus(self, now: int) -> float:
        """Return what the tactics together are worth in nats, 0 to `MOST`."""
        if len(self.signs) < 2:  # noqa: PLR2004 -- one sign is no sequence.
            return 0.0
        weights = [math.pow(0.5, max(0, now - sign.last) / HALF_LIFE_NS) for sign in self.signs]
        distinct = sum(sorted(weights)[:-1])
        ordered = sum(
            min(weights[early], weights[late])
            for late in range(len(self.signs))
            for early in range(late)
            if self.signs[early].tactic < self.signs[late].tactic and self.signs[early].first < self.signs[late].first
        )
        return min(MOST, PER_TACTIC * distinct + PER_ORDERED_PAIR * ordered)

    def in_words(self) -> str:
        """Return the tactics in the order in which they were shown."""
        names = [TACTICS[sign.tactic] for sign in self.signs]
        return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
