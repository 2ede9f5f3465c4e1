"""Hosts are divided among scorers in the same way by all, evenly, and with few moves."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pyloader.nats.partition import shares

_NAMES = st.lists(st.text("abcdef", min_size=1, max_size=4), unique=True, max_size=30)
_SCORERS = st.lists(st.text("stuvw", min_size=1, max_size=4), unique=True, min_size=1, max_size=8)


@given(_NAMES, _SCORERS)
def test_every_host_has_one_scorer(hosts: list[str], scorers: list[str]) -> None:
    """With room enough every host goes to one of the scorers, and none has more than its fair share, rounded up."""
    given_to = shares(hosts, scorers, most=len(hosts) + 1)

    assert sorted(given_to) == sorted(hosts)
    assert set(given_to.values()) <= set(scorers)
    assert all(load <= -(-len(hosts) // len(scorers)) for load in Counter(given_to.values()).values())


@given(_NAMES, _SCORERS, st.integers(1, 5))
def test_nobody_has_more_than_its_most(hosts: list[str], scorers: list[str], most: int) -> None:
    """A scorer takes no more hosts than it may, and the rest is left out only when all are full."""
    given_to = shares(hosts, scorers, most)

    assert all(load <= most for load in Counter(given_to.values()).values())
    assert len(given_to) == min(len(hosts), most * len(scorers))


@given(_NAMES, _SCORERS, st.randoms(use_true_random=False))
def test_the_order_of_the_lists_does_not_matter(hosts: list[str], scorers: list[str], random: object) -> None:
    """Two scorers that know the same names in any order divide them alike."""
    shuffled, others = list(hosts), list(scorers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    random.shuffle(others)  # type: ignore[attr-defined]

    assert shares(hosts, scorers, 64) == shares(shuffled, others, 64)


def test_a_scorer_that_goes_moves_few_hosts() -> None:
    """When one of five scorers goes, most hosts of the others stay where they are."""
    hosts = [f"host-{number}" for number in range(100)]
    before = shares(hosts, ["a", "b", "c", "d", "e"], 64)
    after = shares(hosts, ["a", "b", "c", "d"], 64)
    stayed = sum(after[host] == scorer for host, scorer in before.items() if scorer != "e")

    assert stayed >= 60


def test_nobody_to_share() -> None:
    """Without scorers no host has one."""
    assert shares(["web"], [], 64) == {}
