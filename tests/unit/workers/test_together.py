"""Several pipelines of one host, in step."""

from collections import Counter

import pytest

from pyloader.pipeline import Pipeline
from pyloader.records import AnalystLabel, AnyRecord, Elsewhere, ProcessExec, ProcessFork
from pyloader.scorer import Change, Label
from pyloader.scorer.case import case_of
from pyloader.testing import HEADER, make, remote_shell
from tests.lanes import shared_out
from tests.unit.workers.story import ATTACKED, SERVICES, story
from tests.unit.workers.together import SECOND, Together

LANES = (1, 2, 4)


def _alone(records: list[AnyRecord]) -> tuple[Pipeline, list[str], list[Change]]:
    """Return one pipeline that has assessed everything, with its alerts and its changes of posture."""
    pipeline = Pipeline(HEADER)
    assessments = pipeline.assess_all(records)
    alerts = [f"{alert.id} {alert.score} {alert.summary}" for one in assessments for alert in one.alerts]
    return pipeline, alerts, [one.posture for one in assessments if one.posture is not None]


@pytest.mark.parametrize("lanes", LANES)
def test_alerts_and_counts_are_those_of_one(lanes: int) -> None:
    """The same records give the same alerts, ids and scores among them, and the same counts, by however many lanes."""
    records = story()
    alone, alerts, changes = _alone(records)
    together = Together(HEADER, lanes)

    assessed = together.assess(records)

    assert len(alerts) == len(ATTACKED)
    assert sorted(f"{alert.id} {alert.score} {alert.summary}" for alert in together.alerts) == sorted(alerts)
    assert len(assessed) == len(records)
    counts: Counter[str] = Counter()
    for part in together.parts:
        counts.update(part.summary().records)
    del counts["elsewhere"]
    assert counts == alone.summary().records
    assert [(one.level, one.score) for one in together.changes] == [(one.level, one.score) for one in changes]


def test_each_service_is_judged_by_one() -> None:
    """Every record is judged in one lane, that of its service, and all lanes of four have work."""
    lanes = shared_out(story(), 4)
    judged: dict[int, set[int]] = {}
    for number, lane in enumerate(lanes):
        for record in lane:
            if isinstance(record, ProcessExec):
                judged.setdefault(record.cgroup, set()).add(number)

    assert len(judged) == SERVICES
    assert all(len(those) == 1 for those in judged.values())
    assert set.union(*judged.values()) == {0, 1, 2, 3}


def test_every_lane_knows_every_process() -> None:
    """Who is judged elsewhere is known all the same, with image and parent, and is forgotten when it ends."""
    together = Together(HEADER, 4)
    together.assess(story(3, ()))
    tables = [{pid: part.host.processes.get(pid) for pid in part.host.processes.pids()} for part in together.parts]

    assert len(tables[0]) == SERVICES + 1
    for table in tables:
        assert {pid: process and (process.exe, process.ppid) for pid, process in table.items()} == {
            pid: process and (process.exe, process.ppid) for pid, process in tables[0].items()
        }


def test_every_tail_knows_the_episodes_of_the_host() -> None:
    """When an episode has closed, all scorers expect the same of this host, and so does who decides for all."""
    records = story(8)
    records += [one for one in story(20, ()) if one.timestamp > 9 * SECOND]
    late = [make(ProcessFork, timestamp=(700 + at) * SECOND, pid=90_000 + at, start=at) for at in range(3)]
    alone, _, _ = _alone([*records, *late])
    together = Together(HEADER, 4)
    together.assess([*records, *late])
    later = 2 * 86_400 * SECOND
    probe = make(ProcessFork, timestamp=later, pid=95_000, start=later)
    alone.assess(probe)
    together.assess([probe])

    assert len(alone.tail) > 0
    assert {len(part.tail) for part in together.parts} == {len(alone.tail)}
    assert len(together.joint.tail) == len(alone.tail)
    for part in together.parts:
        assert part.tail.log_period(8.0) == pytest.approx(alone.tail.log_period(8.0), abs=0.05)


def test_what_an_analyst_says_is_known_to_all() -> None:
    """A label is taken in by whoever knows the alert, and by then all scorers have learned from it."""
    together = Together(HEADER, 4)
    together.assess(story())
    [alert, _] = together.alerts
    knowing = [part for part in together.parts if part.remembers(alert.id)]
    assert len(knowing) == 1

    number = together.parts.index(knowing[0])
    label = AnalystLabel(60 * SECOND, int(Label.BENIGN), alert.id.encode(), b"")
    answer = together.say(number, label)

    assert "benign from now on" in answer
    lessons = [part.learned()["scorer.lessons"] for part in together.parts]
    assert [len(one) for one in lessons] == [len(lessons[0])] * 4  # type: ignore[arg-type]
    assert len(lessons[0]) > 0  # type: ignore[arg-type]
    assert all(part.remembers(alert.id) for part in together.parts)


def test_leaving_for_another_lane_washes_nobody_clean() -> None:
    """Who leaves its session for one that another lane has takes along what was held against its lineage."""
    fields = {"pid": 200, "start": 2 * SECOND, "cgroup": 0, "session": 500}
    shell = remote_shell(timestamp=3 * SECOND, **fields)
    for session in range(501, 520):
        together = Together(HEADER, 4)
        child = {"pid": 201, "start": 4 * SECOND, "ppid": 200, "parent_start": 2 * SECOND, "cgroup": 0}
        left: list[AnyRecord] = [
            make(ProcessFork, timestamp=4 * SECOND, session=500, **child),
            make(ProcessExec, timestamp=5 * SECOND, session=session, **child),
        ]
        together.assess([shell, *left])
        for number, lane in enumerate(shared_out([shell, *left], 4)):
            if any(isinstance(record, ProcessExec) and record.pid == 201 for record in lane):
                process = together.parts[number].host.processes.get(201)
                assert process is not None
                assert process.lineage.label != f"{200:x}-{2 * SECOND:x}"
                assert case_of(process.lineage).ledger.nats(5 * SECOND) > 3.0


def test_what_was_said_of_a_process_waits_until_it_is_known() -> None:
    """What another has heard of a process that is told of only later is held against it, and its children, then."""
    shares: list[object] = []
    judge, other = Pipeline(HEADER, share=shares.append), Pipeline(HEADER, share=lambda _: None)
    shell = remote_shell(timestamp=3 * SECOND, pid=200, start=2 * SECOND)
    judge.assess(shell)
    for shared in shares:
        other.learn(shared)  # type: ignore[arg-type]
    other.assess(Elsewhere.of(shell))
    child = make(ProcessFork, timestamp=4 * SECOND, pid=201, start=4 * SECOND, ppid=200, parent_start=2 * SECOND)
    other.assess(child)
    other.follow(5 * SECOND, other.posture, other.focus)

    process = other.host.processes.get(201)
    assert process is not None
    assert case_of(process.lineage).ledger.nats(5 * SECOND) > 3.0


def test_news_is_told_once() -> None:
    """What is said against a process again and again is not shared each time."""
    shares: list[object] = []
    pipeline = Pipeline(HEADER, share=shares.append)
    for second in range(3, 40):
        pipeline.assess(remote_shell(timestamp=second * SECOND, pid=200, start=2 * SECOND))

    assert len(shares) < 5
