"""Staged learning: what looks suspicious joins a baseline only when its episode ended quietly.

A baseline that learned everything at once would be taught by the attack that it is there to see: a technique used once
in fifty instances is ordinary after three weeks. So a lesson takes one of three ways.

    at once      what is known already, and what is new but no surprise, of a lineage against which nothing speaks
    staged       what is a surprise, and whatever is new of a lineage with an open episode: it waits for its close
    dropped      what is new of a lineage whose last episode did not end quietly, for `BARRED_NS`

A quiet close merges what was staged. Any other drops it; but what comes again and again for `AGED_NS`, in at least one
of ten instances, without a word of any other group of evidence, is what the program now does, and is merged at last.
An attacker who keeps to the tenth of a program's instances and to one group of evidence for two weeks is missed; one
who does not stays what he was, however long he goes on.

The idea of holding back what is suspicious is that of the conditional merge of MIDAS-F (Bhatia and others, 2022).
"""

from collections.abc import Callable
from typing import ClassVar, Final

from pyloader.evidence.catalogue import CODE_THEN_CHILD
from pyloader.evidence.excuses import Excuses
from pyloader.evidence.item import Evidence
from pyloader.evidence.lesson import Learner, Lesson
from pyloader.evidence.rarity import CAP, HALF_LIFE_NS
from pyloader.host import Lineage

STAGED: Final = 16
"""So many lessons wait on a lineage; more are counted and lost."""

_DAY_NS: Final = 86_400 * 1_000_000_000
BARRED_NS: Final = _DAY_NS
AGED_NS: Final = 14 * _DAY_NS
AGED_DAYS: Final = 7
"""What is merged for its age was seen on so many days."""

PREVALENT: Final = 0.1
"""What was suspicious becomes ordinary when such a share of the instances has shown it."""

NOVELTY_HALF_LIFE_NS: Final = 600 * 1_000_000_000
"""As that of the ledger, so that all that is merely new never weighs more than `CAP` together."""

LEAST_TOLD: Final = 0.5
"""A weight, in nats, below which nothing is told."""


class Staged:
    """What waits on the lineage that is called `label` (`Lineage.staged`), with how often it was seen.

    `open` is whether there is an episode, `groups` are the groups of all its evidence, as bits. A lineage that leaves
    this one shares it until it has evidence of its own. `novelty` is what was told for being new at `novelty_at` (ns),
    in nats.
    """

    __slots__ = ("barred_until", "groups", "label", "lessons", "novelty", "novelty_at", "open")

    def __init__(self, label: str) -> None:
        self.label = label
        self.open = False
        self.barred_until = 0
        self.groups = 0
        self.lessons: dict[Lesson, int] = {}
        self.novelty = 0.0
        self.novelty_at = 0


class Trial:
    """How often something came that is not to be learned: since when, when last (ns, wall clock), on how many days.

    `times` fades as what is learned does, so that it can be compared. `passed` is whether it is learned by now.
    """

    __slots__ = ("days", "last", "passed", "since", "times")

    def __init__(self, since: int) -> None:
        self.passed = False
        self.since = since
        self.last = 0
        self.days = 0
        self.times = 0.0


class Trials:
    """What may be merged for its age; the one that was still for longest leaves first (`evicted`)."""

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._trials: dict[Lesson, Trial] = {}

    def came(self, lesson: Lesson, times: int, wall: int) -> Trial:
        """Count what came again, and return how that stands."""
        trial = self._trials.pop(lesson, None)
        if trial is None:
            trial = Trial(wall)
            if len(self._trials) >= self.capacity:
                del self._trials[next(iter(self._trials))]
                self.evicted += 1
        self._trials[lesson] = trial
        trial.times = times + trial.times * 0.5 ** (max(0, wall - trial.last) / HALF_LIFE_NS)
        trial.days += wall // _DAY_NS != trial.last // _DAY_NS
        trial.last = wall
        return trial

    def failed(self, lesson: Lesson) -> None:
        """Let the trial of what came with other evidence begin anew."""
        self._trials.pop(lesson, None)


class Staging:
    """Decides when a baseline learns. Times are those of the records; `realtime_offset` takes them to the wall clock.

    `frozen_until` ends the time of which no baseline learns. `overflown` counts the lessons that found no room.
    """

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"offset"})

    def __init__(self, realtime_offset: int = 0) -> None:
        self.offset = realtime_offset
        self.frozen_until = 0
        self.overflown = 0
        self.excuses = Excuses()
        self.trials = Trials()
        self.share: Callable[[Lesson, float, int], object] = _nobody
        """Is told what was merged, how often to count it, and when (ns, wall clock)."""
        self._learners: dict[str, Learner] = {}

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones, and lessons that found no room."""
        return {"lessons": self.overflown, "excuses": self.excuses.evicted, "trials": self.trials.evicted}

    def register(self, table: str, learner: Learner) -> None:
        """Name the table that learns the lessons with this name."""
        self._learners[table] = learner

    def admits(self, lineage: Lineage, now: int, *, known: bool) -> bool:
        """Return whether to learn at once what is no surprise; `known` is whether it was learned before."""
        if now < self.frozen_until:
            return False
        return known or lineage.staged is None or not self._speaks(lineage, now)

    def stage(self, lineage: Lineage, lesson: Lesson, now: int, *, suspicious: bool) -> bool:
        """Keep a lesson until the episode of its lineage closes; return whether it is to be told.

        That is so if it is suspicious and the first of its kind in the episode; for that it is kept also while nothing
        is learned.
        """
        staged = self._own(lineage)
        frozen = now < self.frozen_until
        if not suspicious and (frozen or now < staged.barred_until):
            return False
        times = staged.lessons.get(lesson)
        if times is None and len(staged.lessons) >= STAGED:
            self.overflown += 1
            return suspicious
        staged.lessons[lesson] = (times or 0) + (not frozen)
        return suspicious and times is None

    def withdraw(self, lineage: Lineage, lesson: Lesson) -> None:
        """Take back one of the lessons that are staged."""
        staged = lineage.staged
        if isinstance(staged, Staged) and staged.lessons.get(lesson):
            staged.lessons[lesson] -= 1

    def spoken(self, lineage: Lineage, item: Evidence) -> None:
        """Note that there is evidence about a member of a lineage."""
        staged = self._own(lineage)
        staged.open = True
        if item.code != CODE_THEN_CHILD.code:
            staged.groups |= 1 << item.group

    def closed(self, lineage: Lineage, now: int, *, quiet: bool) -> None:
        """Merge or drop what a lineage has staged, now that its episode has closed."""
        staged = lineage.staged
        if not isinstance(staged, Staged) or staged.label != lineage.label:
            return
        wall = now + self.offset
        trusted = quiet and now >= staged.barred_until
        for lesson, times in staged.lessons.items():
            learner = self._learners[lesson[0]]
            known = times if trusted else self._aged(learner, lesson, times, staged.groups, wall)
            if known:
                learner.learn(lesson[1], lesson[2], known, wall)
                self.share(lesson, known, wall)
        staged.open = False
        staged.groups = 0
        staged.lessons = {}
        if not quiet:
            staged.barred_until = max(staged.barred_until, now + BARRED_NS)

    def merge(self, lesson: Lesson, times: float, wall: int) -> None:
        """Learn what was merged elsewhere on this host."""
        learner = self._learners.get(lesson[0])
        if learner is not None:
            learner.learn(lesson[1], lesson[2], times, wall)

    def teach(self, context: Lesson, instances: float, now: int) -> None:
        """Excuse what a table holds for rare, or take that back; what no table knows has no baseline."""
        if context and context[0] in self._learners:
            self.excuses.add(context, instances, now + self.offset)

    def afford(self, lineage: Lineage, nats: float, now: int) -> float:
        """Return how much of the weight of something new may be told, so that all of it weighs `CAP` at most.

        It is 0 if little is left: then the lineage has just been told of.
        """
        staged = self._own(lineage)
        age = max(0, now - staged.novelty_at)
        spent: float = staged.novelty * 0.5 ** (age / NOVELTY_HALF_LIFE_NS)
        told = min(nats, CAP - spent)
        if told < LEAST_TOLD:
            return 0.0
        staged.novelty = spent + told
        staged.novelty_at = max(now, staged.novelty_at)
        return told

    def _speaks(self, lineage: Lineage, now: int) -> bool:
        staged = lineage.staged
        if not isinstance(staged, Staged):
            return False
        if staged.open or now < staged.barred_until:
            return True
        if now - staged.novelty_at > _DAY_NS:
            lineage.staged = None
        return False

    def _own(self, lineage: Lineage) -> Staged:
        """Return what waits on a lineage; one that left another has its own from now on."""
        staged = lineage.staged
        if isinstance(staged, Staged) and staged.label == lineage.label:
            return staged
        own = Staged(lineage.label)
        if isinstance(staged, Staged):
            own.barred_until = staged.barred_until
            own.novelty, own.novelty_at = staged.novelty, staged.novelty_at
        lineage.staged = own
        return own

    def _aged(self, learner: Learner, lesson: Lesson, times: int, groups: int, wall: int) -> float:
        """Return how often to count what is dropped: not at all, unless it is what its program does now."""
        if times == 0:
            return 0.0
        if groups & ~(1 << learner.group):
            self.trials.failed(lesson)
            return 0.0
        trial = self.trials.came(lesson, times, wall)
        if trial.passed:
            return times
        prevalent = trial.times >= PREVALENT * (learner.instances(lesson[1], wall) + trial.times)
        trial.passed = prevalent and trial.days >= AGED_DAYS and wall - trial.since >= AGED_NS
        return trial.times if trial.passed else 0.0


def _nobody(_lesson: Lesson, _times: float, _wall: int) -> None:
    """Share nothing: this is the only stage of its host."""
