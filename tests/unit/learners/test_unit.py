"""The weight of a unit, and what it can and cannot be talked into."""

import math

from hypothesis import given
from hypothesis import strategies as st

from pyloader.learners.unit import STRONGEST, Origin, Totals, Unit, weight

counts = st.floats(0.0, 1e6)


@given(counts, counts, counts, st.tuples(counts, counts, counts))
def test_weight_is_bounded(n1: float, n0: float, awake: float, others: tuple[float, float, float]) -> None:
    """Whatever the counts are, the weight is 0 to 4 nats."""
    totals = Totals(n1 + others[0], n0 + others[1], awake + others[2])

    assert 0.0 <= weight(n1, n0, awake, totals) <= STRONGEST


@given(counts, counts)
def test_unconfirmed_unit_is_silent(n0: float, background: float) -> None:
    """A unit that was never awake at a positive says nothing, however rare it is."""
    assert weight(0.0, n0, 0.0, Totals(5.0, n0 + 100.0, background)) == 0.0


def test_frequent_in_the_background_weighs_little() -> None:
    """Of two units with the same labels the one that is awake more often in the unlabelled stream weighs less."""
    totals = Totals(10.0, 100.0, 100_000.0)
    weights = [weight(3.0, 0.0, awake, totals) for awake in (10.0, 5_000.0, 10_000.0, 50_000.0)]

    assert weights == sorted(weights, reverse=True)
    assert weights[0] > 3.0
    assert weights[-1] == 0.0


def test_denial_silences() -> None:
    """Negative labels take the weight of a unit down to nothing."""
    totals = Totals(10.0, 100.0, 100_000.0)

    assert weight(1.0, 0.0, 10.0, totals) > 1.0 > weight(1.0, 20.0, 10.0, totals)
    assert weight(1.0, 50.0, 10.0, totals) == 0.0


def test_innate_unit_is_never_unlearned() -> None:
    """A thousand denials do not take from an innate unit what it was born with."""
    unit = Unit(0, ("a=1",), origin=Origin.INNATE, floor=2.0)
    unit.negatives = unit.background = 1_000.0
    unit.weigh(0.0, 1_000.0, 1_000.0)

    assert math.isclose(unit.llr, 2.0)
