"""Logistic regression on sparse features."""

import math
from collections.abc import Hashable

import pytest

from pyloader.learners import LogisticRegression, sigmoid
from pyloader.learners.chance import Chance
from pyloader.learners.logistic import LARGEST


def test_probabilities_of_the_world_are_learned() -> None:
    """Of a world with two independent causes of known weight the learned log-odds are near the true ones."""
    chance = Chance(3)
    model: LogisticRegression[str] = LogisticRegression()
    for _ in range(20_000):
        features = {name: 1.0 for name in ("a", "b") if chance.below(2)}
        truth = -2.0 + 3.0 * ("a" in features) + 1.0 * ("b" in features)
        model.learn(features, positive=chance.share() < sigmoid(truth))

    assert model.margin({}) == pytest.approx(-2.0, abs=0.25)
    assert model.weight("a") == pytest.approx(3.0, abs=0.35)
    assert model.weight("b") == pytest.approx(1.0, abs=0.35)


def test_weights_are_bounded() -> None:
    """However often one thing is said, no weight leaves its bounds."""
    model: LogisticRegression[str] = LogisticRegression(rate=5.0)
    for _ in range(500):
        model.learn({"sure": 1.0, "far": 1e6}, positive=True, weight=100.0)

    assert 0.0 < model.weight("sure") <= LARGEST
    assert 0.0 < model.weight("far") <= LARGEST
    assert math.isfinite(model.margin({"sure": 1.0, "far": 1e6}))


def test_prior_weights_hold_until_labels_come() -> None:
    """A feature with a prior weight speaks before any label, and labels can turn it."""
    model: LogisticRegression[Hashable] = LogisticRegression(prior={"vote": 1.0})

    assert model.margin({"vote": 2.5}) == 2.5

    for _ in range(200):
        model.learn({"vote": 2.5}, positive=False)

    assert model.margin({"vote": 2.5}) < -2.0


def test_features_are_forgotten_and_counted() -> None:
    """A million names cannot fill the memory: those not seen for long are forgotten."""
    model: LogisticRegression[str] = LogisticRegression(capacity=100)
    for number in range(1_000):
        model.learn({"steady": 1.0, f"new{number}": 1.0}, positive=number % 2 == 0)

    assert model.evicted >= 800
    assert model.weight("new0") == 0.0
    assert model.weight("steady") != 0.0
