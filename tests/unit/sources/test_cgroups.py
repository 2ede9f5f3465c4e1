"""The path of each control group is told once."""

import pytest

from pyloader.records import AnyRecord, CgroupSeen, Elsewhere
from pyloader.sources.cgroups import CgroupNames
from tests.unit.examples import SECOND, exec_record, fork_record


@pytest.fixture(name="places")
def _places(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """Return a table of the control groups in which processes are: the host as the test wants it."""
    places: dict[int, int] = {}

    def cgroup(pid: int, timestamp: int) -> CgroupSeen | None:
        return CgroupSeen(timestamp=timestamp, cgroup=places[pid], path=b"/x") if pid in places else None

    monkeypatch.setattr("pyloader.host.procfs.cgroup", cgroup)
    return places


def _execs(*pids: int, cgroup: int = 7) -> list[AnyRecord]:
    return [exec_record(pid=pid, cgroup=cgroup) for pid in pids]


def test_told_once(places: dict[int, int]) -> None:
    """A control group is announced with its first execution, and never again."""
    places.update({1: 7, 2: 7, 3: 8})
    names = CgroupNames()

    assert names.news_in(_execs(1, 2)) == [CgroupSeen(timestamp=SECOND, cgroup=7, path=b"/x")]
    assert names.news_in(_execs(1, 2)) == []
    assert names.news_in(_execs(3, cgroup=8)) == [CgroupSeen(timestamp=SECOND, cgroup=8, path=b"/x")]


def test_only_executions_are_looked_up(places: dict[int, int]) -> None:
    """A fork, of which there are many, makes nobody look at /proc."""
    places[101] = 7

    assert CgroupNames().news_in([fork_record()]) == []


def test_process_that_is_gone(places: dict[int, int]) -> None:
    """A control group whose process is gone is announced by the next process in it."""
    names = CgroupNames()

    assert names.news_in(_execs(1)) == []
    places[2] = 7
    assert len(names.news_in(_execs(2))) == 1


def test_process_that_moved(places: dict[int, int]) -> None:
    """A process that is in another control group by now tells nothing about the first."""
    places[1] = 8

    assert CgroupNames().news_in(_execs(1)) == []


def test_search_ends(places: dict[int, int]) -> None:
    """A control group whose processes are always gone is given up, and costs nothing any more."""
    names = CgroupNames()
    for _ in range(100):
        assert names.news_in(_execs(1)) == []
    places[1] = 7

    assert names.news_in(_execs(1)) == []


def test_memory_is_bounded(places: dict[int, int]) -> None:
    """After very many control groups the names begin anew: the first is announced again."""
    names = CgroupNames()
    for cgroup in range(1, 10_001):
        places[1] = cgroup
        assert len(names.news_in(_execs(1, cgroup=cgroup))) == 1
    places[1] = 1

    assert len(names.news_in(_execs(1, cgroup=1))) == 1


@pytest.mark.usefixtures("places")
def test_group_of_a_process_that_is_gone_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group whose process has ended is found among all groups, and they are searched once a second at most."""
    searches: list[int] = []

    def cgroups(timestamp: int) -> list[CgroupSeen]:
        searches.append(timestamp)
        return [CgroupSeen(timestamp=timestamp, cgroup=7, path=b"/seven")]

    monkeypatch.setattr("pyloader.host.procfs.cgroups", cgroups)
    names = CgroupNames()

    assert names.announce(8, 1, 5_000_000_000) == []
    assert names.announce(7, 1, 5_500_000_000) == [CgroupSeen(timestamp=5_500_000_000, cgroup=7, path=b"/seven")]
    assert names.announce(8, 1, 5_900_000_000) == []
    assert searches == [5_000_000_000]
    assert names.announce(8, 1, 6_000_000_000) == []
    assert searches == [5_000_000_000, 6_000_000_000]


def test_copies_are_looked_up_too(places: dict[int, int]) -> None:
    """Who only knows of an execution announces its control group, and one that was told by others is no news."""
    places.update({1: 7, 2: 8})
    names = CgroupNames()
    names.know(8)

    elsewhere: list[AnyRecord] = [Elsewhere.of(exec_record(pid=pid, cgroup=places[pid])) for pid in (1, 2)]
    assert [one.cgroup for one in names.news_in(elsewhere)] == [7]
