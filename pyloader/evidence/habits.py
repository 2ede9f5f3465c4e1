"""What instances of a program are used to do, learned per executable: the contextual weight of evidence.

A technique that every second instance of a program shows is no evidence against the next; one that none of thousands
ever showed is. With n of N instances that showed it, prior rate r0, and q the share of attacks that show it,

    r = (n + κ·r0) / (N + κ)        weight = clamp(ln(q / r), -2, cap)        κ = 5

An instance is one process with one image, and counts once per technique, however often it does it. It is judged by
the *other* instances: its own habits join the baseline when it has ended quietly, or has lived on quietly for
`SETTLED_NS`. Quietly means that nothing but its memory spoke against it or its lineage. A habit that alone would raise
an alert joins only when `REPEATED` instances have shown it: one attack teaches nothing.
"""

import math
from collections import deque
from typing import Final

from pyloader.evidence.priors import PRIORS, Habit
from pyloader.evidence.traits import Trait
from pyloader.host import Process

PRIOR_WEIGHT: Final = 5.0
"""κ: how many instances the prior rate is worth."""

LEAST: Final = -2.0
SILENT: Final = 0.5
"""A weight, in nats, below which a habit is not told."""

DOUBTFUL: Final = 5.1
"""A weight, in nats, that alone raises an alert."""

REPEATED: Final = 3
SETTLED_NS: Final = 600 * 1_000_000_000

FACING_SHARE: Final = 0.1
"""Of the instances of a program that compiles, the share whose first code comes when they face the network."""

_CRASHES: Final = sum(1 << habit for habit in range(Habit.CRASH, Habit.JUMP_TO_NOTHING_FACING + 1))
_ALL: Final = -1
"""`Instance.joined` of an instance that has no more to teach."""

_CONTAINER: Final = "container:"


def context_of(process: Process) -> str:
    """Return what a process is an instance of: its image, and whether that is one of a container."""
    image = process.exe or process.comm
    return _CONTAINER + image if process.container else image


class Instance:
    """What one process has shown with its present image (`Process.habits`).

    `shown`, `doubtful` and `joined` are sets of `Habit` as bits; `voiced` is when it was last told that the process
    made code (ns), or 0.
    """

    __slots__ = ("context", "counted", "doubtful", "joined", "shown", "voiced")

    def __init__(self, context: str) -> None:
        self.context = context
        self.shown = 0
        self.doubtful = 0
        self.joined = 0
        self.counted = False
        self.voiced = 0


def instance_of(process: Process) -> Instance | None:
    """Return what a process has shown, if it has shown anything."""
    return process.habits if isinstance(process.habits, Instance) else None


class _Counts:
    """The baseline of one context: how many instances, and of each habit how many sure and doubtful ones."""

    __slots__ = ("doubtful", "instances", "shown")

    def __init__(self) -> None:
        self.instances = 0
        self.shown: dict[int, int] | None = None
        self.doubtful: dict[int, int] | None = None

    def of(self, habit: int) -> int:
        """Return how many instances have shown a habit."""
        shown = self.shown.get(habit, 0) if self.shown is not None else 0
        doubtful = self.doubtful.get(habit, 0) if self.doubtful is not None else 0
        return shown + doubtful if doubtful >= REPEATED else shown


_UNKNOWN: Final = _Counts()


class Habits:
    """The baselines of two generations of `capacity` contexts each, and at most `capacity` instances that settle.

    `evicted` counts the baselines that were forgotten and the instances that will teach only at their end.
    """

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._young: dict[str, _Counts] = {}
        self._old: dict[str, _Counts] = {}
        self._settling: deque[tuple[int, Process, Instance]] = deque()

    def judge(self, process: Process, habit: Habit, now: int, *, made_for_it: bool = False) -> float:
        """Note that a process has shown a habit, and return its weight in nats.

        It is 0 if this instance has shown it before, or if it is so common that it is not worth telling.
        """
        self._settle(now)
        instance = instance_of(process)
        if instance is None:
            process.habits = instance = Instance(context_of(process))
        bit = 1 << habit
        if instance.shown & bit:
            return 0.0
        instance.shown |= bit
        nats = self.weight(instance.context, habit, made_for_it=made_for_it)
        if nats >= DOUBTFUL:
            instance.doubtful |= bit
        if len(self._settling) >= self.capacity:
            self._settling.popleft()
            self.evicted += 1
        self._settling.append((now + SETTLED_NS, process, instance))
        return nats if nats >= SILENT else 0.0

    def weight(self, context: str, habit: Habit, *, made_for_it: bool = False) -> float:
        """Return the weight in nats, -2 to the cap, of a habit in a context."""
        counts = self._young.get(context) or self._old.get(context) or _UNKNOWN
        prior = PRIORS[habit]
        rate = prior.made_for_it if made_for_it else prior.programs
        if habit is Habit.FACING_CODE:
            compiled = max(counts.of(Habit.WRITABLE_CODE), counts.of(Habit.WRITTEN_CODE))
            rate = max(rate, FACING_SHARE * compiled / (counts.instances + PRIOR_WEIGHT))
        learned = (counts.of(habit) + PRIOR_WEIGHT * rate) / (counts.instances + PRIOR_WEIGHT)
        return max(LEAST, min(math.log(prior.attacks / learned), prior.cap))

    def counted(self, process: Process) -> None:
        """Count an instance that has ended and has shown nothing."""
        context = process.exe or process.comm
        if process.container:
            context = _CONTAINER + context
        counts = self._young.get(context)
        if counts is None:
            counts = self._counts(context)
        counts.instances += 1

    def ended(self, process: Process, *, crashed: bool) -> None:
        """Let a process that has ended teach its habits. One that crashed teaches only that."""
        instance = instance_of(process)
        if instance is not None:
            if quiet(process):
                self._join(instance, instance.shown & _CRASHES if crashed else instance.shown)
            instance.joined = _ALL

    def replaced(self, process: Process) -> None:
        """Let the image that a process had until now teach its habits."""
        instance = instance_of(process)
        if instance is not None:
            if quiet(process):
                self._join(instance, instance.shown)
            instance.joined = _ALL
            process.habits = None

    def _settle(self, now: int) -> None:
        """Let the instances teach that have lived on quietly."""
        settling = self._settling
        while settling and settling[0][0] <= now:
            _, process, instance = settling.popleft()
            if quiet(process):
                self._join(instance, instance.shown)

    def _join(self, instance: Instance, habits: int) -> None:
        new = habits & ~instance.joined
        if instance.joined == _ALL or (instance.counted and not new):
            return
        counts = self._counts(instance.context)
        if not instance.counted:
            counts.instances += 1
            instance.counted = True
        instance.joined |= new
        while new:
            bit = new & -new
            new ^= bit
            habit = bit.bit_length() - 1
            if instance.doubtful & bit:
                counts.doubtful = counts.doubtful if counts.doubtful is not None else {}
                counts.doubtful[habit] = counts.doubtful.get(habit, 0) + 1
            else:
                counts.shown = counts.shown if counts.shown is not None else {}
                counts.shown[habit] = counts.shown.get(habit, 0) + 1

    def _counts(self, context: str) -> _Counts:
        counts = self._young.get(context)
        if counts is None:
            counts = self._old.pop(context, None) or _Counts()
            if len(self._young) >= self.capacity:
                self.evicted += len(self._old)
                self._old, self._young = self._young, {}
            self._young[context] = counts
        return counts


def quiet(process: Process) -> bool:
    """Return whether nothing but its memory speaks against a process: whether it may teach a baseline."""
    return not process.traits & Trait.ACCUSED
