"""What instances of a program are used to do, learned per executable: the contextual weight of evidence.

A technique that every second instance of a program shows is no evidence against the next; one that none of thousands
ever showed is. With n of N instances that showed it, prior rate r0, and q the share of attacks that show it,

    r = (n + κ·r0) / (N + κ)        weight = clamp(ln(q / r), -2, cap)        κ = 5

An instance is one process with one image, and counts once per technique, however often it does it. What is ordinary
joins the baseline at once; what has a weight is staged, and joins when its episode closed quietly (`staging`). Then it
still is ordinary only if every tenth instance shows it: what a program is made for, it does again and again, and an
attack now and then, however quiet it is, stays rare. All counts halve in `HALF_LIFE_NS`.
"""

import math
from typing import Final

from pyloader.evidence.catalogue import Kind, shown
from pyloader.evidence.excuses import Excuses
from pyloader.evidence.item import Evidence, Group
from pyloader.evidence.lesson import Lesson
from pyloader.evidence.priors import PRIORS, Habit
from pyloader.evidence.programs import base_name
from pyloader.evidence.rarity import FADES_EVERY_NS, HALF_LIFE_NS
from pyloader.evidence.staging import PREVALENT, Staging
from pyloader.host import Process

PRIOR_WEIGHT: Final = 5.0
"""κ: how many instances the prior rate is worth."""

LEAST: Final = -2.0
SILENT: Final = 0.5
"""A weight, in nats, below which a habit is not told."""

LEAST_OF_PURPOSE: Final = 1 / 6
"""What a program is made for stays that share of its prior rate, however many instances had no need of it.

A search compiles its pattern only if that is a regular expression: hundreds of silent instances say nothing against it.
"""

FACING_SHARE: Final = 0.1
"""Of the instances of a program that compiles, the share whose first code comes when they face the network."""

CONTEXTS: Final = 8_192
"""So many programs each of two generations holds."""

TABLE: Final = "habit"

_CRASHES: Final = sum(1 << habit for habit in range(Habit.CRASH, Habit.JUMP_TO_NOTHING_FACING + 1))
_CONTAINER: Final = "container:"


def context_of(process: Process) -> str:
    """Return what a process is an instance of: its image, and whether that is one of a container."""
    image = process.exe or process.comm
    return _CONTAINER + image if process.container else image


class Instance:
    """What one process has shown with its present image (`Process.habits`).

    `shown` and `staged` are sets of `Habit` as bits: all, and those that wait for the close of an episode. `voiced` is
    when it was last told that the process made code (ns), or 0.
    """

    __slots__ = ("context", "over", "shown", "staged", "voiced")

    def __init__(self, context: str) -> None:
        self.context = context
        self.shown = 0
        self.staged = 0
        self.over = False
        self.voiced = 0


def instance_of(process: Process) -> Instance | None:
    """Return what a process has shown, if it has shown anything."""
    return process.habits if isinstance(process.habits, Instance) else None


class Counts:
    """The baseline of one context: how many instances, and how many have shown each habit, at once or once suspicious.

    `since` is when it last faded (ns, wall clock).
    """

    __slots__ = ("instances", "shown", "since", "suspicious")

    def __init__(self, since: int = 0) -> None:
        self.instances = 0.0
        self.shown: dict[int, float] | None = None
        self.suspicious: dict[int, float] | None = None
        self.since = since

    def of(self, habit: int) -> float:
        """Return how many instances have shown a habit, as far as that is believed."""
        shown = self.shown.get(habit, 0.0) if self.shown is not None else 0.0
        more = self.suspicious.get(habit, 0.0) if self.suspicious is not None else 0.0
        return shown + more if more >= PREVALENT * self.instances else shown

    def fade(self, wall: int) -> None:
        """Let older instances count less."""
        factor = 0.5 ** ((wall - self.since) / HALF_LIFE_NS)
        self.since = wall
        self.instances *= factor
        for counts in (self.shown, self.suspicious):
            if counts is not None:
                for habit in counts:
                    counts[habit] *= factor


_UNKNOWN: Final = Counts()


class Rates:
    """What was learned: the counts by context, in two generations of `capacity` each; `evicted` were forgotten.

    `young` is the later generation, to which whatever is used belongs.
    """

    def __init__(self, capacity: int = CONTEXTS) -> None:
        self.capacity = capacity
        self.evicted = 0
        self.young: dict[str, Counts] = {}
        self._old: dict[str, Counts] = {}

    def of(self, context: str, wall: int) -> Counts:
        """Return the counts of a context as they stand now (ns, wall clock), to be read only."""
        counts = self.young.get(context) or self._old.get(context)
        if counts is None:
            return _UNKNOWN
        if wall - counts.since >= FADES_EVERY_NS:
            counts.fade(wall)
        return counts

    def at(self, context: str, wall: int) -> Counts:
        """Return the counts of a context, to be added to."""
        counts = self.young.get(context)
        if counts is None:
            counts = self._old.pop(context, None) or Counts(wall)
            if len(self.young) >= self.capacity:
                self.evicted += len(self._old)
                self._old, self.young = self.young, {}
            self.young[context] = counts
        if wall - counts.since >= FADES_EVERY_NS:
            counts.fade(wall)
        return counts


class Habits:
    """Judges what processes do by what was learned (`rates`), and lets it be learned."""

    group = Group.MEMORY

    def __init__(self, staging: Staging, capacity: int = CONTEXTS) -> None:
        self.rates = Rates(capacity)
        self._staging = staging
        self._excuses: Excuses = staging.excuses
        staging.register(TABLE, self)

    @property
    def evicted(self) -> int:
        """How many baselines were forgotten."""
        return self.rates.evicted

    def judge(self, process: Process, habit: Habit, now: int, *, made_for_it: bool = False) -> float:
        """Note that a process has shown a habit, and return its weight in nats.

        It is 0 if this instance has shown it before, or if it is so common that it is not worth telling.
        """
        instance = instance_of(process)
        if instance is None:
            process.habits = instance = Instance(context_of(process))
        bit = 1 << habit
        if instance.shown & bit:
            return 0.0
        instance.shown |= bit
        context = instance.context
        nats = self.weight(context, habit, now, made_for_it=made_for_it)
        known = self.rates.of(context, now + self._staging.offset).of(habit) > 0.0
        if nats < SILENT and self._staging.admits(process.lineage, now, known=known):
            _add(self.rates.at(context, now + self._staging.offset), habit)
        else:
            instance.staged |= bit
            self._staging.stage(process.lineage, _lesson(context, habit), now, suspicious=nats >= SILENT)
        return nats if nats >= SILENT else 0.0

    def about(self, kind: Kind, process: Process, habit: Habit, what: str, *, nats: float, now: int) -> Evidence:
        """Return the evidence that a process has shown a habit, with the counts that it was weighed by."""
        instance = instance_of(process)
        context = instance.context if instance is not None else context_of(process)
        counts = self.rates.of(context, now + self._staging.offset)
        item = kind.about(process, what, nats, _lesson(context, habit))
        if counts.instances < 1.0:
            return item
        program = shown(base_name(context))
        text = f"{item.text}; {program}: {counts.of(habit):,.0f} of {counts.instances:,.0f} instances ever did this"
        return Evidence(item.code, item.group, nats, text, item.technique, process, item.floor, item.context)

    def weight(self, context: str, habit: Habit, now: int, *, made_for_it: bool = False) -> float:
        """Return the weight in nats, -2 to the cap, of a habit in a context."""
        wall = now + self._staging.offset
        counts = self.rates.of(context, wall)
        prior = PRIORS[habit]
        rate = prior.made_for_it if made_for_it else prior.programs
        if habit is Habit.FACING_CODE:
            compiled = max(counts.of(Habit.WRITABLE_CODE), counts.of(Habit.WRITTEN_CODE))
            rate = max(rate, FACING_SHARE * compiled / (max(counts.instances, compiled) + PRIOR_WEIGHT))
        excused = self._excuses.of(_lesson(context, habit), wall)
        seen = counts.of(habit) + excused
        # What an instance has shown is counted before its end, and it itself at its end.
        instances = max(counts.instances + excused, seen)
        learned = (seen + PRIOR_WEIGHT * rate) / (instances + PRIOR_WEIGHT)
        if made_for_it:
            learned = max(learned, LEAST_OF_PURPOSE * rate)
        return max(LEAST, min(math.log(prior.attacks / learned), prior.cap))

    def counted(self, process: Process, now: int) -> None:
        """Count an instance that has ended and has shown nothing."""
        if now < self._staging.frozen_until:
            return
        context = process.exe or process.comm
        if process.container:
            context = _CONTAINER + context
        wall = now + self._staging.offset
        counts = self.rates.young.get(context)
        if counts is None or wall - counts.since >= FADES_EVERY_NS:
            counts = self.rates.at(context, wall)
        counts.instances += 1.0

    def ended(self, process: Process, now: int, *, crashed: bool) -> None:
        """Count an instance that has ended. One that crashed teaches nothing else that waits to be learned."""
        instance = instance_of(process)
        if instance is None or instance.over:
            return
        instance.over = True
        if crashed:
            self._withdraw(process, instance, instance.staged & ~_CRASHES)
        if now >= self._staging.frozen_until:
            self.rates.at(instance.context, now + self._staging.offset).instances += 1.0

    def replaced(self, process: Process, now: int) -> None:
        """Count the image that a process had until now."""
        self.ended(process, now, crashed=False)
        process.habits = None

    def learn(self, context: str, symbol: str, times: float, wall: int) -> None:
        """Count a habit that was staged."""
        counts = self.rates.at(context, wall)
        counts.suspicious = counts.suspicious if counts.suspicious is not None else {}
        habit = Habit[symbol]
        counts.suspicious[habit] = counts.suspicious.get(habit, 0.0) + times

    def instances(self, context: str, wall: int) -> float:
        """Return how many instances of a context have ended."""
        return self.rates.of(context, wall).instances

    def _withdraw(self, process: Process, instance: Instance, habits: int) -> None:
        while habits:
            bit = habits & -habits
            habits ^= bit
            self._staging.withdraw(process.lineage, _lesson(instance.context, Habit(bit.bit_length() - 1)))


def _add(counts: Counts, habit: Habit) -> None:
    counts.shown = counts.shown if counts.shown is not None else {}
    counts.shown[habit] = counts.shown.get(habit, 0.0) + 1.0


def _lesson(context: str, habit: Habit) -> Lesson:
    return (TABLE, context, habit.name)
