"""What instances of programs are used to do."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.habits import LEAST, REPEATED, SETTLED_NS, SILENT, Habits, quiet
from pyloader.evidence.priors import PRIORS, Habit
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from tests.unit import examples

SURE = Habit.WRITTEN_CODE
"""A habit that alone raises no alert."""

DOUBTFUL = Habit.FACING_CODE
"""One that does."""


def _process(number: int, exe: str = "/opt/tool", container: str = "") -> Process:
    process = examples.process(pid=number, start=number)
    process.exe, process.container = exe, container
    return process


def _live(habits: Habits, habit: Habit, number: int = 1, exe: str = "/opt/tool") -> float:
    """Let one instance show a habit and end quietly; return the weight that it had."""
    process = _process(number, exe)
    nats = habits.judge(process, habit, number)
    habits.ended(process, crashed=False)
    return nats


def test_every_habit_has_a_prior() -> None:
    """Every habit is rarer in unknown programs than in attacks and in those that are made for it, and is capped."""
    assert set(PRIORS) == set(Habit)
    for prior in PRIORS.values():
        assert 0 < prior.programs <= prior.made_for_it < 1
        assert prior.programs < prior.attacks < 1
        assert 0 < prior.cap <= 8


def test_first_sight_weighs_as_the_prior_says() -> None:
    """The weight of a habit that nobody has shown is the odds of the starting values, or the cap."""
    habits = Habits()

    assert habits.weight("x", Habit.WRITTEN_CODE) == pytest.approx(math.log(0.30 / 2e-2))
    assert habits.weight("x", Habit.TEXT_RELOCATION) == 4.0


def test_instance_shows_a_habit_once() -> None:
    """However often an instance does a thing, it counts and is told once."""
    habits, process = Habits(), _process(1)

    assert habits.judge(process, SURE, 1) > 0
    assert [habits.judge(process, SURE, now) for now in range(2, 50)] == [0.0] * 48
    habits.ended(process, crashed=False)
    once = habits.weight("/opt/tool", SURE)
    other = Habits()
    _live(other, SURE)
    assert once == other.weight("/opt/tool", SURE)


def test_habits_of_others_fall_silent() -> None:
    """What other instances of the program have done is not worth telling, and in another program it still is."""
    habits = Habits()
    first = _live(habits, SURE)

    assert first > 2
    assert _live(habits, SURE, 2) == 0.0
    assert _live(habits, SURE, 3, exe="/usr/sbin/nginx") == first


def test_own_habit_is_judged_by_others_only() -> None:
    """Instances that live at the same time do not excuse each other before they have settled."""
    habits = Habits()
    weights = {habits.judge(_process(number), SURE, number) for number in range(1, 20)}

    assert len(weights) == 1
    assert weights.pop() > 2


def test_living_on_quietly_teaches() -> None:
    """An instance that has lived on quietly joins the baseline, and not before its time."""
    habits = Habits()
    habits.judge(_process(1), SURE, 1)

    assert habits.judge(_process(2), SURE, SETTLED_NS) > 2
    assert habits.judge(_process(3), SURE, SETTLED_NS + 1) == 0.0


def test_settled_instance_counts_once() -> None:
    """An instance that has settled and ends later is one instance."""
    settled, ended = Habits(), Habits()
    process = _process(1)
    settled.judge(process, SURE, 1)
    settled.judge(_process(2, "/other"), SURE, SETTLED_NS + 1)
    settled.ended(process, crashed=False)
    _live(ended, SURE)

    assert settled.weight("/opt/tool", SURE) == ended.weight("/opt/tool", SURE)


def test_quiet_instances_raise_the_weight() -> None:
    """The more instances have never done it, the more it weighs, up to the cap."""
    habits = Habits()
    before = habits.weight("/opt/tool", SURE)
    for number in range(5_000):
        habits.counted(_process(number))

    assert before < habits.weight("/opt/tool", SURE) == PRIORS[SURE].cap


def test_what_is_rare_in_a_program_stays_rare() -> None:
    """One of a thousand instances does not excuse the next."""
    habits = Habits()
    for number in range(1_000):
        habits.counted(_process(number))
    _live(habits, SURE)

    assert habits.weight("/opt/tool", SURE) > 3


def test_one_attack_teaches_nothing() -> None:
    """What alone raises an alert is learned only when several instances have done it quietly."""
    habits = Habits()
    weights = [_live(habits, DOUBTFUL, number) for number in range(1, REPEATED + 2)]

    assert weights[:REPEATED] == [PRIORS[DOUBTFUL].cap] * REPEATED
    assert weights[REPEATED] == 0.0


def test_accused_instance_teaches_nothing() -> None:
    """A process against which more than its memory speaks joins no baseline, at its end or before."""
    habits = Habits()
    for number in range(1, 20):
        process = _process(number)
        habits.judge(process, SURE, number)
        process.traits |= Trait.ACCUSED
        assert not quiet(process)
        if number % 2:
            habits.ended(process, crashed=False)
    habits.judge(_process(99, "/other"), SURE, 2 * SETTLED_NS)

    assert habits.weight("/opt/tool", SURE) == Habits().weight("/opt/tool", SURE)


def test_crashed_instance_teaches_its_crash_only() -> None:
    """An attack that fails crashes: that the process crashed joins the baseline, and what it did before does not."""
    habits, process = Habits(), _process(1)
    habits.judge(process, SURE, 1)
    habits.judge(process, Habit.CRASH, 2)
    habits.ended(process, crashed=True)
    habits.judge(_process(2, "/other"), SURE, 2 * SETTLED_NS)

    assert habits.weight("/opt/tool", SURE) > 2
    assert habits.weight("/opt/tool", Habit.CRASH) < SILENT


def test_new_image_is_a_new_instance() -> None:
    """A process that executes another image is a new instance, and what it did before belongs to the old one."""
    habits, process = Habits(), _process(1)
    habits.judge(process, SURE, 1)
    process.exe = "/opt/next"
    habits.replaced(process)

    assert habits.judge(process, SURE, 2) > 2
    assert habits.weight("/opt/tool", SURE) < SILENT


def test_containers_have_their_own_baseline() -> None:
    """The same path in a container is another program, and in any container the same."""
    habits = Habits()
    for number in range(1, 4):
        process = _process(number, container=f"c{number}")
        habits.judge(process, SURE, number)
        habits.ended(process, crashed=False)

    assert habits.judge(_process(9), SURE, 9) > 2
    assert habits.judge(_process(10, container="c9"), SURE, 10) == 0.0


def test_program_that_compiles_may_start_late() -> None:
    """In a program whose instances make code anyway, first code in front of the network is less of a wonder."""
    habits = Habits()
    for number in range(10):
        _live(habits, Habit.WRITABLE_CODE, number)

    assert habits.weight("/opt/tool", DOUBTFUL) < 3 < habits.weight("/other", DOUBTFUL)


def test_baselines_are_bounded_and_counted() -> None:
    """The oldest generation of baselines goes when both are full; what is used again stays."""
    habits = Habits(capacity=4)
    for number in range(1, 40):
        _live(habits, SURE, number, exe=f"/opt/{number}")
        _live(habits, SURE, 1_000 + number, exe="/opt/tool")

    assert habits.evicted > 0
    assert habits.weight("/opt/tool", SURE) < SILENT
    assert habits.weight("/opt/1", SURE) > 2


def test_settling_instances_are_bounded() -> None:
    """Of more instances than there is room for the first are given up, and counted; they teach at their end."""
    habits = Habits(capacity=4)
    processes = [_process(number) for number in range(1, 11)]
    for process in processes:
        habits.judge(process, SURE, 1)

    assert habits.evicted == 6
    habits.ended(processes[0], crashed=False)
    assert habits.weight("/opt/tool", SURE) < SILENT


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from(Habit),
            st.integers(0, 1 << 64),
            st.sampled_from(["judge", "end", "crash", "replace", "accuse", "count"]),
        ),
        max_size=60,
    )
)
def test_weights_stay_within_their_bounds(steps: list[tuple[int, Habit, int, str]]) -> None:
    """Whatever happens in whatever order, no weight leaves the range from -2 to its cap."""
    habits = Habits(capacity=3)
    processes = [_process(number, f"/opt/{number % 3}") for number in range(6)]
    for number, habit, now, what in steps:
        process = processes[number]
        match what:
            case "judge":
                nats = habits.judge(process, habit, now, made_for_it=bool(now & 1))
                assert nats == 0.0 or SILENT <= nats <= PRIORS[habit].cap
            case "end" | "crash":
                habits.ended(process, crashed=what == "crash")
            case "replace":
                habits.replaced(process)
            case "accuse":
                process.traits |= Trait.ACCUSED
            case _:
                habits.counted(process)
        for context in ("/opt/0", "/opt/1", "/opt/2"):
            assert LEAST <= habits.weight(context, habit) <= PRIORS[habit].cap
