"""Chance that can be repeated."""

from collections import Counter

from pyloader.learners.chance import Chance


def test_numbers_are_those_of_splitmix64() -> None:
    """The first numbers of seed 1234567 are those of the reference implementation."""
    chance = Chance(1234567)

    assert [chance.bits() for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_state_is_all_there_is() -> None:
    """A generator that starts from another's state goes on as that one does."""
    chance = Chance(1)
    chance.bits()
    twin = Chance(chance.state)

    assert [chance.below(1_000) for _ in range(9)] == [twin.below(1_000) for _ in range(9)]


def test_draws_are_even_and_in_bounds() -> None:
    """Of 6,000 throws of a die each side comes up about as often; weights of 0 are never drawn."""
    chance = Chance(2)
    throws = Counter(chance.below(6) for _ in range(6_000))

    assert set(throws) == set(range(6))
    assert all(850 < count < 1_150 for count in throws.values())
    assert {chance.weighed((0.0, 1.0, 0.0, 2.0)) for _ in range(200)} == {1, 3}
    assert all(0.0 <= chance.share() < 1.0 for _ in range(200))
