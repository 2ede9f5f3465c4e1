"""Does learning earn its place? Average precision of five learners with the same few labels, over several seeds.

Two streams. "drifting": made-up events of ten words, 1 % of them attacks by hidden conjunctions which change
(`tests/bench/worlds.py`). "KDD99": normal connections in their order, and up to 20 attacks of each of its kinds at
places drawn by chance. Every event is scored and then learned. Labels are given to the
first ten attacks, as after a drill; then to those 1 % of each 500 events that the convex learner on single literals
scores highest; and to .3 % by chance. All learners get exactly these labels, so the convex learner has chosen what it
is told, which favours it. The first third of a stream is not judged.

"no learning" is the anomaly scorer, which needs no label. The others are logistic regression on single literals, the
same on singles and pairs, populations alone, and populations that feed the logistic regression ("ensemble"). Pairs are
left out for KDD99: its 41 features have 820 of them. Figures: average precision, and microseconds per event with all
that it takes.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from pyloader.learners import AnomalyScorer, ConvexLearner, EnsembleLearner, PopulationLearner
from tests.bench import corpus_streams, worlds
from tests.bench.corpus_streams import Features
from tests.bench.figures import CannotMeasureError, Figure, figure
from tests.bench.ranking import average_precision

TITLE = "learning from few labels"
ROUNDS = 5

EVENTS = 40_000
ALERTED = 0.01
AUDITED = 0.003
WINDOW = 500
DRILL = 10

Stream = Sequence[tuple[Features, bool]]


class Learner(Protocol):
    """What is compared."""

    def learn_one(self, x: Features, y: bool | None = None) -> None:  # noqa: FBT001 - the convention of river
        """Learn an event, with its label if it has one."""

    def score_one(self, x: Features) -> float:
        """Return a number that is greater for what is more likely an attack."""


LEARNERS: dict[str, Callable[[int], Learner]] = {
    "no learning": lambda seed: AnomalyScorer(seed=seed),
    "singles": lambda _: ConvexLearner(),
    "singles and pairs": lambda _: ConvexLearner(pairs=True),
    "populations": lambda seed: PopulationLearner(seed=seed),
    "ensemble": lambda seed: EnsembleLearner(seed=seed),
}


def measure(rounds: int) -> list[Figure]:
    """Measure all learners on both streams."""
    precisions: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    for seed in range(rounds):
        for name, stream in _streams(seed).items():
            labelled = labels(stream, seed)
            for who, new in LEARNERS.items():
                if name == "drifting" or who != "singles and pairs":
                    begin = time.process_time()
                    precisions.setdefault(f"{name}, {who}", []).append(precision(new(seed), stream, labelled))
                    costs.setdefault(f"{name}, {who}", []).append((time.process_time() - begin) / len(stream) * 1e6)
    figures = [figure(f"{name}: average precision", "", values) for name, values in precisions.items()]
    return figures + [figure(f"{name}: per event", "µs", values) for name, values in costs.items()]


def labels(stream: Stream, seed: int) -> set[int]:
    """Return the places of the events that get a label."""
    chance, learner = random.Random(seed), ConvexLearner()
    chosen = set([place for place, (_, attack) in enumerate(stream) if attack][:DRILL])
    for begin in range(0, len(stream), WINDOW):
        window = range(begin, min(begin + WINDOW, len(stream)))
        # Events that nothing is known of score the same; chance decides among them.
        scores = {place: learner.score_one(stream[place][0]) + 1e-6 * chance.random() for place in window}
        chosen.update(sorted(window, key=scores.__getitem__, reverse=True)[: round(ALERTED * WINDOW)])
        chosen.update(place for place in window if chance.random() < AUDITED)
        for place in window:
            if place in chosen:
                learner.learn_one(*stream[place])
    return chosen


def precision(learner: Learner, stream: Stream, labelled: set[int]) -> float:
    """Return the average precision after the first third, where each event is scored before it is learned."""
    scored = []
    for place, (x, attack) in enumerate(stream):
        score = learner.score_one(x)
        if place >= len(stream) // 3:
            scored.append((score, attack))
        learner.learn_one(x, attack if place in labelled else None)
    return average_precision(scored)


def _streams(seed: int) -> dict[str, Stream]:
    streams: dict[str, Stream] = {"drifting": list(worlds.drifting(EVENTS, seed))}
    try:
        rows = corpus_streams.read("KDD99")
    except CannotMeasureError:
        return streams
    chance = random.Random(seed)
    normal = [row.x for row in rows if not row.attack]
    begin = chance.randrange(len(normal) - EVENTS)
    mixed = [(float(place), x, False) for place, x in enumerate(normal[begin : begin + EVENTS])]
    mixed += [(chance.random() * EVENTS, row.x, True) for row in corpus_streams.each_kind(rows, 20, chance)]
    return {**streams, "KDD99": [(x, attack) for _, x, attack in sorted(mixed, key=lambda one: one[0])]}
