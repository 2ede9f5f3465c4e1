"""The scale from 0 to 100."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.scorer import nats_for, score
from pyloader.scorer.scale import CALM

DAY = 86_400


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
