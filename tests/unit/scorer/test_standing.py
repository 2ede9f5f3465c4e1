"""Who stands out, of however many."""

from hypothesis import given
from hypothesis import strategies as st

from pyloader.host import Process
from pyloader.scorer.episodes import Episode
from pyloader.scorer.standing import KEPT, Outstanding
from tests.unit.examples import MINUTE, SECOND, process


def _episode(number: int) -> Episode:
    suspect: Process = process(number, number)
    return Episode(suspect.lineage, suspect, SECOND)


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0.01, 20.0)), max_size=600))
def test_the_strongest_are_kept(weighed: list[tuple[int, float]]) -> None:
    """Of any number of episodes the strongest stay, and never more than there is room for."""
    outstanding, episodes = Outstanding(), {number: _episode(number) for number in range(1, 401)}
    most: dict[int, float] = {}
    for number, nats in weighed:
        outstanding.weighed(episodes[number], nats, SECOND)
        most[number] = max(nats, most.get(number, 0.0))
    kept = {id(one) for one in outstanding}

    assert len(kept) == min(KEPT, len(most))
    strongest = sorted(most, key=lambda number: -most[number])[:KEPT]
    assert all(id(episodes[number]) in kept for number in strongest if most[number] > most[strongest[-1]])


def test_old_evidence_gives_way() -> None:
    """What was strong half an hour ago has faded behind what is weaker and new."""
    outstanding, old, new = Outstanding(), [_episode(n) for n in range(KEPT)], _episode(1_000)
    for one in old:
        outstanding.weighed(one, 8.0, SECOND)
    outstanding.weighed(new, 2.0, SECOND)
    assert new not in list(outstanding)

    outstanding.weighed(new, 2.0, SECOND + 30 * MINUTE)
    assert new in list(outstanding)


def test_an_invariant_stays() -> None:
    """Who broke an invariant stands before everybody with more evidence."""
    outstanding, broken = Outstanding(), _episode(1_000)
    broken.floor = 90
    outstanding.weighed(broken, 1.0, SECOND)
    for number in range(2 * KEPT):
        outstanding.weighed(_episode(number), 20.0, SECOND)

    assert broken in list(outstanding)


def test_what_has_closed_is_gone() -> None:
    """A closed episode makes room, and closing it again does nothing."""
    outstanding, one = Outstanding(), _episode(1)
    outstanding.weighed(one, 8.0, SECOND)
    outstanding.closed(one)
    outstanding.closed(one)

    assert list(outstanding) == []
