"""How surprising new things are, given what was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.rarity import CAP, LEAST_SEEN, SYMBOLS, Experience, Experiences


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
    """Something seen ten thousand times counts half after that, and is still known."""
    seen = experience([1] * 10_000)

    assert seen.of(1) == seen.seen == 5_000


@given(st.lists(st.integers(0, 2_000), max_size=3_000))
def test_experience_is_bounded(things: list[int]) -> None:
    """Whatever is seen, memory is bounded, and probabilities and weights are in theirs."""
    seen = experience(things)

    assert sum(thing in seen for thing in set(things)) == min(SYMBOLS, len(set(things)))
    assert 0 < seen.new() <= 1
    assert 0 <= seen.weight(-1) <= CAP


def test_experiences_are_bounded_and_counted() -> None:
    """Of many contexts the latest are remembered, and each that was forgotten is counted."""
    table: Experiences[int, int] = Experiences(capacity=10)
    for context in range(100):
        table.of(context).learn(1)

    remembered = [context for context in range(99, -1, -1) if table.of(context).seen]
    assert remembered[:10] == list(range(99, 89, -1))
    assert len(remembered) <= 20
    assert table.evicted >= 80
