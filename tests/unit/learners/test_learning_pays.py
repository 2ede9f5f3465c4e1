"""Learning earns its place: with the same few labels, who finds the attacks of a made-up stream?

The stream and the labels are those of `tests/bench/bench_learning.py`, shorter. One in a hundred events is an attack,
by one of eight hidden conjunctions; about 1.3 % of the events are labelled. What is compared is average precision,
which is .01 for whoever knows nothing.
"""

from collections.abc import Sequence
from statistics import fmean

import pytest

from tests.bench.bench_learning import LEARNERS, labels, precision
from tests.bench.worlds import drifting

SEEDS = range(5)
EVENTS = 24_000


@pytest.fixture(name="precisions", scope="module")
def _precisions() -> dict[str, Sequence[float]]:
    """Return the average precision of three learners by seed."""
    found: dict[str, list[float]] = {"no learning": [], "singles": [], "ensemble": []}
    for seed in SEEDS:
        stream = list(drifting(EVENTS, seed, drift_every=EVENTS // 3))
        labelled = labels(stream, seed)
        for who, values in found.items():
            values.append(precision(LEARNERS[who](seed), stream, labelled))
    return dict(found)


def test_ensemble_beats_the_convex_learner_alone(precisions: dict[str, Sequence[float]]) -> None:
    """Populations that feed the convex learner find more than it finds alone: by .05 on average, and for most seeds."""
    better = [one > other for one, other in zip(precisions["ensemble"], precisions["singles"], strict=True)]

    assert fmean(precisions["ensemble"]) > fmean(precisions["singles"]) + 0.05
    assert sum(better) >= 4


def test_learning_beats_no_learning(precisions: dict[str, Sequence[float]]) -> None:
    """For every seed both learners of labels find at least five times what is found without labels."""
    for who in ("singles", "ensemble"):
        pairs = zip(precisions[who], precisions["no learning"], strict=True)
        assert all(one > 5 * other for one, other in pairs)
