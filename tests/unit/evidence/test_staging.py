"""What a baseline learns at once, what it learns later, and what it never learns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence import Group
from pyloader.evidence.habits import Counts, Habits
from pyloader.evidence.item import Evidence
from pyloader.evidence.lesson import Lesson
from pyloader.evidence.novelty import Contexts, Table
from pyloader.evidence.priors import PRIORS, Habit
from pyloader.evidence.rarity import CAP, Experiences
from pyloader.evidence.staging import AGED_NS, BARRED_NS, STAGED, Staged, Staging
from pyloader.host import Lineage
from pyloader.scorer import score
from tests.unit import examples

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
HIGH = 62
NGINX = "/usr/sbin/nginx"


class Immediate(Staging):
    """What the staging is there to prevent: everything is learned as it is seen."""

    def stage(self, lineage: Lineage, lesson: Lesson, now: int, *, suspicious: bool) -> bool:  # noqa: ARG002 -- not staged.
        """Learn a lesson at once."""
        self._learners[lesson[0]].learn(lesson[1], lesson[2], 1.0, now + self.offset)
        return suspicious


class Believing(Habits):
    """Habits that believe whatever they are taught."""

    def learn(self, context: str, symbol: str, times: float, wall: int) -> None:
        """Count a habit as if it had never been suspicious."""
        counts: Counts = self.rates.at(context, wall)
        counts.shown = counts.shown if counts.shown is not None else {}
        counts.shown[Habit[symbol]] = counts.shown.get(Habit[symbol], 0.0) + times


def _table(staging: Staging, group: Group = Group.PROCESS) -> "Table[str]":
    contexts: Contexts = Experiences()
    return Table("child", group, staging, contexts, encode=str, decode=str)


def _take(table: "Table[str]", lineage: Lineage, child: str, now: int, *, suspicious: bool) -> bool:
    return table.take(table.of(NGINX, now), lineage, NGINX, child, now=now, suspicious=suspicious)


def _weigh(table: "Table[str]", child: str, now: int) -> float:
    return table.weigh(table.of(NGINX, now), NGINX, child, now)


def _spoken(staging: Staging, lineage: Lineage, group: Group = Group.PROCESS) -> None:
    item: Evidence = examples.evidence(group=group)
    staging.spoken(lineage, item)


# What an attacker teaches --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("habit", [Habit.WRITTEN_CODE, Habit.STACK_CODE, Habit.FACING_CODE, Habit.TAMPER])
@pytest.mark.parametrize("immediate", [False, True])
def test_drip_of_a_technique(habit: Habit, *, immediate: bool) -> None:
    """A technique in one of 50 instances for 25 days weighs what it did, but not if it is learned as it is seen.

    The attacker is as careful as can be: nothing else speaks against him, and nothing that stays below a high score
    is held against him at the close of his episodes.
    """
    staging = Immediate() if immediate else Staging()
    habits = (Believing if immediate else Habits)(staging)
    bystander = examples.process()
    bystander.exe = NGINX
    for _ in range(5_000):
        habits.counted(bystander, 1)
    assert habits.weight(NGINX, habit, 1) == PRIORS[habit].cap

    weights = []
    for number in range(25 * 200):
        now = number * DAY // 200
        if number % 50:
            habits.counted(bystander, now)
            continue
        process = examples.process(pid=number + 1)
        process.exe = NGINX
        nats = habits.judge(process, habit, now)
        weights.append(nats)
        if nats:
            _spoken(staging, process.lineage, Group.MEMORY)
        habits.ended(process, now, crashed=False)
        staging.closed(process.lineage, now + 600 * SECOND, quiet=score(nats) < HIGH)

    if immediate:
        assert weights[-1] < min(3.5, PRIORS[habit].cap - 0.5)
    else:
        assert min(weights) == PRIORS[habit].cap


@pytest.mark.parametrize("immediate", [False, True])
def test_drip_of_a_child(*, immediate: bool) -> None:
    """A shell as one of 50 children of a server for 25 days stays new, but not if it is learned as it is seen.

    That a server starts a shell is 8.5 nats by itself, so these episodes do not close quietly.
    """
    staging = Immediate() if immediate else Staging()
    table = _table(staging)
    server = Lineage("server")
    for _ in range(5_000):
        _take(table, server, "gzip", 1, suspicious=False)
    before = _weigh(table, "sh", 1)

    for number in range(25 * 50):
        now = number * DAY // 50
        if number % 50:
            _take(table, server, "gzip", now, suspicious=False)
            continue
        _spoken(staging, server)
        _take(table, server, "sh", now, suspicious=True)
        staging.closed(server, now + 600 * SECOND, quiet=False)

    after = _weigh(table, "sh", 25 * DAY)
    assert before > 3.5
    if immediate:
        assert after == 0.0
    else:
        assert after > 3.0


# What a host teaches -------------------------------------------------------------------------------------------------
def test_quiet_close_merges_what_was_staged() -> None:
    """What was new is known, with how often it came, after an episode that closed quietly."""
    staging = Staging()
    table, lineage = _table(staging), Lineage("a")
    assert _take(table, lineage, "sh", 1, suspicious=True)
    assert not _take(table, lineage, "sh", 2, suspicious=True)
    assert "sh" not in table.of(NGINX, 3)

    staging.closed(lineage, 4, quiet=True)
    assert table.of(NGINX, 4).of("sh") == 2


def test_other_close_drops_and_bars() -> None:
    """After an episode that did not close quietly its lineage teaches nothing new for a day, and then it does again."""
    staging = Staging()
    table, lineage = _table(staging), Lineage("a")
    _take(table, lineage, "sh", 1, suspicious=True)
    staging.closed(lineage, 2, quiet=False)
    _take(table, lineage, "ash", 3, suspicious=False)
    _take(table, lineage, "dash", 3, suspicious=True)
    staging.closed(lineage, 4, quiet=True)
    assert table.instances(NGINX, 5) == 0

    _take(table, lineage, "bash", 2 + BARRED_NS, suspicious=False)
    assert table.instances(NGINX, 3 + BARRED_NS) == 1


def test_lineage_without_evidence_learns_at_once() -> None:
    """What is no surprise is learned at once, and in an open episode only what is known already is."""
    staging = Staging()
    table, lineage = _table(staging), Lineage("a")
    _take(table, lineage, "gzip", 1, suspicious=False)
    assert "gzip" in table.of(NGINX, 1)

    _spoken(staging, lineage)
    _take(table, lineage, "gzip", 2, suspicious=False)
    _take(table, lineage, "cat", 2, suspicious=False)
    assert table.of(NGINX, 2).of("gzip") == 2
    assert "cat" not in table.of(NGINX, 2)

    staging.closed(lineage, 3, quiet=True)
    assert "cat" in table.of(NGINX, 3)


@pytest.mark.parametrize(("share", "learned"), [(1, True), (5, True), (50, False)])
def test_new_habit_of_a_program_merges_at_last(share: int, learned: bool) -> None:  # noqa: FBT001 -- a table of facts.
    """What alone raises an alert is learned after two weeks if many instances do it, and never if one in 50 does."""
    staging = Staging()
    habits = Habits(staging)
    weights = []
    for number in range(20 * 50):
        now = number * DAY // 50
        process = examples.process(pid=number + 1)
        process.exe = NGINX
        if number % share == 0:
            weights.append((now, habits.judge(process, Habit.FACING_CODE, now)))
            _spoken(staging, process.lineage, Group.MEMORY)
            habits.ended(process, now, crashed=False)
            staging.closed(process.lineage, now, quiet=False)
        else:
            habits.counted(process, now)

    assert min(nats for now, nats in weights if now < AGED_NS) == PRIORS[Habit.FACING_CODE].cap
    assert (habits.weight(NGINX, Habit.FACING_CODE, 20 * DAY) < 2) == learned


def test_other_evidence_begins_the_two_weeks_anew() -> None:
    """What comes for twenty days, and on each of them with evidence of another group, is never learned."""
    staging = Staging()
    table, lineage = _table(staging), Lineage("a")
    for day in range(1, 20):
        _take(table, lineage, "sh", day * DAY, suspicious=True)
        _spoken(staging, lineage)
        _spoken(staging, lineage, Group.OUTBOUND)
        staging.closed(lineage, day * DAY + 1, quiet=False)
    assert "sh" not in table.of(NGINX, 20 * DAY)

    for day in range(20, 40):
        _take(table, lineage, "sh", day * DAY, suspicious=True)
        _spoken(staging, lineage)
        staging.closed(lineage, day * DAY + 1, quiet=False)
    assert "sh" in table.of(NGINX, 40 * DAY)


def test_frozen_baselines_learn_nothing() -> None:
    """From before the end of a freeze nothing is learned, at once or later; it is judged, and told once an episode."""
    staging = Staging()
    table, lineage = _table(staging), Lineage("a")
    staging.frozen_until = 10
    _take(table, lineage, "gzip", 9, suspicious=False)
    assert _take(table, lineage, "sh", 9, suspicious=True)
    assert not _take(table, lineage, "sh", 9, suspicious=True)
    staging.closed(lineage, 20, quiet=True)
    assert table.instances(NGINX, 20) == 0

    _take(table, lineage, "gzip", 10, suspicious=False)
    assert table.instances(NGINX, 20) == 1


def test_room_on_a_lineage_is_bounded_and_counted() -> None:
    """Of more lessons than there is room for the last are lost and counted, and told as new each time."""
    staging = Staging()
    table, lineage = _table(staging), Lineage("a")
    for number in range(100):
        assert _take(table, lineage, f"child {number}", 1, suspicious=True)
    staging.closed(lineage, 2, quiet=True)

    assert staging.evicted["lessons"] == 100 - STAGED
    assert len(table.of(NGINX, 2)) == STAGED


def test_new_lineage_is_suspected_with_the_one_that_it_left() -> None:
    """Who leaves a session with an open episode teaches nothing new before that has closed quietly."""
    staging = Staging()
    table, old = _table(staging), Lineage("a", 1, 1)
    _spoken(staging, old)
    new = old.left_for("b", 2, 2)
    _take(table, new, "gzip", 1, suspicious=False)
    assert table.instances(NGINX, 1) == 0

    staging.closed(old, 2, quiet=True)
    other = old.left_for("c", 3, 3)
    _take(table, other, "gzip", 3, suspicious=False)
    assert table.instances(NGINX, 3) == 1


def test_novelty_alone_is_never_more_than_its_cap() -> None:
    """However much is new about a lineage, within ten minutes and after, all of it weighs the cap at most."""
    staging, lineage = Staging(), Lineage("a")
    left = 0.0
    for minute in range(200):
        left = left * 0.5 ** (1 / 10) + staging.afford(lineage, CAP, minute * 60 * SECOND)
        assert left <= CAP + 1e-9
        if minute % 11 == 10:
            staging.closed(lineage, minute * 60 * SECOND, quiet=minute % 2 == 0)
    assert left > CAP / 2


def test_excuses_last_ninety_days() -> None:
    """What an analyst called benign counts for ninety days, and nothing is excused of which there is no baseline."""
    staging = Staging()
    table = _table(staging)
    for _ in range(1_000):
        _take(table, Lineage("a"), "gzip", 1, suspicious=False)
    staging.teach(("child", NGINX, "sh"), 20.0, 1)
    staging.teach(("nothing", NGINX, "sh"), 20.0, 1)
    staging.teach((), 20.0, 1)

    assert _weigh(table, "sh", 1) == 0.0
    assert _weigh(table, "ash", 1) > 2
    assert staging.excuses.of(("child", NGINX, "sh"), 89 * DAY) == 20.0
    assert staging.excuses.of(("child", NGINX, "sh"), 91 * DAY) == 0.0
    assert staging.excuses.of(("nothing", NGINX, "sh"), 1) == 0.0


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["learn", "stage", "speak", "quiet", "loud", "freeze", "leave", "teach", "withdraw", "afford"]),
        st.integers(0, 3),
        st.integers(0, 40 * DAY),
    ),
    max_size=60,
)


@given(_STEPS)
def test_any_order_of_steps_is_taken(steps: list[tuple[str, int, int]]) -> None:
    """Whatever happens in whatever order, and at whatever time, what waits is bounded and counts rightly."""
    staging = Staging()
    table = _table(staging)
    lineages = [Lineage(str(number), number, number) for number in range(1, 4)]
    for what, number, now in steps:
        lineage = lineages[number % 3]
        lesson = table.lesson(NGINX, str(number))
        match what:
            case "learn" | "stage":
                _take(table, lineage, str(number), now, suspicious=what == "stage")
            case "speak":
                _spoken(staging, lineage)
            case "quiet" | "loud":
                staging.closed(lineage, now, quiet=what == "quiet")
            case "freeze":
                staging.frozen_until = max(staging.frozen_until, now)
            case "leave":
                lineages[number % 3] = lineage.left_for(f"{lineage.label}.", now + 5, now)
            case "teach":
                staging.teach(lesson, float(number - 1), now)
            case "afford":
                assert 0.0 <= staging.afford(lineage, 2.0, now) <= 2.0
            case _:
                staging.withdraw(lineage, lesson)
        if isinstance(lineage.staged, Staged):
            assert len(lineage.staged.lessons) <= STAGED
            assert all(times >= 0 for times in lineage.staged.lessons.values())
        assert 0.0 <= _weigh(table, "other", now) <= CAP
