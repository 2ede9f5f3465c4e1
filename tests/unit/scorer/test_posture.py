"""How alert the host is, for how long, and how often that changes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.scorer import Change, Level, Posture
from pyloader.scorer.posture import CHANGES_AN_HOUR, of_host, warranted
from tests.unit.examples import MINUTE, SECOND

HOUR = 60 * MINUTE
SCORES = st.floats(0.0, 100.0)
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 30, 300, 601, 901, 1_801, 7_201]),
        SCORES | st.sampled_from([0.0, 36.9, 37.0, 48.9, 49.0, 61.9, 62.0, 75.0, 90.0]),
        st.integers(0, 3),
        st.booleans(),
        st.sampled_from(["update", "rise", "acknowledge"]),
    ),
    max_size=60,
)


def stay(posture: Posture, since: int, until: int, score: float) -> list[Change]:
    """Let the host stand like this from one time to another, looked at every minute."""
    changes = [posture.update(now, score) for now in range(since, until + 1, MINUTE)]
    return [change for change in changes if change is not None]


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0.0, Level.CALM),
        (48.9, Level.CALM),
        (49.0, Level.WATCH),
        (62.0, Level.GUARDED),
        (74.9, Level.GUARDED),
        (75.0, Level.ELEVATED),
        (90.0, Level.CRITICAL),
        (100.0, Level.CRITICAL),
    ],
)
def test_levels(score: float, level: Level) -> None:
    """Each level is entered at its bound, at once, from any level below."""
    change = Posture().update(SECOND, score)

    assert warranted(score) is level
    assert change == (Change(SECOND, level, score) if level else None)


def test_two_lineages() -> None:
    """Two lineages that alert at once call for more than each alone, and a broken invariant for all there is."""
    assert warranted(62.0, alerting=1) is Level.GUARDED
    assert warranted(62.0, alerting=2) is Level.ELEVATED
    assert warranted(95.0, alerting=2) is Level.CRITICAL
    assert warranted(0.0, invariant=True) is Level.CRITICAL


@pytest.mark.parametrize(
    ("score", "quiet", "minutes"), [(49.0, 36.9, 10), (62.0, 48.9, 15), (75.0, 61.9, 30), (90.0, 61.9, 120)]
)
def test_level_is_held(score: float, quiet: float, minutes: int) -> None:
    """A level is left one step, when the host has been quieter than a lower bound for the time of that level."""
    posture = Posture()
    posture.update(0, score)
    before = posture.level

    assert stay(posture, MINUTE, (minutes - 1) * MINUTE, quiet) == []
    change = posture.update(minutes * MINUTE, quiet)
    assert change is not None
    assert change.level == before - 1


def test_border_does_not_toggle() -> None:
    """A score that goes up and down at the bound of a level changes it once."""
    posture = Posture()
    changes = [posture.update(minute * MINUTE, 49.0 if minute % 2 else 47.0) for minute in range(600)]

    assert [change for change in changes if change is not None] == [Change(MINUTE, Level.WATCH, 49.0)]


def test_noise_starts_the_wait_again() -> None:
    """One moment that is too loud begins the time of quiet anew."""
    posture = Posture()
    posture.update(0, 49.0)
    assert stay(posture, MINUTE, 9 * MINUTE, 0.0) == []
    assert posture.update(9 * MINUTE, 40.0) is None

    assert stay(posture, 10 * MINUTE, 18 * MINUTE, 0.0) == []
    assert len(stay(posture, 19 * MINUTE, 19 * MINUTE, 0.0)) == 1


def test_way_down() -> None:
    """From the top to calm it goes by every step, and the last waits until it leaves room for an attack."""
    posture = Posture()
    posture.update(0, 100.0)
    changes = stay(posture, MINUTE, 4 * HOUR, 0.0)

    assert [(change.when // MINUTE, change.level) for change in changes] == [
        (120, Level.ELEVATED),
        (150, Level.GUARDED),
        (165, Level.WATCH),
        (210, Level.CALM),
    ]


def test_rise_only_rises() -> None:
    """The worst that is known so far lets the level rise, never sink, and keeps it from sinking."""
    posture = Posture()
    assert posture.rise(0, 63.0) == Change(0, Level.GUARDED, 63.0)
    assert posture.rise(HOUR, 0.0) is None
    assert posture.level is Level.GUARDED

    posture = Posture()
    posture.update(0, 62.0)
    posture.rise(14 * MINUTE, 62.0)
    assert stay(posture, 15 * MINUTE, 28 * MINUTE, 0.0) == []
    assert len(stay(posture, 29 * MINUTE, 29 * MINUTE, 0.0)) == 1


def test_invariant_rises_at_once() -> None:
    """A broken invariant is critical, whatever the score."""
    change = Posture().rise(SECOND, 10.0, invariant=True)

    assert change == Change(SECOND, Level.CRITICAL, 10.0)


def test_acknowledged() -> None:
    """An analyst who has seen what there is may end the alert; when all is calm there is nothing to end."""
    posture = Posture()
    assert posture.acknowledge(0) is None
    posture.update(SECOND, 95.0)

    assert posture.acknowledge(2 * SECOND) == Change(2 * SECOND, Level.CALM, 0.0)
    assert posture.level is Level.CALM


def test_acknowledged_too_often() -> None:
    """Who ends the alert again and again is refused when steps up could exceed what an hour may have."""
    posture = Posture()
    for now in range(10):
        posture.update(now * SECOND, 95.0)
        posture.acknowledge(now * SECOND)

    assert posture.level is Level.CRITICAL


def test_clock_that_goes_back() -> None:
    """A clock that goes back stands still: the level is held no shorter, and changes stay in order."""
    posture = Posture()
    posture.update(HOUR, 49.0)
    assert posture.update(0, 0.0) is None
    change = posture.update(MINUTE, 62.0)

    assert change == Change(HOUR, Level.GUARDED, 62.0)


@given(STEPS)
def test_level_is_never_too_low_nor_changes_too_often(steps: list[tuple[int, float, int, bool, str]]) -> None:
    """Whatever happens, there are at most six changes in any hour, and the level is what the host calls for or more."""
    posture, now = Posture(), 0
    times: list[int] = []
    for seconds, score, alerting, invariant, what in steps:
        now += seconds * SECOND
        if what == "acknowledge":
            change = posture.acknowledge(now)
        elif what == "rise":
            change = posture.rise(now, score, invariant=invariant)
            assert posture.level >= warranted(score, invariant=invariant)
        else:
            change = posture.update(now, score, alerting=alerting, invariant=invariant)
            assert posture.level >= warranted(score, alerting=alerting, invariant=invariant)
        if change is not None:
            assert (change.when, change.level) == (now, posture.level)
            times.append(now)
        assert sum(now - when < HOUR for when in times) <= CHANGES_AN_HOUR


@given(st.lists(st.floats(-5.0, 50.0), max_size=20))
def test_host_is_as_bad_as_its_worst(nats: list[float]) -> None:
    """Against a host speaks at least what speaks against its worst lineage, and at most eight times the odds of it."""
    worst = max([0.0, *nats])

    assert worst <= of_host(nats) <= worst + math.log(8.0)
    assert of_host(nats) == of_host(nats[::-1])
