"""What happened before: what is like it, what it was called, and what scars it left."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.scorer import Journal, Label, Past
from pyloader.scorer.journal import ENTRIES, SCAR_LIFE, SCAR_MOST, SCARS

NOW = 1_700_000_000_000_000_000


def past(name: str = "1", codes: tuple[str, ...] = ("a", "b"), **fields: Any) -> Past:  # noqa: ANN401 -- any field.
    """Return an episode that has closed."""
    known: dict[str, Any] = {
        "who": f"suspect {name}",
        "time": NOW,
        "score": 62.0,
        "nats": 8.0,
        "contexts": (),
        "signatures": (),
        "alerts": (f"alert-{name}",),
        "exe": "/home/x",
        "parent_exe": "/usr/bin/bash",
    }
    return Past(name=name, codes=codes, **known | fields)


def test_found_by_name_and_by_alert() -> None:
    """An episode is found by its name and by any of its alerts; of nobody else's is there one."""
    journal, one = Journal(), past("1", alerts=("x", "y"))
    journal.add(one)
    journal.add(past("2"))

    assert (journal.named("1"), journal.of_alert("x"), journal.of_alert("y")) == (one, one, one)
    assert (journal.named("3"), journal.of_alert("z"), journal.of_alert("")) == (None, None, None)


def test_what_became_of_it() -> None:
    """An episode that is entered again stands once, as it is now."""
    journal = Journal()
    journal.add(past("1", score=50.0))
    journal.add(past("2"))
    journal.add(past("1", score=90.0))

    found = journal.named("1")
    assert found is not None
    assert (len(journal), found.score) == (2, 90.0)


def test_likeness() -> None:
    """Episodes are alike by the share of their common evidence; less than half is not alike."""
    journal = Journal()
    journal.add(past("same", ("a", "b"), label=Label.BENIGN))
    journal.add(past("half", ("a",)))
    journal.add(past("more", ("a", "b", "c")))
    journal.add(past("less", ("a", "c", "d")))
    journal.add(past("none", ("c",)))

    assert [(one.who, one.likeness, one.label) for one in journal.similar(["b", "a"], most=9)] == [
        ("suspect same", 1.0, "benign"),
        ("suspect more", 0.67, "none"),
        ("suspect half", 0.5, "none"),
    ]


def test_nothing_is_like_nothing() -> None:
    """Episodes without evidence are like none, and none is like them."""
    journal = Journal()
    journal.add(past("1", ()))

    assert journal.similar([]) == []
    assert journal.similar(["a"]) == []


def test_the_latest_of_equals() -> None:
    """Of episodes that are equally alike the latest are told, three at most, always in the same order."""
    journal = Journal()
    for number in range(9):
        journal.add(past(str(number), time=NOW + number // 2))

    assert [one.who for one in journal.similar(["a", "b"])] == ["suspect 8", "suspect 6", "suspect 7"]


def test_oldest_episode_leaves() -> None:
    """There is room for so many; the oldest leaves, and is counted."""
    journal = Journal()
    for number in range(ENTRIES + 3):
        journal.add(past(str(number)))

    assert (len(journal), journal.evicted) == (ENTRIES, 3)
    assert journal.named("2") is None
    assert journal.named("3") is not None


@pytest.mark.parametrize(("nats", "worth"), [(1.0, 0.5), (4.0, 2.0), (9.0, 2.0), (0.0, 0.0)])
def test_scar(nats: float, worth: float) -> None:
    """Who attacked is met with half of that evidence, two nats at most, and nobody else is."""
    journal = Journal()
    journal.scar("203.0.113.9", nats, NOW)

    assert journal.mistrust("203.0.113.9", NOW) == worth
    assert journal.mistrust("203.0.113.10", NOW) == 0.0


def test_scars_heal() -> None:
    """Half of a scar is left after a month; before its time it is no larger; it can be taken back."""
    journal = Journal()
    journal.scar("x", 9.0, NOW)

    assert [journal.mistrust("x", NOW + months * SCAR_LIFE) for months in (-1, 0, 1, 2)] == [2.0, 2.0, 1.0, 0.5]
    journal.heal("x")
    journal.heal("x")
    assert journal.mistrust("x", NOW) == 0.0


def test_second_attack() -> None:
    """A second attack makes the scar fresh, and never smaller."""
    journal = Journal()
    journal.scar("x", 3.0, NOW)
    journal.scar("x", 1.0, NOW + SCAR_LIFE)

    assert journal.mistrust("x", NOW + SCAR_LIFE) == 1.5


def test_nobody_has_no_scar() -> None:
    """What has no name of its own leaves no scar: else everybody without one would carry it."""
    journal = Journal()
    journal.scar("", 9.0, NOW)

    assert journal.mistrust("", NOW) == 0.0


def test_scars_are_bounded() -> None:
    """Addresses without end push out the scars that are not refreshed, and that is counted."""
    journal = Journal()
    journal.scar("first", 9.0, NOW)
    for number in range(SCARS - 1):
        journal.scar(str(number), 9.0, NOW)
    journal.scar("first", 9.0, NOW)
    journal.scar("another", 9.0, NOW)

    assert journal.evicted == 1
    assert journal.mistrust("first", NOW) == SCAR_MOST
    assert journal.mistrust("0", NOW) == 0.0


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.floats(0.0, 50.0), st.integers(-5, 5)), max_size=20))
def test_mistrust_is_bounded(attacks: list[tuple[str, float, int]]) -> None:
    """Whatever happened, in whatever order of time, nobody is met with more than two nats of mistrust."""
    journal = Journal()
    for key, nats, months in attacks:
        journal.scar(key, nats, NOW + months * SCAR_LIFE)

    assert all(0.0 <= journal.mistrust(key, NOW) <= SCAR_MOST for key in "xyz")


def test_evidence_that_came_later_counts() -> None:
    """An episode that is entered again is compared by the evidence that it has now, and no more by what it had."""
    journal = Journal()
    journal.add(past("1", ("a",)))
    journal.add(past("1", ("b",)))

    assert journal.similar(["a"]) == []
    assert [one.who for one in journal.similar(["b"])] == ["suspect 1"]


def test_work_of_a_comparison_is_bounded() -> None:
    """Combinations of evidence without end make no alert slow: it is compared with the latest of them."""
    journal = Journal()
    journal.add(past("old", ("a",)))
    for number in range(ENTRIES - 1):
        journal.add(past(str(number), ("a", f"{number:04}")))

    assert "suspect old" not in {one.who for one in journal.similar(["a"], most=ENTRIES)}
    assert len(journal.similar(["a"], most=ENTRIES)) == 256
