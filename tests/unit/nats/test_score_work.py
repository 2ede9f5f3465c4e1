"""Keeping what is known takes a bounded part of the time."""

from hypothesis import given
from hypothesis import strategies as st

from pyloader.nats.score_work import Pace


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=50))
def test_keeping_takes_its_share(costs: list[float]) -> None:
    """However long it takes to keep each of many hosts, all together take a twentieth of the time at most."""
    pace, now, spent = Pace(), 0.0, 0.0
    for cost in costs:
        while not pace.is_due(float("-inf"), now):
            now += 0.5
        pace.kept(now, now + cost)
        now += cost
        spent += cost
    while not pace.is_due(float("-inf"), now):
        now += 0.5

    assert spent <= Pace.SHARE * now + 1e-6


def test_each_host_once_a_minute() -> None:
    """A host that was kept is not kept again within a minute."""
    pace = Pace()

    assert not pace.is_due(100.0, 159.9)
    assert pace.is_due(100.0, 160.0)
