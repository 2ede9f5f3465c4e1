"""The sequential test of first contacts: how fast it finds scanners, and how rarely it takes others for one."""

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.random_walk import (
    HALF_LIFE_NS,
    HIGHEST,
    INBOUND,
    LOWEST,
    OUTBOUND,
    RandomWalk,
    Steps,
)


def contacts_until(level: float, success: float, size: Steps, seed: int, most: int = 400) -> int:
    """Return after how many first contacts, with this success rate, the level is reached; `most` if it never is."""
    chance, walk = random.Random(seed), RandomWalk()
    for count in range(1, most):
        succeeds = chance.random() < success
        if walk.step(succeeds, not succeeds, size, 1) >= level:
            return count
    return most


@pytest.mark.parametrize(("error", "mean", "worst"), [(1e-2, 4.6, 9), (1e-4, 8.0, 15), (1e-6, 11.3, 18)])
def test_outbound_scanner_is_found_within_few_contacts(error: float, mean: float, worst: int) -> None:
    """A scanner of which 3 % of the contacts succeed is found within as many as the formula foretells."""
    counts = [contacts_until(math.log(0.99 / error), 0.03, OUTBOUND, seed) for seed in range(500)]

    assert statistics.fmean(counts) < mean
    assert sorted(counts)[494] <= worst


def test_inbound_scanner_is_found_within_five_ports() -> None:
    """Five closed ports in a row decide at an error of one in a million."""
    walk = RandomWalk()

    levels = [walk.step(0, 1, INBOUND, 1) for _ in range(5)]

    assert levels[3] < math.log(0.99e6) < levels[4]


@pytest.mark.parametrize(("size", "success"), [(INBOUND, 0.95), (OUTBOUND, 0.8)])
def test_honest_ones_are_rarely_accused(size: Steps, success: float) -> None:
    """Of 2,000 honest ones with 100 contacts each, at an error of 1 in 1,000, no more than two are accused."""
    accused = [contacts_until(math.log(1e3), success, size, seed, 100) < 100 for seed in range(2_000)]

    assert sum(accused) <= 2


def test_successes_buy_little_credit() -> None:
    """After a thousand successes a scanner is found two contacts later than without any."""
    walk = RandomWalk()
    walk.step(1_000, 0, INBOUND, 1)

    assert walk.level == LOWEST
    assert [walk.step(0, 1, INBOUND, 1) > 9.2 for _ in range(5)] == [False, False, False, False, True]


def test_slow_scan_is_found_as_a_fast_one() -> None:
    """One contact every ten minutes climbs as high within ten contacts as ten at once, but for a tenth."""
    fast, slow = RandomWalk(), RandomWalk()
    fast.step(0, 8, OUTBOUND, 1)
    for number in range(8):
        slow.step(0, 1, OUTBOUND, 1 + number * 600 * 10**9)

    assert fast.level * 0.9 < slow.level <= fast.level


def test_level_halves_in_its_half_life() -> None:
    """What was seen two days ago weighs half."""
    walk = RandomWalk()
    before = walk.step(0, 2, INBOUND, 1)

    assert walk.step(0, 0, INBOUND, 1 + HALF_LIFE_NS) == pytest.approx(before / 2)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(0, 2**64 - 1))))
def test_level_stays_in_bounds(batches: list[tuple[float, float, int]]) -> None:
    """No contacts in any order of time lead out of the bounds."""
    walk = RandomWalk()

    for successes, failures, now in batches:
        assert LOWEST <= walk.step(successes, failures, INBOUND, now) <= HIGHEST
