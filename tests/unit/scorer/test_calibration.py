"""How often ordinary work looks at least this bad: what is learned of it, and how far that can be believed."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.scorer import Tail
from pyloader.scorer.calibration import (
    EPISODES,
    FEWEST_EPISODES,
    HALF_LIFE,
    HOUR,
    PATIENCE,
    PRIOR_EPISODES,
    WAITING,
)
from pyloader.scorer.scale import PRIOR_PERIOD, score, score_of
from tests.unit.scorer.streams import DAY, MIDNIGHT, SECOND, SHAPES, STEPS, alerts_a_day

NATS = st.floats(-5.0, 60.0)
SEEDS = (1, 2, 3)


def taught(nats: list[float], seconds: float = DAY) -> Tail:
    """Return a tail that has learned these episodes, evenly over so many seconds."""
    tail, last = Tail(), MIDNIGHT
    for number, one in enumerate(nats, 1):
        now = MIDNIGHT + round(seconds * number / len(nats) * SECOND)
        tail.watched(last, now)
        tail.learn_one(one, now)
        last = now
    return tail


def drawn(count: int, seed: int = 1) -> list[float]:
    """Return the strengths of so many episodes by the prior: of e times as many one goes a nat further."""
    chance = random.Random(seed)
    return [chance.expovariate(1.0) for _ in range(count)]


def test_nothing_learned() -> None:
    """A host that has taught nothing goes by the prior: a minute times the odds."""
    tail = Tail()

    assert len(tail) == 0
    assert tail.log_period(7.0) == math.log(PRIOR_PERIOD) + 7.0
    assert score_of(tail.log_period(7.0)) == score(7.0)


@given(st.lists(NATS | st.sampled_from([1.0, 2.0, 3.1]), max_size=80), NATS, NATS)
def test_more_evidence_is_never_less_rare(learned: list[float], one: float, other: float) -> None:
    """Whatever was learned, stronger evidence never scores less, and every score is one."""
    tail = taught(learned) if learned else Tail()
    low, high = (score_of(tail.log_period(nats)) for nats in sorted((one, other)))

    assert 0.0 <= low <= high <= 100.0


@given(st.lists(NATS | st.sampled_from([1.0, 2.0, 3.1]), min_size=1, max_size=80), NATS)
def test_share_is_a_share(learned: list[float], nats: float) -> None:
    """The share of episodes that were stronger is positive: never seen is not impossible."""
    assert 0.0 < taught(learned).exceeded(nats) <= 1.0


@pytest.mark.parametrize("count", [1, 2, 10, 11, 12, 200, EPISODES, EPISODES + 100])
def test_any_number_of_episodes(count: int) -> None:
    """From the first episode on every question has a finite answer, and what is stronger is rarer."""
    tail = taught(drawn(count))
    periods = [tail.log_period(nats / 4) for nats in range(-10, 200)]

    assert len(tail) == min(count, EPISODES)
    assert all(map(math.isfinite, periods))
    assert periods == sorted(periods)
    assert periods[0] < periods[-1]


@pytest.mark.parametrize("count", [1, 10, 11, 500])
def test_all_alike(count: int) -> None:
    """Where all episodes are equally strong, that is ordinary, and a nat more is as rare as the prior has it."""
    tail = taught([3.0] * count)

    assert tail.exceeded(3.0) == pytest.approx(1.0, abs=0.5 / count)
    assert tail.exceeded(4.0) <= math.exp(-1.0)


def test_far_beyond_what_was_seen() -> None:
    """Where all episodes are nearly equally strong, the strongest evidence that can be still has a return period."""
    chance = random.Random(1)
    tail = taught([3.0 + chance.random() / 1_000 for _ in range(1_000)])

    assert math.isfinite(tail.log_period(1_000.0))
    assert score_of(tail.log_period(1_000.0)) == 100.0


def test_ties_are_counted_once() -> None:
    """Of steps in which many episodes lie, each is as rare as it was seen, less a standard deviation."""
    learned = [1.0] * 900 + [2.0] * 90 + [5.0] * 10
    random.Random(1).shuffle(learned)
    tail = taught(learned)

    assert [tail.exceeded(nats) for nats in (1.0, 2.0, 5.0)] == pytest.approx([1.0, 0.1, 0.01], rel=0.35)


def test_tail_of_the_prior() -> None:
    """Episodes as the prior has them teach the prior, far beyond what was seen."""
    shares = [math.log(taught(drawn(4_000, seed)).exceeded(12.0)) for seed in range(5)]

    assert math.fsum(shares) / len(shares) == pytest.approx(-12.0, abs=1.5)


def test_heavy_tail() -> None:
    """Where episodes go far beyond each other, what is far beyond them is less rare than an exponential has it."""
    chance = random.Random(1)
    tail = taught([chance.paretovariate(3.0) for _ in range(4_000)])

    exponential = taught(drawn(4_000))
    assert tail.exceeded(10.0) == pytest.approx(10.0**-3, rel=0.9)
    assert tail.exceeded(20.0) > 1_000.0 * exponential.exceeded(20.0)


def test_light_tail() -> None:
    """Where there is an end to what ordinary work does, what is beyond it is rare, but not impossible."""
    chance = random.Random(1)
    tail = taught([chance.uniform(0.0, 5.0) for _ in range(4_000)])

    assert tail.exceeded(4.99) == pytest.approx(0.002, rel=0.9)
    assert 0.0 < tail.exceeded(6.0) < 1e-6


def test_rate() -> None:
    """With as many episodes as were seen in a day, what all of them reach comes as often."""
    tail = taught([1.0] * 288)

    assert tail.rate() == pytest.approx(288 / DAY, rel=0.01)
    learned = PRIOR_EPISODES / (288 + PRIOR_EPISODES)
    assert tail.log_period(0.5) == pytest.approx(
        (1 - learned) * math.log(300) + learned * (math.log(60) + 0.5), rel=0.01
    )


def test_silence_lowers_the_rate() -> None:
    """Time in which nothing happens makes everything rarer; time that nobody watched does not."""
    tail = taught([1.0] * 288)
    before = tail.rate()
    tail.watched(MIDNIGHT, MIDNIGHT)
    assert tail.rate() == before

    tail.watched(MIDNIGHT + DAY * SECOND, MIDNIGHT + 2 * DAY * SECOND)
    assert tail.rate() == pytest.approx(before / 2, rel=0.05)


def test_huge_gap() -> None:
    """A gap of years counts as one day of watching: nobody knows what was there."""
    years, day = taught([1.0] * 288), taught([1.0] * 288)
    end = MIDNIGHT + 20_000 * DAY * SECOND
    years.watched(MIDNIGHT + DAY * SECOND, end)
    day.watched(end - DAY * SECOND, end)

    assert years.rate() == day.rate()


def test_time_that_goes_back() -> None:
    """A clock that goes back teaches nothing of time, and harms nothing."""
    tail = taught([1.0] * 288)
    before = tail.rate()
    tail.watched(MIDNIGHT + DAY * SECOND, MIDNIGHT)

    assert tail.rate() == before


def test_counts_halve() -> None:
    """After two weeks of other work the rate is closer to the new one than to the old: both fade together."""
    tail = taught([1.0] * 2_880)
    now = MIDNIGHT + DAY * SECOND
    while now < MIDNIGHT + DAY * SECOND + HALF_LIFE:
        tail.watched(now, now + HOUR)
        now += HOUR

    assert tail.rate() < 2_880 / DAY / 10


def test_oldest_episodes_leave() -> None:
    """So many episodes are remembered, and of more the latest: what was ordinary long ago is so no more."""
    tail = taught([9.0] * 1_000 + [1.0] * EPISODES)

    assert len(tail) == EPISODES
    assert tail.exceeded(9.0) < 1e-3


def test_what_is_old_leaves() -> None:
    """Episodes of more than a month ago are forgotten, like the rate at which they came; a few are kept for ever."""
    tail = taught([9.0] * 1_000)
    for second in range(2_000):
        tail.watched(MIDNIGHT + 40 * DAY * SECOND, MIDNIGHT + (40 * DAY + second) * SECOND)

    assert len(tail) == FEWEST_EPISODES


def test_new_work_becomes_ordinary() -> None:
    """On a host that was watched for months a new kind of work, four times a day, is ordinary within two weeks."""
    tail, last = Tail(), MIDNIGHT
    chance = random.Random(1)
    for hour in range(120 * 24):
        now = MIDNIGHT + hour * HOUR
        tail.watched(last, now)
        last = now
        tail.learn_one(chance.expovariate(1.0), now)
        if hour >= 106 * 24 and hour % 6 == 0:
            tail.learn_one(8.0, now)

    assert score_of(tail.log_period(8.0)) < 62.0
    assert score_of(tail.log_period(12.0)) > 62.0


@given(st.lists(st.sampled_from([1.0, 1.5, 2.0, 7.0]), min_size=1, max_size=60))
def test_order_does_not_matter(learned: list[float]) -> None:
    """The same episodes in another order teach the same share."""
    assert [taught(learned).exceeded(nats) for nats in (1.0, 1.7, 8.0)] == [
        taught(sorted(learned)).exceeded(nats) for nats in (1.0, 1.7, 8.0)
    ]


def test_what_alerted_waits_for_a_day() -> None:
    """An episode that raised an alert is learned when a day has passed without an objection, and not before."""
    tail = taught(drawn(200))
    tail.learn_later("one", 12.0, MIDNIGHT)
    before = tail.log_period(12.0)

    tail.watched(MIDNIGHT, MIDNIGHT + PATIENCE - 1)
    assert len(tail) == 200

    tail.watched(MIDNIGHT + PATIENCE - 1, MIDNIGHT + PATIENCE)
    assert len(tail) == 201
    assert tail.log_period(12.0) < before


def test_an_attack_is_forgotten() -> None:
    """What an analyst calls an attack while it waits is never learned; later there is nothing to take back."""
    tail = taught(drawn(200))
    tail.learn_later("attack", 12.0, MIDNIGHT)
    tail.learn_later("other", 8.0, MIDNIGHT)

    assert tail.forget("attack")
    assert not tail.forget("attack")
    tail.watched(MIDNIGHT, MIDNIGHT + PATIENCE)
    assert len(tail) == 201
    assert not tail.forget("other")


def test_waiting_is_bounded() -> None:
    """Who raises alerts without end pushes out only what waits, unlearned, and that is counted."""
    tail = Tail()
    for number in range(WAITING + 7):
        tail.learn_later(str(number), 12.0, MIDNIGHT)
    tail.watched(MIDNIGHT, MIDNIGHT + PATIENCE)

    assert (len(tail), tail.dropped) == (WAITING, 7)


def test_waiting_survives_a_gap() -> None:
    """What waited is learned at the first look after a suspension of weeks."""
    tail = Tail()
    tail.learn_later("one", 12.0, MIDNIGHT)
    tail.watched(MIDNIGHT, MIDNIGHT + 30 * DAY * SECOND)

    assert len(tail) == 1


def _means(name: str, *, rate: float, diurnal: bool) -> list[float]:
    runs = [alerts_a_day(SHAPES[name], seed, rate=rate, diurnal=diurnal) for seed in SEEDS]
    return [math.fsum(run[budget] for run in runs) / len(runs) for budget in range(3)]


@pytest.mark.parametrize("diurnal", [False, True], ids=["even", "diurnal"])
@pytest.mark.parametrize("name", SHAPES)
def test_alerts_as_promised(name: str, *, diurnal: bool) -> None:
    """After two weeks ordinary work of any kind alerts as often as the thresholds say: within a factor of 2, or 3."""
    often, daily, weekly = _means(name, rate=80.0, diurnal=diurnal)

    assert 5.0 <= often <= 20.0
    assert 0.5 <= daily <= 2.0
    assert 1.0 / 21.0 <= weekly <= 3.0 / 7.0


def test_alerts_of_a_busy_host() -> None:
    """A host on which two kinds of episodes come every few minutes keeps the promise too."""
    often, daily, weekly = _means("two kinds", rate=400.0, diurnal=True)

    assert 5.0 <= often <= 20.0
    assert 0.5 <= daily <= 2.0
    assert 1.0 / 21.0 <= weekly <= 3.0 / 7.0


@pytest.mark.parametrize("diurnal", [False, True], ids=["even", "diurnal"])
def test_alerts_in_steps(*, diurnal: bool) -> None:
    """Where strengths come in steps, no threshold alerts more often than it says, by a factor of 2 (and 3)."""
    runs = [alerts_a_day(STEPS, seed, rate=80.0, diurnal=diurnal) for seed in SEEDS]
    often, daily, weekly = (math.fsum(run[budget] for run in runs) / len(runs) for budget in range(3))

    # One in two hundred and fifty episodes is of the strongest step: that is 0.32 a day; of the next, 2.4 a day.
    assert 1.2 <= often <= 20.0
    assert 0.15 <= daily <= 2.0
    assert weekly <= 3.0 / 7.0
