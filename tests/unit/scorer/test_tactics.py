"""How far an attack has come: the tactics of a lineage, and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence import Evidence, Group
from pyloader.scorer.tactics import HALF_LIFE_NS, MOST, SIGN_NATS, TACTICS, Tactics, tactic_of
from tests.unit.examples import MINUTE, process

SUSPECT = process()
IN_ORDER = ("T1190", "T1059", "T1053", "T1548", "T1027", "T1003", "T1046", "T1021", "T1560", "T1071", "T1041", "T1485")
"""A technique of each tactic."""


def sign(technique: str, nats: float = 5.0) -> Evidence:
    """Return evidence of a technique."""
    return Evidence("sample", Group.PROCESS, nats, "a text", technique, SUSPECT)


def shown(*techniques: str, apart: int = MINUTE) -> Tactics:
    """Return the tactics of a lineage that showed these techniques one after the other."""
    tactics = Tactics()
    for number, technique in enumerate(techniques):
        tactics = tactics.with_evidence([sign(technique)], number * apart)
    return tactics


def test_every_tactic_has_its_place() -> None:
    """Techniques belong to the tactic that they stand for, with or without a number of their own below it."""
    assert [tactic_of(technique) for technique in IN_ORDER] == list(range(len(TACTICS)))
    assert tactic_of("T1059.004") == tactic_of("T1059")
    assert [tactic_of(technique) for technique in ("", "T9999", "x", "T105")] == [None] * 4


@pytest.mark.parametrize("item", [sign("T1059", SIGN_NATS - 0.01), sign(""), sign("T9999"), sign("T1059", -9.0)])
def test_irrelevant_items(item: Evidence) -> None:
    """What administrators do daily, and what stands for no tactic, is no sign."""
    tactics = shown("T1059")

    assert tactics.with_evidence([item], MINUTE) is tactics


def test_one_tactic_is_no_sequence() -> None:
    """The same tactic in many ways and times is worth nothing."""
    assert shown("T1059", "T1203", "T1059.004", "T1588").bonus(0) == 0.0


def test_order_counts() -> None:
    """Two tactics are worth 1.5 nats, and half a nat more in the order in which attackers go."""
    now = MINUTE

    assert shown("T1071", "T1059").bonus(now) == pytest.approx(1.5, abs=0.01)
    assert shown("T1059", "T1071").bonus(now) == pytest.approx(2.0, abs=0.01)


def test_at_once_is_no_order() -> None:
    """What was shown in one moment has no order."""
    tactics = Tactics().with_evidence([sign("T1059"), sign("T1071")], 0)

    assert tactics.bonus(0) == 1.5


def test_bonus_has_an_end() -> None:
    """The longest chain is worth six nats."""
    assert shown(*IN_ORDER).bonus(12 * MINUTE) == MOST


def test_half_is_left_after_a_day() -> None:
    """A day later half is left of the bonus; what was not repeated for three days is forgotten with the next sign."""
    tactics = shown("T1059", "T1071", apart=0)

    assert [tactics.bonus(day * HALF_LIFE_NS) for day in (0, 1, 2)] == [1.5, 0.75, 0.375]
    assert len(tactics.with_evidence([sign("T1003")], 3 * HALF_LIFE_NS).signs) == 1
    assert len(tactics.with_evidence([sign("T1003")], 3 * HALF_LIFE_NS - 1).signs) == 3


def test_a_repeated_sign_is_fresh() -> None:
    """A tactic that is shown again keeps its place in the order and has its full weight again."""
    tactics = shown("T1059", "T1071", apart=MINUTE).with_evidence([sign("T1059"), sign("T1071")], HALF_LIFE_NS)

    assert tactics.bonus(HALF_LIFE_NS) == 2.0
    assert tactics.in_words() == "execution and command and control"


@given(st.lists(st.sampled_from(IN_ORDER), max_size=20), st.integers(0, 5))
def test_bonus_is_bounded_and_fades(techniques: list[str], days: int) -> None:
    """Whatever is shown, the bonus lies between 0 and 6, and only falls until more is shown."""
    tactics = shown(*techniques)
    now = len(techniques) * MINUTE

    assert 0.0 <= tactics.bonus(now + days * HALF_LIFE_NS) <= tactics.bonus(now) <= MOST
    assert len(tactics.signs) <= len(TACTICS)


@given(st.lists(st.sampled_from(IN_ORDER), max_size=8), st.sampled_from(IN_ORDER))
def test_more_signs_never_lower_the_bonus(techniques: list[str], another: str) -> None:
    """One more sign never makes a lineage look better."""
    now = len(techniques) * MINUTE
    tactics = shown(*techniques)

    assert tactics.with_evidence([sign(another)], now).bonus(now) >= tactics.bonus(now)


def test_clock_that_goes_back() -> None:
    """Before their time signs count fully, and no more."""
    assert shown("T1071", "T1059").bonus(-MINUTE) == 1.5


def test_words() -> None:
    """The tactics are named in the order in which they were shown."""
    assert Tactics().in_words() == ""
    assert shown("T1071").in_words() == "command and control"
    assert shown("T1003", "T1059", "T1071").in_words() == "credential access, execution and command and control"
