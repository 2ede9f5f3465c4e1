"""The sample of the unlabelled stream, and counting in it."""

import math

from hypothesis import given
from hypothesis import strategies as st

from pyloader.learners.reservoir import Occurrences, Reservoir

events = st.lists(st.frozensets(st.sampled_from("abcde"), max_size=4).map(lambda one: tuple(sorted(one))), max_size=40)


@given(events, st.lists(st.sampled_from("abcde"), max_size=3))
def test_counts_are_those_of_a_search(sample: list[tuple[str, ...]], wanted: list[str]) -> None:
    """The sets of bits count what going through all events would."""
    assert Occurrences(sample).count(wanted) == sum(set(wanted) <= set(event) for event in sample)


def test_rarer_is_more() -> None:
    """A literal that nobody showed is the rarest, one that everybody showed is hardly rare."""
    seen = Occurrences([("always", "once"), ("always",), ("always",)])

    assert seen.rarity("never") > seen.rarity("once") > seen.rarity("always")
    assert math.isfinite(Occurrences([]).rarity("never"))


def test_reservoir_follows_the_stream() -> None:
    """It never holds more than its capacity, and after enough events most of it is new."""
    reservoir = Reservoir(5, capacity=100)
    for number in range(20_000):
        reservoir.offer((str(number),))
        assert len(reservoir.events) <= 100

    assert sum(int(event[0]) > 5_000 for event in reservoir.events) > 80
