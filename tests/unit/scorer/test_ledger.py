"""How evidence adds up, and how it fades."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence import Evidence, Group
from pyloader.scorer import Ledger
from pyloader.scorer.ledger import EMPTY, HALF_LIFE_NS, combine
from tests.unit.examples import SECOND, evidence

NOW = 100 * SECOND
NATS = st.floats(0.1, 12) | st.floats(-5, -0.1)
"""Weights that count; what is nearly nothing is forgotten."""

ITEMS = st.lists(
    st.builds(
        lambda nats, code, group: evidence(nats, code=f"{group}{code}", group=group),
        NATS,
        st.sampled_from("abc"),
        st.sampled_from(Group),
    ),
    max_size=8,
)


@pytest.mark.parametrize(
    ("nats", "combined"),
    [
        ([], 0.0),
        ([8.0], 8.0),
        ([8.0, 8.0], 10.0),
        ([2.0, 8.0, 4.0], 9.125),
        ([4.0, 2.0, 8.0], 9.125),
        ([8.0, -4.0], 7.0),
        ([-4.0], -4.0),
    ],
)
def test_dependent_evidence(nats: list[float], combined: float) -> None:
    """In a group the strongest counts fully, and each weaker one a quarter of the one before it."""
    assert combined == combine(nats)


def test_groups_are_added() -> None:
    """Evidence of different groups is independent, and its weights are added."""
    ledger = EMPTY.with_evidence(
        [evidence(5.0, code="a", group=Group.PROCESS), evidence(3.0, code="b", group=Group.CREDENTIALS)], NOW
    )

    assert ledger.nats(NOW) == 8.0


@given(ITEMS, st.randoms(use_true_random=False))
def test_order_does_not_matter(items: list[Evidence], chance: Random) -> None:
    """Evidence of one moment gives the same sum in any order and in any portions."""
    shuffled = list(items)
    chance.shuffle(shuffled)
    cut = chance.randint(0, len(items))
    once = EMPTY.with_evidence(items, NOW)
    twice = EMPTY.with_evidence(shuffled[:cut], NOW).with_evidence(shuffled[cut:], NOW)

    assert once.nats(NOW) == pytest.approx(twice.nats(NOW))


@given(ITEMS)
def test_seen_again_is_not_counted_twice(items: list[Evidence]) -> None:
    """The same evidence once more adds nothing."""
    once = EMPTY.with_evidence(items, NOW)

    assert once.nats(NOW) == once.with_evidence(items, NOW).nats(NOW)


@pytest.mark.parametrize("order", [(3.0, 8.0), (8.0, 3.0)])
def test_strongest_of_a_kind_remains(order: tuple[float, float]) -> None:
    """Of each kind of evidence the strongest item counts, whether it came first or last."""
    ledger = EMPTY
    for nats in order:
        ledger = ledger.with_evidence([evidence(nats)], NOW)

    assert ledger.nats(NOW) == 8.0


def test_evidence_halves_in_ten_minutes() -> None:
    """Every ten minutes half of the weight is left; before its time there is no more than all of it."""
    ledger = EMPTY.with_evidence([evidence(8.0)], NOW)

    assert HALF_LIFE_NS == 600 * SECOND
    assert [ledger.nats(NOW + age * HALF_LIFE_NS) for age in (-1, 0, 1, 2)] == [8.0, 8.0, 4.0, 2.0]


def test_weaker_evidence_replaces_what_has_faded() -> None:
    """A weak item that is fresh counts more than a strong one that has faded below it."""
    later = NOW + 2 * HALF_LIFE_NS
    ledger = EMPTY.with_evidence([evidence(8.0)], NOW).with_evidence([evidence(3.0)], later)

    assert ledger.nats(later) == 3.0


def test_faded_evidence_is_dropped() -> None:
    """What has faded to nothing leaves the ledger when new evidence comes."""
    ledger = EMPTY.with_evidence([evidence(8.0, code="old")], NOW)
    ledger = ledger.with_evidence([evidence(1.0, code="new")], NOW + 20 * HALF_LIFE_NS)

    assert list(ledger.entries) == ["new"]


def test_ledger_never_changes() -> None:
    """New evidence makes a new ledger, so that one can be shared."""
    before = EMPTY.with_evidence([evidence(8.0, code="a")], NOW)
    after = before.with_evidence([evidence(9.0, code="a"), evidence(1.0, code="b", floor=50)], NOW)

    assert before is not after
    assert (list(before.entries), before.nats(NOW), before.floor) == (["a"], 8.0, 0)
    assert EMPTY.entries == {}


def test_floor_is_the_highest() -> None:
    """The floor of a ledger is the highest that any item sets, and lower ones do not lower it."""
    ledger = EMPTY.with_evidence([evidence(code="a", floor=90)], NOW).with_evidence([evidence(code="b", floor=60)], NOW)

    assert ledger.floor == 90


def test_child_inherits_evidence_without_floor() -> None:
    """A child takes over what speaks against its parent, but not an invariant that its parent broke."""
    parent = EMPTY.with_evidence([evidence(8.0, floor=90)], NOW)
    child = parent.inherited()

    assert child.nats(NOW) == 8.0
    assert (child.floor, parent.floor) == (0, 90)


def test_ledger_without_floor_is_shared() -> None:
    """A child of an ordinary process shares its parent's ledger at no cost."""
    parent = EMPTY.with_evidence([evidence()], NOW)

    assert parent.inherited() is parent


@given(ITEMS, st.integers(0, 3))
def test_the_parts_are_the_sum(items: list[Evidence], halvings: int) -> None:
    """What the items add is the combined evidence, at any time."""
    later = NOW + halvings * HALF_LIFE_NS
    ledger = EMPTY.with_evidence(items, NOW)

    assert sum(one.adds for one in ledger.counted(later)) == pytest.approx(ledger.nats(later))


def test_ranking() -> None:
    """The strongest evidence stands first with its present weight; of equals the first by name."""
    ledger = Ledger({})
    ledger = ledger.with_evidence([evidence(8.0, code="old")], NOW - 2 * HALF_LIFE_NS)
    ledger = ledger.with_evidence([evidence(3.0, code="b"), evidence(3.0, code="a")], NOW)

    assert [(one.evidence.code, one.nats, one.adds) for one in ledger.counted(NOW)] == [
        ("a", 3.0, 3.0),
        ("b", 3.0, 0.75),
        ("old", 2.0, 0.125),
    ]


@pytest.mark.parametrize("nats", [math.nan, math.inf, -math.inf])
def test_weights_are_numbers(nats: float) -> None:
    """A weight that is no number neither silences nor outshouts the others; an invariant holds all the same."""
    before = EMPTY.with_evidence([evidence(5.0, code="a")], NOW)
    after = before.with_evidence([evidence(nats, code="a"), evidence(nats, code="b", floor=90)], NOW)

    assert (after.nats(NOW), after.floor) == (5.0, 90)
