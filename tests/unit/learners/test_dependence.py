"""The tree of dependences between features, and the surprise under it."""

import math

from pyloader.learners.chance import Chance
from pyloader.learners.dependence import DependenceTree, tree


def test_dependent_features_are_linked_and_others_are_not() -> None:
    """Of a chain a → b → c and a feature of its own, the links of the chain are found and nothing else."""
    chance, sample = Chance(1), []
    for _ in range(800):
        a = chance.below(4)
        b = a if chance.below(10) else chance.below(4)
        c = b if chance.below(10) else chance.below(4)
        sample.append({"a": f"a={a}", "b": f"b={b}", "c": f"c={c}", "alone": f"alone={chance.below(4)}"})

    assert {frozenset(link) for link in tree(sample).items()} == {frozenset("ab"), frozenset("bc")}


def test_company_makes_the_surprise() -> None:
    """A word that half of all events show is surprising beside one that it never came with."""
    learned = DependenceTree(1)
    for number in range(600):
        kind = "ab"[number % 2]
        learned.learn({"user": f"user={kind}", "shell": f"shell={kind}"})
    usual = sum(learned.surprises({"user": "user=a", "shell": "shell=a"}).values())
    strange = sum(learned.surprises({"user": "user=a", "shell": "shell=b"}).values())

    assert usual < 1.0
    assert strange > usual + 5.0


def test_surprise_is_limited_by_what_was_seen() -> None:
    """Nothing is more surprising than one in as many events as were learned."""
    learned = DependenceTree(1)
    for _ in range(99):
        learned.learn({"user": "user=a", "shell": "shell=a"})

    assert all(0.0 <= value <= math.log(100) for value in learned.surprises({"user": "user=z", "x": "x=1"}).values())
