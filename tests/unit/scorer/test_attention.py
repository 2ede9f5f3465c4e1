"""Whom to look at closely: who deserves it, for how long, and for how much."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.host import Focus
from pyloader.scorer.attention import (
    DEMOTE,
    EXPLORERS,
    LEAST_PRESSURE,
    LEVELS,
    PROMOTE,
    SHARE_OF_LINEAGE,
    SLOTS,
    Attention,
    Suspect,
)
from pyloader.state.classes import Classes
from pyloader.state.load import load
from pyloader.state.save import save

SECOND = 1_000_000_000
LIMIT = int(SHARE_OF_LINEAGE * SLOTS)
ADDRESS = bytes(10) + b"\xff\xff\xc6\x33\x64\x07"


def suspect(key: int | bytes, nats: float, lineage: str = "") -> Suspect:
    """Return a suspect, by default of a lineage of its own."""
    return Suspect(key, nats, lineage or str(key))


def chosen(
    attention: Attention,
    seconds: float,
    *suspects: Suspect,
    explorable: tuple[int, ...] = (),
    posture: int = 0,
    loss: bool = False,
) -> Focus:
    """Return the focus at so many seconds."""
    return attention.choose(int(seconds * SECOND), suspects, explorable, posture=posture, loss=loss)


def test_attention_focus_management() -> None:
    """Focus goes to who deserves it, stays for its time, leaves room for others, and costs no more than there is."""
    attention = Attention(seed=1)
    running = tuple(range(1_000, 1_200))

    # Promotion at three nats, and nobody below; a source of packets has its place like a process.
    focus = chosen(attention, 0, suspect(1, 3.0), suspect(2, 2.9), suspect(ADDRESS, 8.0))
    assert (set(focus.processes), focus.sources, focus.rate) == ({1}, (ADDRESS,), 1.0)

    # Hysteresis: below three, but not below one and a half, whoever is looked at stays.
    focus = chosen(attention, 40, suspect(1, DEMOTE), suspect(2, 2.9))
    assert set(focus.processes) == {1}

    # Dwell: a newcomer keeps its slot for half a minute, however little is left of its evidence.
    chosen(attention, 50, suspect(3, 4.0))
    assert set(chosen(attention, 79, suspect(3, 0.0)).processes) == {3}
    assert set(chosen(attention, 80, suspect(3, 0.0)).processes) == set()

    # Decoys of one lineage get a quarter of the slots, and do not keep out a weaker one of another lineage.
    decoys = [suspect(pid, 9.0, "decoys") for pid in range(100, 300)]
    focus = chosen(attention, 100, *decoys, suspect(4, 3.5))
    assert len(focus.processes) == LIMIT + 1
    assert 4 in focus.processes

    # Explorers: sixteen of those that run, for half a minute, and then sixteen others.
    focus = chosen(attention, 200, suspect(5, 50.0), explorable=running)
    first = set(focus.processes) - {5}
    assert len(first) == EXPLORERS
    assert first <= set(running)
    assert set(chosen(attention, 229, suspect(5, 50.0), explorable=running).processes) - {5} == first
    assert not first & (set(chosen(attention, 230, suspect(5, 50.0), explorable=running).processes) - {5})

    # Budget: who stands out gets the highest level, explorers the lowest.
    assert focus.processes[5] == len(LEVELS)
    assert {focus.processes[pid] for pid in first} == {1}


@pytest.mark.parametrize("posture", range(5))
def test_the_posture_lowers_the_threshold(posture: int) -> None:
    """The more alert the host is, the less evidence is needed to be looked at: 3, 2, or 1.5 nats."""
    attention = Attention(seed=1)

    enough = PROMOTE[posture]
    focus = chosen(attention, 0, suspect(1, enough), suspect(2, enough - 0.01), posture=posture)

    assert set(focus.processes) == {1}


def test_the_posture_raises_the_budget() -> None:
    """In the highest posture the same many suspects are told more of each than in a calm one."""
    crowd = [suspect(pid, 5.0) for pid in range(SLOTS)]

    calm = chosen(Attention(seed=1), 0, *crowd)
    alarmed = chosen(Attention(seed=1), 0, *crowd, posture=4)

    assert set(calm.processes.values()) == {1}
    assert set(alarmed.processes.values()) == {2}


def test_the_strongest_win() -> None:
    """When there are more suspects than slots, those with the most evidence have them, whatever the order."""
    crowd = [suspect(pid, 3.0 + pid / 100) for pid in range(3 * SLOTS)]
    mixed = random.Random(3).sample(crowd, len(crowd))

    focus = chosen(Attention(seed=1), 0, *mixed)

    assert set(focus.processes) == set(range(2 * SLOTS, 3 * SLOTS))
    assert focus == chosen(Attention(seed=1), 0, *crowd)


def test_the_weakest_that_has_dwelt_makes_room() -> None:
    """A stronger suspect takes the slot of the weakest one after its half minute, and that is counted."""
    attention = Attention(seed=1)
    crowd = [suspect(pid, 3.0 + pid / 100) for pid in range(SLOTS)]
    chosen(attention, 0, *crowd)

    early = chosen(attention, 29, *crowd, suspect(999, 9.0))
    assert (999 in early.processes, attention.evicted) == (False, 0)
    late = chosen(attention, 30, *crowd, suspect(999, 9.0))

    assert set(late.processes) == set(range(1, SLOTS)) | {999}
    assert attention.evicted == 1


def test_within_a_lineage_the_strongest_win() -> None:
    """A lineage that has its quarter full of decoys exchanges the weakest of them for a stronger member."""
    attention = Attention(seed=1)
    decoys = [suspect(pid, 4.0, "one") for pid in range(100)]
    chosen(attention, 0, *decoys)

    focus = chosen(attention, 30, *decoys, suspect(999, 20.0, "one"))

    assert 999 in focus.processes
    assert len(focus.processes) == LIMIT


def test_a_lineage_gets_a_quarter_of_the_budget() -> None:
    """Of the budget, too, a lineage gets a quarter: alone, one suspect has a level less than its evidence is worth."""
    alone = chosen(Attention(seed=1, budget=4 * LEVELS[2] - 4), 0, suspect(1, 50.0))
    enough = chosen(Attention(seed=1, budget=4 * LEVELS[2]), 0, suspect(1, 50.0))

    assert (alone.processes, enough.processes) == ({1: 2}, {1: 3})


def test_who_is_gone_leaves_at_once() -> None:
    """Suspects that are listed no more, and explorers that do not run any more, lose their places at once."""
    attention = Attention(seed=1)
    chosen(attention, 0, suspect(1, 9.0), explorable=(7, 8))

    assert set(chosen(attention, 1, explorable=(8,)).processes) == {8}


def test_explorers_prefer_who_was_seldom_looked_at() -> None:
    """Of a hundred processes each is looked at again and again, none much more often than others."""
    attention = Attention(seed=2)
    turns: dict[int, int] = dict.fromkeys(range(100), 0)
    for turn in range(200):
        for pid in chosen(attention, 30 * turn, explorable=tuple(turns)).processes:
            turns[pid] += 1

    assert sum(turns.values()) == 200 * EXPLORERS
    assert min(turns.values()) >= 24
    assert max(turns.values()) <= 40


def test_loss_halves_and_calm_restores() -> None:
    """Each second with losses halves what the rest may tell and what focus may cost; it comes back in ten seconds."""
    attention = Attention(seed=1)
    before = chosen(attention, 0, suspect(1, 50.0))

    lost = [chosen(attention, second, suspect(1, 50.0), loss=True) for second in range(1, 12)]
    assert [focus.rate for focus in lost[:3]] == [0.5, 0.25, 0.125]
    assert lost[-1].rate == LEAST_PRESSURE
    assert before.processes[1] > lost[-1].processes[1] == 1

    back = [chosen(attention, second, suspect(1, 50.0)) for second in range(12, 40)]
    assert back[0].rate == pytest.approx(LEAST_PRESSURE + 0.05)
    assert back[9].rate == pytest.approx(LEAST_PRESSURE + 0.5)
    assert (back[-1].rate, back[-1].processes) == (1.0, before.processes)


def test_looks_are_bounded() -> None:
    """However many processes come and go, what is remembered of turns stays small; only running ones are evictions."""
    attention = Attention(seed=1)
    for turn in range(400):
        chosen(attention, 30 * turn, explorable=tuple(range(100 * turn, 100 * turn + 100)))
    assert attention.evicted == 0
    running = tuple(range(10_000))
    for turn in range(400, 800):
        chosen(attention, 30 * turn, explorable=running)

    assert attention.evicted > 0
    assert len(attention._looks) <= 4_096  # noqa: SLF001 -- the bound is on what nobody sees.


def test_a_clock_that_goes_back_stands_still() -> None:
    """Time that goes back neither ends a dwell nor restores what was lost."""
    attention = Attention(seed=1)
    chosen(attention, 100, suspect(1, 9.0), loss=True)

    focus = chosen(attention, 10, suspect(1, 0.0))

    assert (set(focus.processes), focus.rate) == ({1}, 0.5)


suspects = st.builds(
    Suspect,
    key=st.one_of(st.integers(1, 200), st.binary(min_size=16, max_size=16)),
    nats=st.floats(-5.0, 30.0),
    lineage=st.sampled_from("abcdef"),
)
seconds = st.tuples(
    st.integers(-5, 40),
    st.lists(suspects, max_size=120),
    st.lists(st.integers(1, 300)),
    st.integers(0, 4),
    st.booleans(),
)


@given(st.lists(seconds, max_size=12), st.integers(0, 2**64))
def test_any_course_of_events(course: list[tuple[int, list[Suspect], list[int], int, bool]], seed: int) -> None:
    """Whatever happens: at most 80 places, a quarter a lineage, levels 1 to 3, nobody who is not there; repeatable."""
    one, other = Attention(seed=seed), Attention(seed=seed)
    now = 0
    for step, listed, explorable, posture, loss in course:
        now += step * SECOND
        focus = one.choose(now, listed, explorable, posture=posture, loss=loss)
        keys = {*focus.processes, *focus.sources}

        assert focus == other.choose(now, listed, explorable, posture=posture, loss=loss)
        assert len(keys) == len(focus.processes) + len(focus.sources) <= SLOTS + EXPLORERS
        assert keys <= {suspect.key for suspect in listed} | set(explorable)
        assert set(focus.processes.values()) <= {1, 2, 3}
        assert LEAST_PRESSURE <= focus.rate <= 1.0


def test_a_snapshot_goes_on_as_it_was() -> None:
    """An attention that was saved and loaded chooses the same ones from then on, of the same lots."""
    classes = Classes(("pyloader.scorer", "pyloader.learners"))
    running = tuple(range(1_000, 1_100))
    attention, other = Attention(seed=1), Attention(seed=2)
    chosen(attention, 0, suspect(1, 5.0), suspect(ADDRESS, 4.0), explorable=running, loss=True)

    load(save({"attention": attention}, classes), {"attention": other}, classes)

    for second in range(1, 100, 7):
        focus = chosen(attention, second, suspect(1, 0.0), explorable=running)
        assert focus == chosen(other, second, suspect(1, 0.0), explorable=running)


def test_a_flood_of_suspects_is_cheap() -> None:
    """Ten thousand suspects of one lineage are turned away after the first who fails, not one by one."""
    attention = Attention(seed=1)
    asked: list[int] = []
    original = attention._make_room  # noqa: SLF001 -- counts the work.

    def counting(rivals: list[int | bytes], nats: float) -> bool:
        asked.append(len(rivals))
        return original(rivals, nats)

    attention._make_room = counting  # type: ignore[method-assign]  # noqa: SLF001 -- likewise.
    chosen(attention, 0, *[suspect(pid, 4.0, "flood") for pid in range(10_000)])

    assert asked == [LIMIT]
