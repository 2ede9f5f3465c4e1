"""The test for rates that went up: false alarms, delay, and what it learns."""

import random

from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.cusum import HIGHEST, LogCusum

ALARM = 14.2


def delay(counts: list[float], test: LogCusum, most: int = 1_000) -> int:
    """Return after how many of the counts, repeated, the alarm is reached; `most` if it never is."""
    for number in range(most):
        if test.count(counts[number % len(counts)]) >= ALARM:
            return number + 1
    return most


def after_quiet(usual: float, seed: int = 1) -> LogCusum:
    """Return a test that has seen ten minutes of a usual count that varies by a third."""
    chance, test = random.Random(seed), LogCusum(100, 1e5)
    for _ in range(600):
        test.count(max(0.0, chance.gauss(usual, usual / 3)))
    return test


def test_flood_is_found_within_two_seconds() -> None:
    """A count of twenty times what is usual, floor included, takes two intervals, wherever it starts from."""
    assert [delay([20 * (usual + 100)], after_quiet(usual)) for usual in (0, 50, 1_000, 20_000)] == [2, 2, 2, 2]


def test_tripled_count_is_found_within_fifteen_seconds() -> None:
    """The smallest rise that is looked for is found in fifteen intervals."""
    assert delay([3 * (1_000 + 100)], after_quiet(1_000)) <= 15


def test_one_interval_is_an_accident() -> None:
    """A single interval raises no alarm, however many it counts."""
    test = after_quiet(100)

    assert test.count(10_000_000) < ALARM
    assert test.count(100) < test.level + ALARM
    assert delay([100], test) == 1_000


def test_bursty_traffic_raises_no_alarm_in_a_day() -> None:
    """In a day of counts whose logarithm has a standard deviation of 0.7 there is not one alarm."""
    chance, test = random.Random(7), LogCusum(100, 1e5)

    levels = [test.count(chance.lognormvariate(5.5, 0.7)) for _ in range(86_400)]

    assert max(levels) < ALARM


def test_average_run_between_false_alarms() -> None:
    """At an alarm level of h the mean run under chance is at least e^h intervals."""
    chance = random.Random(3)
    runs = []
    for _ in range(60):
        test, run = LogCusum(100, 1e5), 0
        for _ in range(200):
            test.count(chance.lognormvariate(8, 0.6))
        while test.level < 4.0 and run < 2_000:
            test.count(chance.lognormvariate(8, 0.6))
            run += 1
        runs.append(run)

    assert sum(runs) / len(runs) > 54.6


def test_flood_does_not_become_usual() -> None:
    """What is usual stays as it was through an hour of flood."""
    test = after_quiet(200)
    usual = test.usual

    for _ in range(3_600):
        test.count(50_000)

    assert test.usual < 1.01 * usual
    assert test.level == HIGHEST


def test_slow_ramp_does_not_become_usual() -> None:
    """A count that grows by a fifth every hour is told within a day, though it is learned all the time."""
    test, second = after_quiet(1_000), 0
    while test.level < ALARM and second < 86_400:
        test.count(1_000 * 1.2 ** (second / 3_600))
        second += 1

    assert second < 86_400


def test_usual_count_of_a_busy_host_is_taken_from_its_first_second() -> None:
    """A sensor that starts on a host with 4,000 counts a second raises no alarm."""
    assert delay([4_000], LogCusum(100, 1e5)) == 1_000


@given(st.lists(st.floats(0, 1e12), max_size=50))
def test_level_stays_in_bounds(counts: list[float]) -> None:
    """No counts lead out of the bounds."""
    test = LogCusum(10)

    assert all(0.0 <= test.count(count) <= HIGHEST for count in counts)


def test_frozen_test_learns_nothing() -> None:
    """A count that is not to be learned from moves the level, and neither what is usual nor how far it spreads."""
    test = LogCusum(100)
    for _ in range(100):
        test.count(50)
    usual, deviation = test.usual, test.deviation
    for _ in range(100):
        test.count(90, learn=False)

    assert (test.usual, test.deviation) == (usual, deviation)
    assert test.count(10_000, learn=False) > 0.0
