"""What every learner of dictionaries keeps to: the convention of river, and this project's bounds and repeatability."""

import copy
import math
from collections.abc import Callable
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.learners import AnomalyScorer, ConvexLearner, EnsembleLearner, Features, PopulationLearner
from pyloader.learners.chance import Chance


class Learner(Protocol):
    """A learner of dictionaries."""

    @property
    def evicted(self) -> dict[str, int]:
        """How much was forgotten."""

    def learn_one(self, x: Features, y: bool | None = None) -> None:  # noqa: FBT001 - the convention of river
        """Learn from one dictionary."""

    def score_one(self, x: Features) -> float:
        """Score one dictionary."""


LEARNERS: dict[str, Callable[[], Learner]] = {
    "anomaly": lambda: AnomalyScorer(seed=7),
    "convex": ConvexLearner,
    "pairs": lambda: ConvexLearner(pairs=True),
    "populations": lambda: PopulationLearner(seed=7),
    "ensemble": lambda: EnsembleLearner(seed=7),
}
every_learner = pytest.mark.parametrize("new", LEARNERS.values(), ids=LEARNERS)

words = st.text(max_size=3)
values = st.one_of(words, st.booleans(), st.integers(), st.floats(allow_nan=True, allow_infinity=True))
dictionaries = st.dictionaries(words, values, max_size=5)


def events(count: int, seed: int = 1) -> list[tuple[Features, bool | None]]:
    """Return events of which every eighth is an attack, and every third has a label."""
    chance = Chance(seed)
    made: list[tuple[Features, bool | None]] = []
    for number in range(count):
        attack = number % 8 == 0
        x: Features = {
            "exe": chance.pick(("nginx", "cron", "sshd")),
            "child": "sh" if attack else chance.pick(("date", "ls", "true")),
            "sent": 9_000.0 + chance.below(100) if attack else chance.below(50),
            "root": attack or chance.below(2) == 0,
        }
        made.append((x, attack if number % 3 == 0 else None))
    return made


def learned(new: Callable[[], Learner], count: int = 200) -> Learner:
    """Return a learner that has seen some events."""
    learner = new()
    for x, y in events(count):
        learner.learn_one(x, y)
    return learner


def turned_round(x: Features) -> Features:
    """Return the same features in the opposite order."""
    return {name: x[name] for name in reversed(list(x))}


@every_learner
def test_attacks_score_higher(new: Callable[[], Learner]) -> None:
    """After some labels, or none for the one that needs none, attacks score higher than the rest on average."""
    learner = learned(new, 400)
    scores: dict[bool, list[float]] = {True: [], False: []}
    for number, (x, _) in enumerate(events(400, seed=2)):
        scores[number % 8 == 0].append(learner.score_one(x))

    assert sum(scores[True]) / len(scores[True]) > max(scores[False])


@every_learner
def test_score_needs_no_learning(new: Callable[[], Learner]) -> None:
    """A learner that has seen nothing scores whatever comes, the empty dictionary as well."""
    assert math.isfinite(new().score_one({}))
    assert math.isfinite(new().score_one({"new": 1, "other": "word"}))


@every_learner
def test_dictionary_is_not_changed(new: Callable[[], Learner]) -> None:
    """Neither learning nor scoring changes what it is given."""
    learner, x = new(), dict(events(1)[0][0])
    before = copy.deepcopy(x)

    learner.learn_one(x, y=True)
    learner.score_one(x)

    assert x == before
    assert list(x) == list(before)


@every_learner
def test_order_of_features_means_nothing(new: Callable[[], Learner]) -> None:
    """The same features in another order get the same score, and teach the same."""
    straight, turned = new(), new()
    for x, y in events(200):
        straight.learn_one(x, y)
        turned.learn_one(turned_round(x), y)

    for x, _ in events(50, seed=3):
        assert straight.score_one(x) == turned.score_one(turned_round(x))


@every_learner
def test_features_may_come_and_go(new: Callable[[], Learner]) -> None:
    """Features that were never seen, and the absence of known ones, are no errors, and change no type of a score."""
    learner = learned(new)

    odd: tuple[Features, ...] = ({}, {"exe": "nginx"}, {"unseen": "x"}, {"exe": 3, "sent": "many"})
    for x in odd:
        learner.learn_one(x, y=False)
        learner.learn_one(x)

        assert isinstance(learner.score_one(x), float)
        assert math.isfinite(learner.score_one(x))


@every_learner
def test_same_seed_gives_the_same(new: Callable[[], Learner]) -> None:
    """Two learners with one seed that saw the same say the same, to the last bit."""
    one, other = learned(new), learned(new)

    assert [one.score_one(x) for x, _ in events(60, seed=4)] == [other.score_one(x) for x, _ in events(60, seed=4)]


@every_learner
def test_scoring_changes_nothing(new: Callable[[], Learner]) -> None:
    """A learner that was asked much learns the same as one that was never asked."""
    asked, quiet = new(), new()
    for x, y in events(200):
        asked.score_one(x)
        asked.learn_one(x, y)
        quiet.learn_one(x, y)

    assert [asked.score_one(x) for x, _ in events(40, seed=5)] == [quiet.score_one(x) for x, _ in events(40, seed=5)]


@every_learner
def test_copy_goes_on_alike(new: Callable[[], Learner]) -> None:
    """A learner is nothing but its state: a deep copy in the middle comes to the same scores."""
    learner = learned(new, 150)
    twin = copy.deepcopy(learner)
    for x, y in events(150, seed=6):
        learner.learn_one(x, y)
        twin.learn_one(x, y)

    assert [learner.score_one(x) for x, _ in events(40)] == [twin.score_one(x) for x, _ in events(40)]


@every_learner
def test_evictions_are_counted(new: Callable[[], Learner]) -> None:
    """Each learner says what it has forgotten, and has forgotten nothing at first."""
    assert set(new().evicted.values()) == {0}


@every_learner
@given(st.lists(st.tuples(dictionaries, st.sampled_from((None, True, False))), max_size=12), dictionaries)
def test_scores_are_finite(
    new: Callable[[], Learner], seen: list[tuple[Features, bool | None]], asked: Features
) -> None:
    """Whatever was learned, any dictionary of words, numbers and truth values gets a finite score."""
    learner = new()
    for x, y in seen:
        learner.learn_one(x, y)

    assert math.isfinite(learner.score_one(asked))
