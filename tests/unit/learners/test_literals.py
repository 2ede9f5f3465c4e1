"""From dictionaries to literals."""

import math

from hypothesis import given
from hypothesis import strategies as st

from pyloader.learners import literals
from pyloader.learners.literals import LONGEST_WORD, word


def test_literals_are_sorted_by_name() -> None:
    """A dictionary becomes one literal per feature, in the order of names, whatever its own order is."""
    assert literals({"b": "x", "a": True}) == literals({"a": True, "b": "x"}) == ("a=True", "b=x")


@given(st.floats(1e-300, 1e300), st.floats(1.0, 4.0))
def test_buckets_tell_sizes_apart(number: float, times: float) -> None:
    """Numbers in one bucket differ by less than a factor of two, and their negatives are in another."""
    if word(number) == word(number * times):
        assert times < 2.0
    assert word(-number) == f"-{word(number)}"


@given(st.floats(1e-300, 1e300))
def test_bucket_is_named_by_its_lower_end(number: float) -> None:
    """The name of a bucket is a number that is at most the number in it, but for its rounding, and more than half."""
    assert number / 2 < float(word(number)) <= number * 1.01


def test_odd_numbers_have_names() -> None:
    """Zero, what is no number, and what is too large have buckets of their own."""
    assert [word(value) for value in (0, 0.0, -0.0)] == ["0"] * 3
    assert [word(value) for value in (math.nan, math.inf, -math.inf, 10**400, -(10**400))] == [
        "nan",
        "inf",
        "-inf",
        "inf",
        "-inf",
    ]


def test_long_words_are_cut() -> None:
    """However long a word is, its literal is bounded."""
    assert len(word("x" * 10**6)) == LONGEST_WORD
