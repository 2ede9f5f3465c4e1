"""What the anomaly scorer finds on KDD99 and NSL-KDD, beside a z-score per feature and river's HalfSpaceTrees.

Two ways to use them, on the same events for all three. "clean": learn the first half of the normal connections, as
known to be benign, at most 10,000 of them, drawn by chance; then score some of the second half, without learning.
"stream": after the same beginning, score and then learn, without labels, 10,000 later events in their order, of which
attacks are 1 %. NSL-KDD has no order; it is shuffled. Every round draws other events.

The z-score is the mean over the numbers of |x - mean| / deviation. HalfSpaceTrees (Tan, Ting and Liu, IJCAI 2011) have
their defaults, behind river's MinMaxScaler, and see the numbers only. Figures are the area under the ROC curve, and the
share of attacks that is found at 0.1 % and at 1 % false positives. KDD99 is old, much repeats itself in it, and neither
it nor NSL-KDD is a host's stream: these are figures of the learner, not of the sensor.
"""

import math
import random
from typing import Protocol

from pyloader.learners import AnomalyScorer
from tests.bench import corpus_streams
from tests.bench.corpus_streams import Features, Labelled
from tests.bench.figures import CannotMeasureError, Figure, figure
from tests.bench.ranking import auroc, true_positive_rate

TITLE = "anomalies in labelled streams"
ROUNDS = 3

LEARNED = 10_000
SCORED = 10_000
ATTACKS = 0.01


class Scorer(Protocol):
    """What is compared."""

    def learn_one(self, x: Features) -> None:
        """Learn an event nobody labelled."""

    def learn_benign(self, x: Features) -> None:
        """Learn an event that is known to be benign."""

    def score_one(self, x: Features) -> float:
        """Return a number that is greater for what is more unusual."""


class Ours(AnomalyScorer):
    """The anomaly scorer, which makes a difference between what is known to be benign and what is not."""

    def learn_benign(self, x: Features) -> None:
        """Learn an event that is known to be benign."""
        self.learn_one(x, y=False)


class ZScore:
    """Running mean and variance of each number (Welford 1962)."""

    def __init__(self) -> None:
        self._known: dict[str, list[float]] = {}

    def learn_one(self, x: Features) -> None:
        """Learn an event."""
        for name, value in x.items():
            if not isinstance(value, str):
                known = self._known.setdefault(name, [0.0, 0.0, 0.0])
                known[0] += 1.0
                apart = value - known[1]
                known[1] += apart / known[0]
                known[2] += apart * (value - known[1])

    learn_benign = learn_one

    def score_one(self, x: Features) -> float:
        """Return the mean distance in standard deviations, of each number at most a million."""
        distances = [
            min(1e6, abs(value - known[1]) / (math.sqrt(known[2] / known[0]) + 1e-9))
            for name, value in x.items()
            if not isinstance(value, str) and (known := self._known.get(name))
        ]
        return sum(distances) / max(1, len(distances))


class Trees:
    """river's HalfSpaceTrees behind its MinMaxScaler."""

    def __init__(self, seed: int) -> None:
        try:
            from river import anomaly, preprocessing  # noqa: PLC0415 - it is needed for this bench only
        except ImportError as error:
            msg = "river cannot be imported: pip install river"
            raise CannotMeasureError(msg) from error
        self._model = preprocessing.MinMaxScaler() | anomaly.HalfSpaceTrees(seed=seed)

    def learn_one(self, x: Features) -> None:
        """Learn an event."""
        self._model.learn_one({name: value for name, value in x.items() if not isinstance(value, str)})

    learn_benign = learn_one

    def score_one(self, x: Features) -> float:
        """Return river's score."""
        return float(self._model.score_one({name: value for name, value in x.items() if not isinstance(value, str)}))


def measure(rounds: int) -> list[Figure]:
    """Measure both streams, both ways."""
    figures = []
    for name in corpus_streams.NAMES:
        rows = corpus_streams.read(name)
        for way in ("clean", "stream"):
            values: dict[str, list[tuple[float, ...]]] = {}
            for seed in range(rounds):
                learned, scored = _drawn(rows, seed, ordered=name == "KDD99", clean=way == "clean")
                for who, scorer in _scorers(seed).items():
                    values.setdefault(who, []).append(_quality(scorer, learned, scored, learns=way == "stream"))
            for who, measured in values.items():
                areas, few, many = zip(*measured, strict=True)
                figures += [
                    figure(f"{name}, {way}, {who}: AUROC", "", areas),
                    figure(f"{name}, {way}, {who}: found at 0.1 %", "", few),
                    figure(f"{name}, {way}, {who}: found at 1 %", "", many),
                ]
    return figures


def _scorers(seed: int) -> dict[str, Scorer]:
    return {"pyloader": Ours(seed=seed), "z-score": ZScore(), "HalfSpaceTrees": Trees(seed)}


def _drawn(rows: list[Labelled], seed: int, *, ordered: bool, clean: bool) -> tuple[list[Features], list[Labelled]]:
    """Return what is learned at the beginning, and what is scored."""
    chance = random.Random(seed)
    rows = rows if ordered else chance.sample(rows, len(rows))
    before, after = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    normal = [row.x for row in before if not row.attack]
    places = sorted(chance.sample(range(len(normal)), min(LEARNED, len(normal))))
    learned = [normal[place] for place in places]
    if clean:
        return learned, chance.sample(after, min(2 * SCORED, len(after)))
    after = corpus_streams.thinned(after, ATTACKS, chance)
    begin = chance.randrange(max(1, len(after) - SCORED))
    return learned, after[begin : begin + SCORED]


def _quality(
    scorer: Scorer, learned: list[Features], scored: list[Labelled], *, learns: bool
) -> tuple[float, float, float]:
    """Return the area, and the shares that are found at 0.1 % and 1 % false positives."""
    for x in learned:
        scorer.learn_benign(x)
    negatives: list[float] = []
    positives: list[float] = []
    for row in scored:
        (positives if row.attack else negatives).append(scorer.score_one(row.x))
        if learns:
            scorer.learn_one(row.x)
    return (
        auroc(negatives, positives),
        true_positive_rate(negatives, positives, 0.001),
        true_positive_rate(negatives, positives, 0.01),
    )
