"""How regular rows of intervals are: beacons, and what only looks like them."""

import random
from collections.abc import Callable
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.rhythm import FEWEST, LEAST_CHANCE, rhythm


def beacon(count: int, seed: int, jitter: float = 0.2, missed: float = 0.1) -> list[float]:
    """Return intervals of a beacon every 30 s that varies by a share and misses a share of its contacts."""
    chance = random.Random(seed)
    ticks = accumulate(30 * (1 + chance.uniform(-jitter, jitter)) for _ in range(20 * count))
    contacts = [tick for tick in ticks if chance.random() >= missed]
    return [after - before for before, after in pairwise(contacts[: count + 1])]


@pytest.mark.parametrize(("count", "found"), [(15, 0.95), (23, 0.99), (31, 0.99)])
def test_beacon_is_regular(count: int, found: float) -> None:
    """A beacon with 20 % jitter and 10 % missed contacts is told from chance at 1 in 1,000 nearly always."""
    chances = [rhythm(beacon(count, seed)).chance for seed in range(300)]

    assert sum(chance <= 1e-3 for chance in chances) >= found * 300


def test_beacon_with_heavy_jitter_is_regular() -> None:
    """Half of the period as jitter is still told from chance in nine of ten rows of 31."""
    chances = [rhythm(beacon(31, seed, jitter=0.5, missed=0.0)).chance for seed in range(300)]

    assert sum(chance <= 1e-3 for chance in chances) >= 270


SOURCES: tuple[Callable[[random.Random], float], ...] = (
    lambda chance: chance.expovariate(1),
    lambda chance: chance.expovariate(1 if chance.random() < 0.8 else 0.05),
    lambda chance: chance.lognormvariate(0, 1.3),
    lambda chance: chance.gammavariate(2, 1),
)
"""Ordinary behaviour, one interval of it; the last is the most regular."""


def accused(source: Callable[[random.Random], float], count: int, chance: random.Random) -> float:
    """Return the share, of 1,000 rows, that is told from chance at 1 in 100."""
    rows = ([source(chance) for _ in range(count)] for _ in range(1_000))
    return sum(rhythm(row).chance <= 0.01 for row in rows) / 1_000


@pytest.mark.parametrize("count", [11, 13, 19, 31])
def test_chance_is_what_it_says(count: int) -> None:
    """Of ordinary behaviour 1 in 60 rows at most is told from chance at 1 in 100; of the most regular kind 1 in 15."""
    chance = random.Random(count)

    shares = [accused(source, count, chance) for source in SOURCES]

    assert sum(shares) / len(shares) <= 1 / 60
    assert max(shares) <= 1 / 15


def test_period_and_spread_are_told() -> None:
    """The period is the median and the spread the typical deviation from it."""
    found = rhythm([30.0, 33.0, 27.0] * 5)

    assert (found.period, round(found.spread, 3)) == (30.0, 0.1)


def test_clock_is_as_regular_as_can_be() -> None:
    """Equal intervals have the least chance that is claimed."""
    assert rhythm([5.0] * FEWEST).chance == LEAST_CHANCE


@given(st.lists(st.floats(1e-9, 1e12), min_size=FEWEST, max_size=40))
def test_chance_is_a_probability(intervals: list[float]) -> None:
    """No intervals lead out of the bounds."""
    found = rhythm(intervals)

    assert LEAST_CHANCE <= found.chance <= 1.0
    assert min(intervals) <= found.period <= max(intervals)
