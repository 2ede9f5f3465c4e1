"""The scorer that needs no labels: what it finds, what it refuses to learn, and what it learns in the end."""

import pytest

from pyloader.learners import AnomalyScorer, Features
from pyloader.learners.chance import Chance

ATTACK: Features = {"exe": "nginx", "child": "sh", "sent": 80_000}


def usual(chance: Chance) -> Features:
    """Return an ordinary event: the two programs have children of their own."""
    exe, children = chance.pick((("nginx", ("nginx", "gzip")), ("cron", ("sh", "date"))))
    return {"exe": exe, "child": chance.pick(children), "sent": 100 + chance.below(900)}


def after(events: int, *, attacks_every: int = 0, label: bool | None = None) -> AnomalyScorer:
    """Return a scorer that has learned 2,000 ordinary events and then some among which are attacks."""
    scorer, chance = AnomalyScorer(seed=1), Chance(2)
    for number in range(2_000 + events):
        attack = attacks_every > 0 and number >= 2_000 and number % attacks_every == 0
        scorer.learn_one(ATTACK if attack else usual(chance), label if attack else None)
    return scorer


def test_strange_company_is_found() -> None:
    """Two ordinary words that never come together score more than all ordinary events."""
    scorer, chance = after(0), Chance(3)
    strange: Features = {"exe": "nginx", "child": "sh", "sent": 500}

    assert scorer.score_one(strange) > max(scorer.score_one(usual(chance)) for _ in range(500))
    assert scorer.explain_one(strange)[0][0] in {"exe", "child"}


def test_rare_attack_does_not_become_usual() -> None:
    """An attack that repeats itself in one of 100 events is withheld from the baseline, and scores as at first."""
    scorer = after(5_000, attacks_every=100)

    assert scorer.withheld >= 45
    assert scorer.score_one(ATTACK) > 0.8 * after(0).score_one(ATTACK)


def test_new_habit_becomes_usual() -> None:
    """What makes up a quarter of the events is learned in the end: habits change."""
    scorer = after(12_000, attacks_every=4)

    assert scorer.score_one(ATTACK) < 0.5 * after(0).score_one(ATTACK)


@pytest.mark.parametrize(("label", "learned"), [(False, True), (True, False)])
def test_labels_decide_what_is_learned(label: bool, learned: bool) -> None:  # noqa: FBT001 - parameters
    """What is known to be benign is learned at once, what is known not to be never is."""
    before, scorer = after(0).score_one(ATTACK), after(3_000, attacks_every=50, label=label)

    assert (scorer.score_one(ATTACK) < 0.7 * before) == learned


def test_far_numbers_alone_cannot_drown_the_rest() -> None:
    """However far out a number is, it raises the score by a bounded amount."""
    scorer = after(0)
    near: Features = {"exe": "cron", "child": "date", "sent": 10**6}
    far: Features = {**near, "sent": 10**30}

    assert scorer.score_one(far) == pytest.approx(scorer.score_one(near), abs=0.5)
