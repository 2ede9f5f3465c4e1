"""Whom to look at closely: the most suspicious, and a few others by chance, within a budget.

Who searches for the one that is up to something among many, and can look at few at a time, does best by looking at
those with the largest accumulated log-likelihood ratio: a deterministic rule, which is optimal as errors become rare
and beats drawing lots (Cohen and Zhao, "Active hypothesis testing for anomaly detection", IEEE Transactions on
Information Theory 61, 2015; arXiv:1403.1023). Changing the target costs, so it is stayed with for a while (Lambez and
Cohen, arXiv:2108.03082). Who floods us with decoys of one lineage gets a quarter of all at most.

A few processes are looked at whatever is known of them, for what nobody looks at can hardly become suspicious. They are
drawn by lot, those that were looked at least are preferred, and they weigh c·sqrt(ln t / n), after t turns of which n
were theirs.

Of R records a second, i of M gets R·(0.9·u_i / Σu + 0.1 / M), where u is the evidence in nats or that weight. As long
as records are lost, R and the share of all others that is told are halved every second; afterwards they come back by
a twentieth a second (additive increase, multiplicative decrease: Chiu and Jain 1989).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from pyloader.host import Focus
from pyloader.learners.chance import Chance

SLOTS: Final = 64
EXPLORERS: Final = 16

SHARE_OF_LINEAGE: Final = 0.25
"""As much of the slots, and of the budget, as one lineage gets."""

PROMOTE: Final = (3.0, 3.0, 2.0, 1.5, 1.5)
"""The evidence (nats) from which somebody is looked at, by the level of the posture."""

DEMOTE: Final = 1.5
"""The evidence (nats) below which it ends."""

DWELL_NS: Final = 30_000_000_000
"""As long as whoever is looked at is not exchanged for another."""

SCALE: Final = (1.0, 1.0, 2.0, 4.0, 8.0)
"""By how much the budget is larger, by the level of the posture."""

LEVELS: Final = (16.0, 64.0, 256.0)
"""So many records a second more may be told of a process at each level (bpf/attention.bpf.h)."""

LEAST_PRESSURE: Final = 1 / 64
RELIEF: Final = 0.05
"""As much of the whole comes back a second."""

_BY_EVIDENCE: Final = 0.9
_CURIOSITY: Final = 0.5
"""c: after a thousand turns, one that was never looked at weighs as much as 1.3 nats."""

_CANDIDATES: Final = 8
"""Of so many that are drawn, the one is taken that was looked at least."""

_LOOKS: Final = 4_096

Key = int | bytes


class Suspect(NamedTuple):
    """Somebody who is there, and against whom there is evidence."""

    key: Key
    """The id of a process, or the 16 bytes of the address of a source."""
    nats: float
    """The evidence."""
    lineage: str
    """Whom it belongs to."""


class _Slot:
    """Who holds a slot: since when (ns), and what was last known of it."""

    __slots__ = ("lineage", "nats", "since")

    def __init__(self, suspect: Suspect, since: int) -> None:
        self.since = since
        self.nats = suspect.nats
        self.lineage = suspect.lineage


class Attention:
    """Chooses the focus; to be asked about once a second, of the time of the records.

    The same calls give the same answers. `evicted` counts those who lost their slot to somebody more suspicious while
    they still deserved one, and running processes of which it was forgotten how often they were looked at.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"budget"})
    """What a new run is told anew (see `pyloader.state.classes`)."""

    def __init__(self, *, seed: int, budget: float = 1_024.0) -> None:
        self.budget = budget
        """Records a second that may be told more than usual while the host is calm."""
        self.evicted = 0
        self._chance = Chance(seed)
        self._now = 0
        self._pressure = 1.0
        self._slots: dict[Key, _Slot] = {}
        self._explorers: dict[int, int] = {}
        """Since when (ns), by process."""
        self._looks: dict[int, int] = {}
        """How many turns each process has had, those of the longest time ago first."""
        self._turns = 0

    def choose(
        self, now: int, suspects: Sequence[Suspect], explorable: Sequence[int], *, posture: int, loss: bool
    ) -> Focus:
        """Return whom to look at from `now` (ns) on.

        `suspects` are all that are still there, and `explorable` the ids of all processes that run; nobody else is
        looked at. `posture` is the level of the host, and `loss` whether records were lost since the last call.
        """
        now = max(now, self._now)
        if loss:
            self._pressure = max(LEAST_PRESSURE, self._pressure * 0.5)
        else:
            self._pressure = min(1.0, self._pressure + RELIEF * (now - self._now) / 1e9)
        self._now = now
        self._hold(suspects, PROMOTE[posture])
        self._explore(explorable)
        return self._divide(self.budget * SCALE[posture] * self._pressure)

    def _hold(self, suspects: Sequence[Suspect], promote: float) -> None:
        """Let the slots be held by who deserves them."""
        slots = self._slots
        listed = {one.key: one for one in suspects if one.nats >= promote or one.key in slots}
        for key in list(slots):
            slot, suspect = slots[key], listed.get(key)
            if suspect is None or (suspect.nats < DEMOTE and self._has_dwelt(slot.since)):
                del slots[key]
            else:
                slot.nats, slot.lineage = suspect.nats, suspect.lineage
        waiting = [one for one in listed.values() if one.nats >= promote and one.key not in slots]
        waiting.sort(key=lambda one: (-one.nats, *_order(one.key)))
        beaten: set[str] = set()
        for suspect in waiting:
            if suspect.lineage in beaten:
                continue
            kin = [key for key, slot in slots.items() if slot.lineage == suspect.lineage]
            if len(kin) >= SHARE_OF_LINEAGE * SLOTS:
                if not self._make_room(kin, suspect.nats):
                    # All others of the lineage who wait are weaker.
                    beaten.add(suspect.lineage)
                    continue
            elif len(slots) >= SLOTS and not self._make_room(list(slots), suspect.nats):
                break
            slots[suspect.key] = _Slot(suspect, self._now)

    def _make_room(self, rivals: list[Key], nats: float) -> bool:
        """Take a slot from the weakest of the rivals that has had its time, if it is weaker."""
        slots = self._slots
        weakest = min(
            (key for key in rivals if self._has_dwelt(slots[key].since)),
            key=lambda key: (slots[key].nats, *_order(key)),
            default=None,
        )
        if weakest is None or slots[weakest].nats >= nats:
            return False
        del slots[weakest]
        self.evicted += 1
        return True

    def _explore(self, explorable: Sequence[int]) -> None:
        """Give free turns to processes that are drawn."""
        explorers, running = self._explorers, set(explorable)
        for pid in list(explorers):
            if pid not in running or pid in self._slots or self._has_dwelt(explorers[pid]):
                del explorers[pid]
        while explorable and len(explorers) < EXPLORERS:
            drawn = [self._chance.pick(explorable) for _ in range(_CANDIDATES)]
            free = [pid for pid in drawn if pid not in explorers and pid not in self._slots]
            if not free:
                break
            chosen = min(free, key=lambda pid: self._looks.get(pid, 0))
            explorers[chosen] = self._now
            self._look_at(chosen, running)

    def _look_at(self, pid: int, running: set[int]) -> None:
        self._turns += 1
        turns = self._looks.pop(pid, 0)
        if len(self._looks) >= _LOOKS:
            self._looks = {pid: turns for pid, turns in self._looks.items() if pid in running}
        if len(self._looks) >= _LOOKS:
            del self._looks[next(iter(self._looks))]
            self.evicted += 1
        self._looks[pid] = turns + 1

    def _divide(self, budget: float) -> Focus:
        """Divide a budget, in records a second, among all who are looked at."""
        wanted = {key: max(0.0, slot.nats) for key, slot in self._slots.items()}
        for pid in self._explorers:
            wanted[pid] = _CURIOSITY * math.sqrt(math.log(1 + self._turns) / self._looks[pid])
        whole = math.fsum(wanted.values()) or 1.0
        rates = {
            key: budget * (_BY_EVIDENCE * weight / whole + (1.0 - _BY_EVIDENCE) / len(wanted))
            for key, weight in wanted.items()
        }
        most, together = SHARE_OF_LINEAGE * budget, dict.fromkeys((slot.lineage for slot in self._slots.values()), 0.0)
        for key, slot in self._slots.items():
            together[slot.lineage] += rates[key]
        for key, slot in self._slots.items():
            if together[slot.lineage] > most:
                rates[key] *= most / together[slot.lineage]
        return Focus(
            processes={key: level(rates[key]) for key in sorted(_processes(rates))},
            sources=tuple(sorted(key for key in rates if isinstance(key, bytes))),
            rate=self._pressure,
        )

    def _has_dwelt(self, since: int) -> bool:
        return self._now - since >= DWELL_NS


def level(rate: float) -> int:
    """Return at which level a process is looked at that may have so many records a second.

    >>> level(3.0), level(63.9), level(64.0), level(1_000.0)
    (1, 1, 2, 3)
    """
    return max(1, bisect_right(LEVELS, rate))


def _order(key: Key) -> tuple[bool, int]:
    """Return what keys are told apart by where nothing else does: the same on every run."""
    return (True, int.from_bytes(key)) if isinstance(key, bytes) else (False, key)


def _processes(keys: dict[Key, float]) -> list[int]:
    return [key for key in keys if isinstance(key, int)]
