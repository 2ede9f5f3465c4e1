"""The scale from 0 to 100."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.scorer import in_words, nats_for, score, threshold_for
from pyloader.scorer.scale import CALM, score_of

DAY = 86_400
UNITS = {"second": 1.0, "minute": 60.0, "hour": 3_600.0, "day": DAY, "year": 365.25 * DAY}


@pytest.mark.parametrize(
    ("nats", "points"),
    [
        (0.0, 22.2),
        (7.33, 62.0),
        (math.log(DAY / 60), 61.7),
        (math.log(30 * DAY / 60), 80.2),
        (-4.1, 0.0),
        (-1000.0, 0.0),
        (14.4, 100.0),
        (1e300, 100.0),
    ],
)
def test_score_of_evidence(nats: float, points: float) -> None:
    """A score is 12.5 points for each power of ten of the seconds between two such chances, clipped to 0 and 100."""
    assert points == score(nats)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_more_evidence_never_scores_less(one: float, other: float) -> None:
    """The scale is monotone and stays between 0 and 100."""
    assert 0.0 <= score(min(one, other)) <= score(max(one, other)) <= 100.0


@given(st.floats(0.1, 99.9))
def test_evidence_for_a_score(points: float) -> None:
    """The evidence that is named for a score gives that score."""
    assert score(nats_for(points)) == pytest.approx(points, abs=0.051)


def test_calm() -> None:
    """What has no evidence is calm: a minute's chance."""
    assert pytest.approx(12.5 * math.log10(60), abs=0.05) == CALM


@given(st.floats(0.01, 1_000.0))
def test_threshold_keeps_its_promise(alerts_a_day: float) -> None:
    """The threshold for so many alerts a day is the score of what comes so often."""
    assert threshold_for(alerts_a_day) == pytest.approx(score_of(math.log(DAY / alerts_a_day)), abs=0.051)


@pytest.mark.parametrize(
    ("alerts_a_day", "points"), [(1e9, 0.0), (1e-9, 100.0), (10.0, 49.2), (1.0, 61.7), (1 / 7, 72.3)]
)
def test_thresholds(alerts_a_day: float, points: float) -> None:
    """Ten a day are 49, one a day 62 and one a week 72; what nobody can promise is the end of the scale."""
    assert round(threshold_for(alerts_a_day), 1) == points


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "more than once a second"),
        (1.0, "about once a second"),
        (44.0, "about once in 44 seconds"),
        (60.0, "about once a minute"),
        (3_600.0, "about once an hour"),
        (7_200.0, "about once in 2 hours"),
        (86_400.0, "about once a day"),
        (7 * 86_400.0, "about once in 7 days"),
        (365.25 * 86_400.0, "about once a year"),
        (9.9 * 365.25 * 86_400.0, "about once in 10 years"),
        (10 * 365.25 * 86_400.0, "less than once in 10 years"),
        (math.inf, "less than once in 10 years"),
    ],
)
def test_words(seconds: float, words: str) -> None:
    """A return period is told in the largest unit that it fills."""
    assert in_words(seconds) == words


@given(st.floats(0.0, 1e13))
def test_words_are_true(seconds: float) -> None:
    """What is told is within half of what is meant."""
    told = in_words(seconds)
    unit = next(length for name, length in UNITS.items() if name in told)
    count = next((int(word) for word in told.split() if word.isdigit()), 1)
    if told.startswith("more"):
        assert seconds < 0.75
    elif told.startswith("less"):
        assert seconds >= count * unit
    else:
        assert 0.5 * seconds <= count * unit <= 1.5 * seconds
