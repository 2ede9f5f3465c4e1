"""What instances of programs are used to do."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.habits import LEAST, SILENT, Habits
from pyloader.evidence.priors import PRIORS, Habit
from pyloader.evidence.rarity import HALF_LIFE_NS
from pyloader.evidence.staging import Staging
from pyloader.host import Process
from tests.unit import examples

SURE = Habit.WRITTEN_CODE
"""A habit that alone raises no alert."""

TOOL = "/opt/tool"


def _process(number: int, exe: str = TOOL, container: str = "") -> Process:
    process = examples.process(pid=number, start=number)
    process.exe, process.container = exe, container
    return process


class Learner:
    """Habits, and the staging that they learn by."""

    def __init__(self, capacity: int = 100) -> None:
        self.staging = Staging()
        self.habits = Habits(self.staging, capacity)

    def live(self, habit: Habit, number: int = 1, exe: str = TOOL, *, quiet: bool = True) -> float:
        """Let one instance show a habit, end, and its episode close; return the weight that it had."""
        process = _process(number, exe)
        nats = self.habits.judge(process, habit, number)
        self.habits.ended(process, number, crashed=False)
        self.staging.closed(process.lineage, number, quiet=quiet)
        return nats

    def count(self, instances: int, exe: str = TOOL) -> None:
        """Let so many instances end that have shown nothing."""
        for number in range(instances):
            self.habits.counted(_process(number, exe), 1)

    def weight(self, habit: Habit = SURE, context: str = TOOL, now: int = 1) -> float:
        """Return what a habit weighs."""
        return self.habits.weight(context, habit, now)


@pytest.fixture
def learner() -> Learner:
    """Habits of which nothing is known."""
    return Learner()


def test_every_habit_has_a_prior() -> None:
    """Every habit is rarer in unknown programs than in attacks and in those that are made for it, and is capped."""
    assert set(PRIORS) == set(Habit)
    for prior in PRIORS.values():
        assert 0 < prior.programs <= prior.made_for_it < 1
        assert prior.programs < prior.attacks < 1
        assert 0 < prior.cap <= 8


def test_first_sight_weighs_as_the_prior_says(learner: Learner) -> None:
    """The weight of a habit that nobody has shown is the odds of the starting values, or the cap."""
    assert learner.weight() == pytest.approx(math.log(0.30 / 2e-2))
    assert learner.weight(Habit.TEXT_RELOCATION) == 4.0


def test_instance_shows_a_habit_once(learner: Learner) -> None:
    """However often an instance does a thing, it counts and is told once."""
    process = _process(1)
    assert learner.habits.judge(process, SURE, 1) > 0
    assert [learner.habits.judge(process, SURE, now) for now in range(2, 50)] == [0.0] * 48
    learner.habits.ended(process, 50, crashed=False)
    learner.staging.closed(process.lineage, 50, quiet=True)
    other = Learner()
    other.live(SURE)

    assert learner.weight() == other.weight()


def test_habits_of_others_fall_silent(learner: Learner) -> None:
    """What other instances of the program have done is not worth telling, and in another program it still is."""
    first = learner.live(SURE)

    assert first > 2
    assert learner.live(SURE, 2) == 0.0
    assert learner.live(SURE, 3, exe="/usr/sbin/nginx") == first


def test_own_habit_is_judged_by_others_only(learner: Learner) -> None:
    """Instances that live at the same time do not excuse each other before their episodes have closed."""
    processes = [_process(number) for number in range(1, 20)]
    weights = {learner.habits.judge(process, SURE, 1) for process in processes}
    assert len(weights) == 1
    assert weights.pop() > 2

    for process in processes:
        learner.staging.closed(process.lineage, 2, quiet=True)
    assert learner.weight() < SILENT


def test_what_is_ordinary_is_learned_at_once(learner: Learner) -> None:
    """A habit without a weight needs no episode to close: the next run time that compiles is still silent."""
    for number in range(100):
        process = _process(number, "/usr/bin/node")
        assert learner.habits.judge(process, Habit.WRITABLE_CODE, 1, made_for_it=True) == 0.0
        learner.habits.ended(process, 2, crashed=False)

    assert learner.weight(Habit.WRITABLE_CODE, "/usr/bin/node") < -1


def test_quiet_instances_raise_the_weight(learner: Learner) -> None:
    """The more instances have never done it, the more it weighs, up to the cap."""
    before = learner.weight()
    learner.count(5_000)

    assert before < learner.weight() == PRIORS[SURE].cap


def test_what_is_rare_in_a_program_stays_rare(learner: Learner) -> None:
    """What was suspicious becomes ordinary when a tenth of the instances has shown it, however quiet they were."""
    learner.count(1_000)
    for number in range(110):
        assert learner.live(SURE, number) == PRIORS[SURE].cap
    learner.live(SURE, 110)
    learner.live(SURE, 111)

    assert learner.weight() < 1.5


@pytest.mark.parametrize("habit", [Habit.FACING_CODE, Habit.STACK_CODE, SURE])
def test_loud_instances_teach_nothing(learner: Learner, habit: Habit) -> None:
    """What an instance has shown whose episode did not close quietly joins no baseline, nor does what it shows next."""
    weights = {learner.live(habit, number, quiet=False) for number in range(1, 20)}
    process = _process(99)
    learner.habits.judge(process, habit, 99)
    learner.staging.closed(process.lineage, 99, quiet=False)
    learner.habits.replaced(process, 100)
    learner.habits.judge(process, habit, 101)
    learner.staging.closed(process.lineage, 102, quiet=True)

    assert min(weights) > 2
    assert learner.weight(habit) >= Learner().weight(habit)


def test_crashed_instance_teaches_its_crash_only(learner: Learner) -> None:
    """An attack that fails crashes: that the process crashed joins the baseline, and what it did before does not."""
    process = _process(1)
    learner.habits.judge(process, SURE, 1)
    learner.habits.judge(process, Habit.CRASH, 2)
    learner.habits.ended(process, 3, crashed=True)
    learner.staging.closed(process.lineage, 4, quiet=True)

    assert learner.weight() > 2
    assert learner.weight(Habit.CRASH) < SILENT


def test_new_image_is_a_new_instance(learner: Learner) -> None:
    """A process that executes another image is a new instance, and what it did before belongs to the old one."""
    process = _process(1)
    learner.habits.judge(process, SURE, 1)
    process.exe = "/opt/next"
    learner.habits.replaced(process, 2)
    assert learner.habits.judge(process, SURE, 2) > 2
    learner.staging.closed(process.lineage, 3, quiet=True)

    assert learner.weight() < SILENT


def test_instance_counts_once(learner: Learner) -> None:
    """An instance that is told to have ended twice is one instance."""
    process = _process(1)
    learner.habits.judge(process, SURE, 1)
    for now in (2, 3):
        learner.habits.ended(process, now, crashed=False)

    assert learner.habits.instances(TOOL, 4) == 1


def test_containers_have_their_own_baseline(learner: Learner) -> None:
    """The same path in a container is another program, and in any container the same."""
    for number in range(1, 4):
        process = _process(number, container=f"c{number}")
        learner.habits.judge(process, SURE, number)
        learner.staging.closed(process.lineage, number, quiet=True)

    assert learner.habits.judge(_process(9), SURE, 9) > 2
    assert learner.habits.judge(_process(10, container="c9"), SURE, 10) == 0.0


def test_program_that_compiles_may_start_late(learner: Learner) -> None:
    """In a program whose instances make code anyway, first code in front of the network is less of a wonder."""
    for number in range(10):
        learner.live(Habit.WRITABLE_CODE, number)

    assert learner.weight(Habit.FACING_CODE) < 3 < learner.weight(Habit.FACING_CODE, "/other")


def test_baselines_fade() -> None:
    """What a program did long ago does not excuse it, and what it never did counts less."""
    learner = Learner()
    learner.count(1_000)
    now = 20 * HALF_LIFE_NS

    assert learner.weight() == PRIORS[SURE].cap
    assert learner.weight(now=now) == pytest.approx(Learner().weight(), abs=0.01)


def test_nothing_is_learned_while_frozen(learner: Learner) -> None:
    """While baselines are frozen nothing is counted, neither instances nor what they show; they are judged."""
    learner.staging.frozen_until = 1_000
    assert learner.live(SURE, 1) > 2
    learner.count(100)
    assert learner.habits.instances(TOOL, 1) == 0
    assert learner.weight() == Learner().weight()

    learner.live(SURE, 1_000)
    assert learner.weight() < SILENT


def test_baselines_are_bounded_and_counted() -> None:
    """The oldest generation of baselines goes when both are full; what is used again stays."""
    learner = Learner(capacity=4)
    for number in range(1, 40):
        learner.live(SURE, number, exe=f"/opt/{number}")
        learner.live(SURE, 1_000 + number)

    assert learner.habits.evicted > 0
    assert learner.weight() < SILENT
    assert learner.weight(context="/opt/1") > 2


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from(Habit),
            st.integers(0, 1 << 62),
            st.sampled_from(["judge", "end", "crash", "replace", "close", "drop", "count", "freeze", "teach"]),
        ),
        max_size=60,
    )
)
def test_weights_stay_within_their_bounds(steps: list[tuple[int, Habit, int, str]]) -> None:
    """Whatever happens in whatever order, no weight leaves the range from -2 to its cap."""
    learner = Learner(capacity=3)
    habits, staging = learner.habits, learner.staging
    processes = [_process(number, f"/opt/{number % 3}") for number in range(6)]
    for number, habit, now, what in steps:
        process = processes[number]
        match what:
            case "judge":
                nats = habits.judge(process, habit, now, made_for_it=bool(now & 1))
                assert nats == 0.0 or SILENT <= nats <= PRIORS[habit].cap
            case "end" | "crash":
                habits.ended(process, now, crashed=what == "crash")
            case "replace":
                habits.replaced(process, now)
            case "close" | "drop":
                staging.closed(process.lineage, now, quiet=what == "close")
            case "freeze":
                staging.frozen_until = now
            case "teach":
                staging.teach(("habit", process.exe, habit.name), float(now % 41 - 20), now)
            case _:
                habits.counted(process, now)
        for context in ("/opt/0", "/opt/1", "/opt/2"):
            assert LEAST <= habits.weight(context, habit, now) <= PRIORS[habit].cap


def test_what_a_program_is_made_for_stays_ordinary(learner: Learner) -> None:
    """A program that is made to compile is not held to account for it, though a thousand of its instances never did."""
    learner.count(1_000)

    made = learner.habits.weight(TOOL, Habit.WRITABLE_CODE, 1, made_for_it=True)
    other = learner.habits.weight(TOOL, Habit.WRITABLE_CODE, 1)

    assert made < 2.0 < other
