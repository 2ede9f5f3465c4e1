"""Bursts of evidence against one lineage: when they begin, when they end, and how many there can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.host import Process, Source
from pyloader.scorer.episodes import GAP_NS, LONGEST_NS, Episode, Episodes
from tests.unit.examples import MINUTE, PEER, SECOND, process

NOW = 100 * SECOND


def names(episodes: list[Episode]) -> list[str]:
    """Return whom episodes are about."""
    return [episode.lineage.label for episode in episodes]


def test_lineage_has_one_episode() -> None:
    """Relatives share an episode, and strangers do not."""
    episodes, parent = Episodes(), process(1)
    child, stranger = process(2, parent=parent), process(3)

    assert episodes.touch(parent, NOW) is episodes.touch(child, NOW)
    assert episodes.touch(stranger, NOW) is not episodes.touch(child, NOW)
    assert len(episodes) == 2
    assert episodes.get(child.lineage) is episodes.touch(parent, NOW)


def test_source_has_its_own() -> None:
    """Each kind of thing that a source does is an episode of its own."""
    episodes, source = Episodes(), Source(PEER, 128)
    episodes.touch(source.activity("tcp-scan"), NOW)
    episodes.touch(source.activity("syn-flood"), NOW)

    assert len(episodes) == 2


def test_episode_ends_after_silence() -> None:
    """An episode is over when ten minutes brought no more, and not a moment before."""
    episodes, suspect = Episodes(), process()
    episodes.touch(suspect, NOW)
    episodes.touch(suspect, NOW + MINUTE)

    assert episodes.over(NOW + MINUTE + GAP_NS) == []
    assert names(episodes.over(NOW + MINUTE + GAP_NS + 1)) == [suspect.lineage.label]
    assert (len(episodes), episodes.get(suspect.lineage)) == (0, None)


def test_episode_ends_after_a_day() -> None:
    """A lineage that never falls silent is judged every day."""
    episodes, suspect = Episodes(), process()
    now = NOW
    while not (gone := episodes.over(now)):
        episodes.touch(suspect, now)
        now += GAP_NS

    assert LONGEST_NS < now - NOW <= LONGEST_NS + 2 * GAP_NS
    assert len(gone) == 1


def test_no_episode_in_the_future() -> None:
    """A clock that goes back neither ends an episode nor makes it older."""
    episodes, suspect = Episodes(), process()
    episodes.touch(suspect, NOW)
    episode = episodes.touch(suspect, NOW - MINUTE)

    assert (episode.began, episode.last) == (NOW, NOW)
    assert episodes.over(0) == []


def test_crowd() -> None:
    """There is room for so many; who was silent for longest makes room, and is counted."""
    episodes = Episodes(capacity=3)
    suspects = [process(pid) for pid in range(1, 6)]
    for suspect in suspects[:3]:
        episodes.touch(suspect, NOW)
    episodes.touch(suspects[0], NOW)
    assert episodes.crowded_out() == []

    for suspect in suspects[3:]:
        episodes.touch(suspect, NOW)

    assert names(episodes.crowded_out()) == [suspects[1].lineage.label, suspects[2].lineage.label]
    assert (len(episodes), episodes.evicted) == (3, 2)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 700)), max_size=40), st.integers(1, 4))
def test_nothing_is_lost(touches: list[tuple[int, int]], capacity: int) -> None:
    """Every episode that began ends once, in the same order whenever the same happens, and room is never exceeded."""

    def run() -> list[tuple[str, int]]:
        episodes, now = Episodes(capacity), 0
        suspects = {pid: process(pid) for pid in range(1, 7)}
        began: dict[tuple[str, int], None] = {}
        ended: list[Episode] = []
        for pid, seconds in touches:
            now += seconds * SECOND
            ended += episodes.over(now)
            episode = episodes.touch(suspects[pid], now)
            began[episode.lineage.label, episode.began] = None
            ended += episodes.crowded_out()
            assert len(episodes) <= capacity
        ended += episodes.over(now + LONGEST_NS + 1)
        assert sorted(began) == sorted((one.lineage.label, one.began) for one in ended)
        return [(one.lineage.label, one.began) for one in ended]

    assert run() == run()


def _with_parent(exe: str, parent_exe: str) -> Process:
    parent = process(1)
    child = process(2, parent=parent)
    parent.exe, child.exe = parent_exe, exe
    return child


def test_the_worst_is_remembered() -> None:
    """An episode remembers its highest score, its highest floor, and about whom the strongest evidence was."""
    one, other = _with_parent("/usr/bin/curl", "/usr/sbin/nginx"), _with_parent("", "/usr/bin/bash")
    episode = Episodes().touch(one, NOW)
    episode.weighed(one, 8.0, 62.0, 0)
    episode.weighed(other, 3.0, 90.0, 90)

    assert (episode.worst, episode.nats, episode.score, episode.floor) == (one, 8.0, 90.0, 90)
    assert (episode.exe, episode.parent_exe) == ("/usr/bin/curl", "/usr/sbin/nginx")

    episode.weighed(other, 9.0, 70.0, 0)
    assert (episode.worst, episode.nats, episode.score, episode.floor) == (other, 9.0, 90.0, 90)
    assert (episode.exe, episode.parent_exe) == ("true", "/usr/bin/bash")


@pytest.mark.parametrize("nats", [-3.0, 0.0])
def test_what_speaks_for_somebody(nats: float) -> None:
    """An episode in which nothing spoke against anybody is worth nothing, not less."""
    suspect = process()
    episode = Episodes().touch(suspect, NOW)
    episode.weighed(suspect, nats, 22.2, 0)

    assert episode.nats == 0.0


def test_who_comes_back_belongs_to_its_episode() -> None:
    """A process that was forgotten and comes back continues its episode, which now holds the lineage that it has."""
    episodes, before, after = Episodes(), process(1), process(1)
    episode = episodes.touch(before, NOW)

    assert episodes.touch(after, NOW) is episode
    assert episode.lineage is after.lineage
