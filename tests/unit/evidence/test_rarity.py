"""How surprising new things are, given what was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.rarity import CAP, HALF_LIFE_NS, LEAST_SEEN, SYMBOLS, Experience, Experiences

DAY = 86_400 * 1_000_000_000


def experience(things: list[int]) -> Experience[int]:
    """Return what was seen, in order."""
    seen: Experience[int] = Experience()
    for thing in things:
        seen.learn(thing)
    return seen


def test_new_peer_of_a_faithful_program_is_surprising() -> None:
    """After 1,000 contacts with one peer a new one weighs 2.8 nats."""
    assert experience([1] * 1_000).weight(2) == pytest.approx(2.76, abs=0.01)


def test_new_peer_of_a_curious_program_is_expected() -> None:
    """A program of whose contacts every third is with a new peer may meet another."""
    assert experience([thing for number in range(500) for thing in (0, 0, number)]).weight(9_999) == 0.0


def test_known_peer_is_no_surprise() -> None:
    """What was seen once is not new."""
    assert experience([1] * 1_000 + [2]).weight(2) == 0.0


def test_beginner_is_not_surprised() -> None:
    """Before twenty things were seen nothing is surprising."""
    assert experience([1] * (LEAST_SEEN - 1)).weight(2) == 0.0


def test_old_habits_fade() -> None:
    """What was seen counts half after two weeks, also if nobody looked in the meantime, and is still known."""
    seen = experience([1] * 10_000 + [2])
    before = seen.new()
    seen.fade(HALF_LIFE_NS)

    assert (seen.of(1), seen.seen) == (5_000, 5_000.5)
    assert 2 in seen
    assert seen.new() < 2 * before


def test_what_never_comes_back_is_forgotten() -> None:
    """Something that was seen once is new again after some months."""
    seen = experience([1] * 10_000 + [2])
    for month in range(1, 5):
        seen.fade(month * 2 * HALF_LIFE_NS)

    assert 1 in seen
    assert 2 not in seen


def test_clock_that_goes_back_changes_nothing() -> None:
    """A wall clock that was set back makes nothing fade, and nothing grow."""
    seen: Experience[int] = Experience(HALF_LIFE_NS)
    seen.learn(1, 100.0)
    seen.fade(0)

    assert seen.seen == 100


def test_forgotten_things_stay_in_the_rate() -> None:
    """A program that has met more new peers than there is room for is expected to meet another one."""
    seen = experience(list(range(50_000)))

    assert seen.new() > 0.9


def test_what_is_forgotten_on_purpose_is_new() -> None:
    """What was taken back weighs as much as before it was learned."""
    seen = experience([1] * 1_000)
    before = seen.weight(2)
    seen.learn(2)
    seen.learn(2)
    seen.forget(2)

    assert seen.weight(2) == before > 2


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from([1.0, 3.0]), st.integers(0, 10)), max_size=1_000))
def test_experience_is_bounded(steps: list[tuple[int, float, int]]) -> None:
    """Whatever is seen and whenever, memory is bounded, and probabilities and weights are in theirs."""
    seen: Experience[int] = Experience()
    wall = 0
    for thing, times, days in steps:
        wall += days * DAY
        seen.fade(wall)
        seen.learn(thing, times)
        if days == 7:
            seen.forget(thing)
        else:
            assert thing in seen
        assert len(seen) <= SYMBOLS
        assert 0 < seen.new() <= 1.0 + 1e-9
        assert 0 <= seen.weight(-1) <= CAP


def test_experiences_are_bounded_and_counted() -> None:
    """Of many contexts the latest are remembered, and each that was forgotten is counted."""
    table: Experiences[int, int] = Experiences(capacity=10)
    for context in range(100):
        table.learn(context, 1, 1.0, 0)

    remembered = [context for context in range(99, -1, -1) if table.of(context).seen]
    assert remembered[:10] == list(range(99, 89, -1))
    assert len(remembered) <= 20
    assert table.evicted >= 80


def test_things_are_bounded_over_all_contexts() -> None:
    """A few contexts with very many things take up no more room than many with few."""
    table: Experiences[int, int] = Experiences(capacity=1_000, room=1_000)
    for number in range(20_000):
        table.learn(number // 100, number, 1.0, 0)

    assert sum(bool(table.of(context).seen) for context in range(200)) <= 22
    assert table.evicted > 0


def test_context_fades_when_it_is_asked_for() -> None:
    """A context that was left alone for two weeks counts half."""
    table: Experiences[str, int] = Experiences()
    table.learn("a", 1, 100.0, DAY)

    assert table.of("a", DAY + HALF_LIFE_NS).seen == 50
