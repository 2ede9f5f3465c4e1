"""What happened before: the closed episodes, what an analyst called them, and the scars that they left.

A new alert is compared with them: "the last time a lineage showed this, it was called benign". A source that attacked
once is met with less trust for a month (a scar); so is a program that an analyst found in an attack.
"""

import math
from collections.abc import Iterable
from enum import IntEnum
from itertools import islice
from typing import Final

import msgspec

from pyloader.scorer.signature import Signature

ENTRIES: Final = 2_048
SCARS: Final = 4_096
SCAR_LIFE: Final = 30 * 86_400 * 1_000_000_000
SCAR_MOST: Final = 2.0
_LIKE: Final = 0.5
"""The least share of common evidence (Jaccard index) by which two episodes are alike."""

_COMPARED: Final = 256
"""With so many different combinations of evidence an alert is compared, the latest: attackers make up any number."""


class Label(IntEnum):
    """What an analyst says of an alert."""

    NONE = 0
    BENIGN = 1
    MALICIOUS = 2


class Similar(msgspec.Struct, frozen=True):
    """An earlier episode like the one of an alert.

    `time` is wall-clock nanoseconds since 1970; `likeness` the share of common evidence, 0 to 1.
    """

    who: str
    time: int
    score: float
    likeness: float
    label: str


class Past(msgspec.Struct):
    """An episode that has closed. `time` is wall-clock nanoseconds since 1970."""

    name: str
    who: str
    time: int
    score: float
    nats: float
    codes: tuple[str, ...]
    contexts: tuple[tuple[str, ...], ...]
    signatures: tuple[Signature, ...]
    alerts: tuple[str, ...]
    exe: str
    parent_exe: str
    scar: str = ""
    """By what the attacker is known again, if by anything."""
    label: Label = Label.NONE
    note: str = ""


class Journal:
    """The latest episodes and the scars, at most `ENTRIES` and `SCARS`. Times are wall-clock nanoseconds."""

    __slots__ = ("_kinds", "_past", "_scars", "evicted")

    def __init__(self) -> None:
        self.evicted = 0
        self._past: dict[str, Past] = {}
        self._kinds: dict[tuple[str, ...], dict[str, None]] = {}
        """The names of the episodes by their evidence in alphabetical order; what was entered last is last."""
        self._scars: dict[str, tuple[float, int]] = {}

    def __len__(self) -> int:
        return len(self._past)

    def add(self, past: Past) -> None:
        """Enter an episode, or what has become of it since."""
        before = self._past.pop(past.name, None)
        if before is None and len(self._past) >= ENTRIES:
            before = self._past.pop(next(iter(self._past)))
            self.evicted += 1
        if before is not None:
            self._leave_kind(before)
        self._past[past.name] = past
        kind = tuple(sorted(past.codes))
        names = self._kinds.pop(kind, {})
        names[past.name] = None
        self._kinds[kind] = names

    def named(self, name: str) -> Past | None:
        """Return the episode of this name."""
        return self._past.get(name)

    def of_alert(self, alert: str) -> Past | None:
        """Return the episode in which an alert was raised."""
        for past in reversed(self._past.values()):
            if alert in past.alerts:
                return past
        return None

    def similar(self, codes: Iterable[str], most: int = 3) -> list[Similar]:
        """Return the episodes with much of the same evidence: the most alike first, of equals the latest."""
        wanted = set(codes)
        found: list[tuple[float, Past]] = []
        for kind, names in islice(reversed(self._kinds.items()), _COMPARED):
            common = len(wanted.intersection(kind))
            if common:
                likeness = common / (len(wanted) + len(kind) - common)
                if likeness >= _LIKE:
                    found += [(likeness, self._past[name]) for name in islice(reversed(names), most)]
        found.sort(key=lambda one: (-one[0], -one[1].time, one[1].name))
        return [
            Similar(past.who, past.time, past.score, round(likeness, 2), past.label.name.lower())
            for likeness, past in found[:most]
        ]

    def _leave_kind(self, past: Past) -> None:
        kind = tuple(sorted(past.codes))
        names = self._kinds[kind]
        del names[past.name]
        if not names:
            del self._kinds[kind]

    def scar(self, key: str, nats: float, when: int) -> None:
        """Remember that someone attacked; nobody if the key is empty."""
        if not key:
            return
        before = self._scars.pop(key, None)
        if before is not None:
            nats = max(nats, before[0])
        elif len(self._scars) >= SCARS:
            del self._scars[next(iter(self._scars))]
            self.evicted += 1
        self._scars[key] = (nats, when)

    def heal(self, key: str) -> None:
        """Forget that someone attacked, since it was none."""
        self._scars.pop(key, None)

    def mistrust(self, key: str, when: int) -> float:
        """Return what an earlier attack is worth now, in nats from 0 to `SCAR_MOST`."""
        known = self._scars.get(key)
        if known is None:
            return 0.0
        nats, then = known
        return min(SCAR_MOST, 0.5 * nats) * math.pow(0.5, max(0, when - then) / SCAR_LIFE)
