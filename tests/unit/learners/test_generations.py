"""The bounded memory in two generations."""

from hypothesis import given
from hypothesis import strategies as st

from pyloader.learners.generations import Generations


def test_what_is_used_stays() -> None:
    """A key that is kept now and then survives any number of others; one that is not is forgotten and counted."""
    memory: Generations[str, int] = Generations(10)
    memory.keep("used", 1)
    memory.keep("unused", 2)
    for number in range(1_000):
        memory.keep(str(number), number)
        assert memory.kept("used") == 1

    assert memory.get("unused") is None
    assert memory.evicted > 900


@given(st.lists(st.tuples(st.integers(0, 30), st.integers()), max_size=200))
def test_values_are_the_latest_and_few(given: list[tuple[int, int]]) -> None:
    """What is still known has its latest value, and never more than twice the capacity is."""
    memory: Generations[int, int] = Generations(5)
    latest: dict[int, int] = {}
    for key, value in given:
        memory.keep(key, value)
        latest[key] = value

        assert memory.get(key) == value
        assert len(memory) <= 10
    assert all(memory.get(key) == latest[key] for key in memory)
    assert len(memory) == len(set(memory))
    assert len(memory) + memory.evicted >= len(latest)
