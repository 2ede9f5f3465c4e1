"""Counts of several workers."""

from hypothesis import given
from hypothesis import strategies as st

from pyloader.pipeline import Hook, Summary, WorkerSummary
from pyloader.scorer import Baseline
from pyloader.scorer.sharing import Overview
from pyloader.workers.messages import Report
from pyloader.workers.tally import Tally, joined

_NAMES = ("process_exec", "process_exit", "memory_usage")


def _report(records: dict[str, int], *, alerts: int = 0, untold: int = 0, hooks: tuple[str, ...] = ()) -> Report:
    summary = Summary(
        records=records,
        lost={"process_exit": 2},
        alerts=alerts,
        evicted={"flows": 1},
        hooks=[Hook("process", name, "tp") for name in hooks],
        baseline=Baseline(1.5, 3, learning=False),
    )
    return Report(1, Overview(), [], summary, untold, 0, 0, None)


@given(st.lists(st.dictionaries(st.sampled_from(_NAMES), st.integers(0, 1_000)), min_size=1, max_size=5))
def test_counts_are_added(counts: list[dict[str, int]]) -> None:
    """What all workers have counted is the sum of what each has, and each is listed with its own."""
    tallies = []
    for number, records in enumerate(counts):
        tallies.append(Tally(number))
        tallies[-1].reported(_report(records, alerts=number))
    summary = joined(tallies, "watch")

    assert sum(summary.records.values()) == sum(sum(one.values()) for one in counts)
    assert summary.alerts == sum(range(len(counts)))
    assert summary.lost == {"process_exit": 2 * len(counts)}
    assert summary.posture == "watch"
    assert [one.records for one in summary.workers] == [sum(one.values()) for one in counts]


def test_those_who_are_gone_count_as_well() -> None:
    """What a worker did stays in the counts when another has taken its place, and the next one begins at nothing."""
    tally = Tally(2)
    for _ in range(3):
        tally.reported(_report({"process_exec": 5}))
        tally.reported(_report({"process_exec": 10}, untold=4))
        assert tally.records == 10
        tally.replaced(7)
        assert tally.records == 0
    tally.reported(_report({"process_exec": 1}))

    assert joined([tally], "calm").records == {"process_exec": 31}
    assert tally.of_worker() == WorkerSummary(worker=2, records=31, lost=8, restarts=3, gap=21, untold=12)


def test_what_only_was_known_is_not_counted() -> None:
    """Records that another worker judges are none of this one's."""
    tally = Tally(0)
    tally.reported(_report({"process_exec": 3, "elsewhere": 100}))

    assert joined([tally], "calm").records == {"process_exec": 3}
    assert tally.of_worker().records == 3


def test_a_hook_is_told_once() -> None:
    """A hook of which several workers tell is one."""
    tallies = [Tally(0), Tally(1)]
    tallies[0].reported(_report({}, hooks=("exec", "fork")))
    tallies[1].reported(_report({}, hooks=("exec",)))

    assert [one.hook for one in joined(tallies, "calm").hooks] == ["exec", "fork"]


def test_nothing_was_reported_yet() -> None:
    """Before the first report there is a summary, too, with nothing in it."""
    summary = joined([Tally(0), Tally(1)], "calm")

    assert summary.records == {}
    assert [one.worker for one in summary.workers] == [0, 1]
