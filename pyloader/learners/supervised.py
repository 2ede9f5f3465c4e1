"""Learners of labelled dictionaries: a convex one, populations, and populations that feed the convex one.

All follow the convention of river: `learn_one(x, y)` returns nothing, `score_one(x)` a number that is greater for what
is more likely positive. `y` is None for what nobody labelled; that counts as background.
"""

from collections.abc import Hashable
from itertools import combinations
from typing import Final

from pyloader.learners.literals import Features, literals
from pyloader.learners.logistic import LogisticRegression
from pyloader.learners.repertoire import GROUPS, Repertoire
from pyloader.learners.reservoir import Literals

BIAS: Final = -3.0
"""Positives are rare: that is the log-odds of an event nothing is known of."""

LABELS_PER_GENERATION: Final = 10
EVENTS_PER_GENERATION: Final = 4_096


class ConvexLearner:
    """Logistic regression on the literals of an event, and with `pairs` on all pairs of them as well.

    With n features there are n²/2 pairs: they are for comparison, and for few features.
    """

    def __init__(self, *, pairs: bool = False) -> None:
        self.pairs = pairs
        self._model: LogisticRegression[Hashable] = LogisticRegression(bias=BIAS)

    @property
    def evicted(self) -> dict[str, int]:
        """How many weights were forgotten."""
        return {"weights": self._model.evicted}

    def learn_one(self, x: Features, y: bool | None = None) -> None:  # noqa: FBT001 - the convention of river
        """Learn from a label; what has none teaches nothing here."""
        if y is not None:
            self._model.learn(self._features(x), positive=y)

    def score_one(self, x: Features) -> float:
        """Return the log-odds of a positive, in nats."""
        return self._model.margin(self._features(x))

    def _features(self, x: Features) -> dict[Hashable, float]:
        shown = literals(x)
        features: dict[Hashable, float] = dict.fromkeys(shown, 1.0)
        if self.pairs:
            features.update(dict.fromkeys(combinations(shown, 2), 1.0))
        return features


class PopulationLearner:
    """Populations of units on the literals of an event, without any convex learner: the score is what they vote.

    Each of the populations sees all literals and breeds by itself, so they are degenerate in Edelman's sense: several
    ways to the same answer. A generation passes after every ten labels, or 4,096 events.
    """

    def __init__(self, *, seed: int, populations: int = 2) -> None:
        self.repertoire = Repertoire(seed=seed)
        self._groups = range(min(GROUPS, populations))
        self._labels = 0
        self._events = 0

    @property
    def evicted(self) -> dict[str, int]:
        """How many signatures and units were forgotten."""
        return self.repertoire.evicted

    def learn_one(self, x: Features, y: bool | None = None) -> None:  # noqa: FBT001 - the convention of river
        """Count an event as background and, if it has a label, let that select."""
        self._learn(literals(x), y)

    def score_one(self, x: Features) -> float:
        """Return the mean vote, 0 to 4 nats."""
        shown = literals(x)
        return sum(self.repertoire.respond(group, shown).vote for group in self._groups) / len(self._groups)

    def _learn(self, shown: Literals, y: bool | None) -> None:  # noqa: FBT001
        for group in self._groups:
            self.repertoire.observe(group, shown)
            if y is not None:
                self.repertoire.reward(group, shown, 1.0 if y else -1.0)
        self._events += 1
        self._labels += y is not None
        if self._labels >= LABELS_PER_GENERATION or self._events >= EVENTS_PER_GENERATION:
            self._labels = self._events = 0
            self.repertoire.generation()


class EnsembleLearner(PopulationLearner):
    """Populations whose votes and awake units are features of a logistic regression, beside the literals themselves.

    The votes start with a weight of 1 together, as the log likelihood-ratios that they are; all else starts with 0.
    """

    def __init__(self, *, seed: int, populations: int = 2) -> None:
        super().__init__(seed=seed, populations=populations)
        votes: dict[Hashable, float] = {("vote", group): 1.0 / len(self._groups) for group in self._groups}
        self._model: LogisticRegression[Hashable] = LogisticRegression(bias=BIAS, prior=votes)

    @property
    def evicted(self) -> dict[str, int]:
        """How many signatures, units and weights were forgotten."""
        return {**super().evicted, "weights": self._model.evicted}

    def learn_one(self, x: Features, y: bool | None = None) -> None:  # noqa: FBT001 - the convention of river
        """Learn from a label with what the populations say before it, then let it select them."""
        shown = literals(x)
        if y is not None:
            self._model.learn(self._features(shown), positive=y)
        self._learn(shown, y)

    def score_one(self, x: Features) -> float:
        """Return the log-odds of a positive, in nats."""
        return self._model.margin(self._features(literals(x)))

    def _features(self, shown: Literals) -> dict[Hashable, float]:
        features: dict[Hashable, float] = dict.fromkeys(shown, 1.0)
        for group in self._groups:
            response = self.repertoire.respond(group, shown)
            if response.vote:
                features["vote", group] = response.vote
            for unit in response.units:
                features[("unit", unit)] = 1.0
        return features
