"""What the sensor is aware of, what it looks at, what it remembers and learns, and how that holds under stress.

In the words of those who asked for it: the levels of the posture are awareness, the focus is attention, baselines and
the journal are memory, and labels that come back are a feedback loop. Each of these behaviours has its test here, on
the whole chain from records to alerts.
"""

import asyncio
import io
import logging
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pyloader.alerts import Alert
from pyloader.errors import StateError
from pyloader.evidence import EvidenceStage
from pyloader.pipeline import Assessment, Pipeline
from pyloader.records import AnalystLabel, AnyRecord, Malformed, ProcessExec, ProcessExit
from pyloader.scorer import Label, Level, Posture
from pyloader.scorer.attention import EXPLORERS, SLOTS
from pyloader.scorer.posture import CHANGES_AN_HOUR
from pyloader.scorer.scale import CALM
from pyloader.sensor import Sensor
from pyloader.sinks import JsonSink
from pyloader.testing import FakeSource
from tests.unit.evidence.journey import Journey, ticks
from tests.unit.examples import (
    HEADER,
    MINUTE,
    SECOND,
    credential_record,
    exec_record,
    exit_record,
    fork_record,
    loss_record,
    padded,
    recording,
    request_record,
)
from tests.unit.state.story import story
from tests.unit.strategies import any_records

HOUR = 60 * MINUTE
DAY = 24 * HOUR


def shell(number: int, now: int = SECOND, *, session: int | None = None) -> ProcessExec:
    """Return a shell on a network socket: each is a process of its own, by default in a session of its own."""
    return exec_record(
        pid=number,
        start=number,
        timestamp=now,
        session=number if session is None else session,
        stdio=0x666,
        comm=padded(b"bash"),
        filename=b"/bin/bash",
        exe=b"/usr/bin/bash",
        args=b"bash\0-i\0",
    )


def odd(number: int, now: int = SECOND) -> ProcessExec:
    """Return a program that is a little suspicious: it runs from a place where everybody may write."""
    path = f"/dev/shm/{number:x}/run".encode()  # noqa: S108 -- the place is the point.
    return exec_record(
        pid=number,
        start=number,
        timestamp=now,
        session=number,
        comm=padded(b"run"),
        filename=path,
        exe=path,
        args=b"run\0",
    )


def heartbeat(now: int) -> AnyRecord:
    """Return a record that says nothing but what time it is."""
    return fork_record(pid=99, start=99, ppid=1, parent_start=1, timestamp=now)


def beats(since: int, until: int, step: int = MINUTE) -> Iterator[AnyRecord]:
    """Yield nothing but the passing of time."""
    for now in range(since, until + 1, step):
        yield heartbeat(now)


def alerts_of(assessments: list[Assessment]) -> list[Alert]:
    """Return all alerts."""
    return [alert for one in assessments for alert in one.alerts]


def label(alert: Alert, value: int, now: int) -> AnalystLabel:
    """Return what an analyst says of an alert."""
    return AnalystLabel(timestamp=now, label=value, alert=alert.id.encode(), note=b"")


def shown(assessments: list[Assessment], pipeline: Pipeline) -> bytes:
    """Return everything that a program would read of it."""
    output = io.BytesIO()
    sink = JsonSink(output, events=True)
    sink.write(assessments)
    sink.end(pipeline.summary())
    return output.getvalue()


def events_of(assessments: list[Assessment]) -> bytes:
    """Return every event and alert as a program would read it."""
    output = io.BytesIO()
    JsonSink(output, events=True).write(assessments)
    return output.getvalue()


def told(records: list[AnyRecord]) -> bytes:
    """Return all output of a pipeline of its own for these records."""
    pipeline = Pipeline(HEADER, min_score=0)
    return shown(pipeline.assess_all(records), pipeline)


def test_attention_focus_management() -> None:
    """A sensor tells its monitors to look at who is suspicious, at so many at most, and no longer than it lives."""
    crowd: list[AnyRecord] = [shell(number, SECOND + number) for number in range(1_000, 1_200)]
    gone: list[AnyRecord] = [
        exit_record(pid=number, start=number, timestamp=3 * SECOND) for number in range(1_000, 1_200)
    ]
    source = FakeSource(
        [shell(100), heartbeat(2 * SECOND + 1)],
        [*crowd, heartbeat(4 * SECOND)],
        [*gone, heartbeat(6 * SECOND)],
    )
    with Sensor(source=source) as sensor:
        assert len(list(sensor)) == 2 + 201 + 201
    first, crowded, after = source.attended

    assert 100 in first.processes
    assert 100 in crowded.processes
    assert SLOTS <= len(crowded.processes) <= SLOTS + EXPLORERS
    assert set(after.processes) <= {1, 99, 100}


@pytest.mark.parametrize(
    ("bound", "level"), [(49.0, Level.WATCH), (62.0, Level.GUARDED), (75.0, Level.ELEVATED), (90.0, Level.CRITICAL)]
)
def test_awareness_level_boundaries(bound: float, level: Level) -> None:
    """Each level of awareness begins exactly at its bound, and is the highest that the score reaches."""
    below, at, above = Posture(), Posture(), Posture()
    below.update(SECOND, bound - 0.1)
    at.update(SECOND, bound)
    above.update(SECOND, bound + 0.1)

    assert (below.level, at.level, above.level) == (level - 1, level, level)


def test_consciousness_state_creation() -> None:
    """A new sensor is calm, has learned nothing, says so, and what it saves makes another one like it."""
    pipeline, other = Pipeline(HEADER), Pipeline(HEADER)
    summary = pipeline.summary()

    assert (pipeline.posture, pipeline.focus.processes, pipeline.focus.sources) == (Level.CALM, {}, ())
    assert (summary.alerts, summary.grouped, summary.labels, summary.faults) == (0, 0, {}, {})
    assert (summary.baseline.learning, summary.baseline.episodes, set(summary.evicted.values())) == (True, 0, {0})
    assert other.restore(pipeline.save(), same_boot=True) == {}
    assert other.save() == pipeline.save()
    assert pipeline.assess(exec_record()).score == other.assess(exec_record()).score == CALM


def test_consciousness_state_transitions() -> None:
    """An attack raises awareness with its own record; calm lowers it step by step, six changes an hour at most."""
    pipeline = Pipeline(HEADER)
    attack = pipeline.assess(credential_record())
    changes = [attack.posture, *(one.posture for one in map(pipeline.assess, beats(2 * SECOND, 6 * HOUR)))]
    path = [change for change in changes if change is not None]

    assert attack.posture is not None
    assert [change.level for change in path] == [
        Level.CRITICAL,
        Level.ELEVATED,
        Level.GUARDED,
        Level.WATCH,
        Level.CALM,
    ]
    assert path[1].when - path[0].when >= 2 * HOUR
    assert all(later.when > earlier.when for earlier, later in pairwise(path))
    assert max(sum(0 <= later.when - one.when < HOUR for later in path) for one in path) <= CHANGES_AN_HOUR
    assert (pipeline.posture, pipeline.summary().posture) == (Level.CALM, "calm")


def test_consciousness_memory_patterns() -> None:
    """What is seen every day becomes ordinary, in this boot and in the next; what was never seen stays as rare."""
    pipeline = Pipeline(HEADER, min_score=0)
    first = pipeline.assess(odd(1_000))
    number = 1_000
    for hour in range(1, 10 * 24):
        number += 1
        now = hour * HOUR
        later = pipeline.assess(odd(number, now))
        pipeline.assess(exit_record(pid=number, start=number, timestamp=now + SECOND))
        pipeline.assess_all(list(beats(now + 11 * MINUTE, now + 44 * MINUTE, 33 * MINUTE)))
    other_boot = Pipeline(HEADER, min_score=0)
    other_boot.restore(pipeline.save(), same_boot=False)
    again = other_boot.assess(odd(5, 500 * HOUR))
    never_seen = other_boot.assess(shell(6, 500 * HOUR))

    assert first.alerts[0].evidence[0].code == later.alerts[0].evidence[0].code
    assert pipeline.summary().baseline.episodes > 200
    assert later.score < first.score
    assert again.score == pytest.approx(later.score, abs=3.0)
    assert never_seen.score > 62.0 > again.score


def test_consciousness_rhythm_detection() -> None:
    """A program that calls home in a rhythm is an alert that names it; one that calls as often by chance is none."""
    beacon, person = Journey(), Journey()
    beacon.visit(beacon.start("/usr/bin/python3.11"), ticks(32, 30.0), "203.0.113.66")
    chance, now = random.Random(1), 10.0
    pid = person.start("/usr/bin/python3.11")
    for _ in range(32):
        now += chance.expovariate(1 / 30.0)
        person.connect(pid, "203.0.113.66", now=now)

    [alert] = beacon.alerts
    assert alert.evidence[0].code == "beacon"
    assert "every " in alert.summary
    assert "beacon" not in {reason.code for one in person.alerts for reason in one.evidence}


def test_pattern_detection() -> None:
    """Stages of an attack that relatives show in order are worth more than the same by strangers, and are named."""

    def stages(*, session: int) -> Alert:
        """Return the alert about a process that tries an exploit after one of session 1 became a remote shell."""
        pipeline = Pipeline(HEADER, min_score=0)
        pipeline.assess_all([exec_record(), fork_record(pid=101, start=2_000), fork_record(pid=102, start=3_000)])
        pipeline.assess(exec_record(pid=102, start=3_000, timestamp=5 * SECOND, session=session))
        pipeline.assess(replace(shell(101, 10 * SECOND, session=1), start=2_000))
        [found] = pipeline.assess(request_record(pid=102, start=3_000, timestamp=20 * SECOND)).alerts
        return found

    relatives, strangers = stages(session=1), stages(session=2)
    reasons = {reason.code: reason for reason in relatives.evidence}

    assert relatives.score > strangers.score
    assert "execution and privilege escalation" in reasons["tactics"].text
    assert reasons["tactics"].adds == pytest.approx(2.0, abs=0.01)


def test_consciousness_feedback_loops() -> None:
    """A label changes what the same means next time, there only, and can be taken back; no invariant is silenced."""

    def next_time(*labels: int, program: str = "run") -> float:
        """Return the score of the same a day later, after an analyst said this of the first time."""
        pipeline = Pipeline(HEADER, min_score=0)
        [alert] = pipeline.assess(odd(1_000)).alerts
        for value in labels:
            answer = pipeline.assess(label(alert, value, 2 * SECOND)).answer
            assert alert.id in answer
        pipeline.assess_all(list(beats(MINUTE, DAY, 10 * MINUTE)))
        if program == "shell":
            return pipeline.assess(shell(2_000, DAY)).score
        return pipeline.assess(odd(1_000, DAY)).score

    unlabelled = next_time()

    assert next_time(Label.BENIGN) < unlabelled < next_time(Label.MALICIOUS)
    assert next_time(Label.BENIGN, Label.NONE) == pytest.approx(unlabelled, abs=2.0)
    assert next_time(Label.BENIGN, program="shell") == pytest.approx(next_time(program="shell"), abs=2.0)

    pipeline = Pipeline(HEADER)
    now = SECOND
    for number in range(10):
        broken = credential_record(pid=1_000 + number, start=1_000 + number, timestamp=now)
        [alert] = pipeline.assess(broken).alerts
        pipeline.assess(label(alert, Label.BENIGN, now + SECOND))
        pipeline.assess_all(list(beats(now + 2 * SECOND, now + 20 * MINUTE)))
        now += HOUR
        assert alert.score >= 90.0


def test_consciousness_pipeline_integration() -> None:
    """From a recording to lines of JSON: every record is judged and counted, attacks of every domain are told, once."""
    records = story()
    output = io.BytesIO()
    sink = JsonSink(output)
    with Sensor.replay(recording(*records)) as sensor:
        batch = list(sensor)
        sink.write(batch)
        sink.end(sensor.summary())
        summary = sensor.summary()
    found = alerts_of(batch)

    assert [one.record for one in batch] == records
    assert sum(summary.records.values()) == len(records)
    assert all(0.0 <= one.score <= 100.0 for one in batch)
    assert {"process", "network"} <= {alert.domain for alert in found}
    assert summary.alerts == len({alert.id for alert in found})
    assert output.getvalue().count(b'"type":"alert"') == len(found)
    assert (summary.faults, summary.posture) == ({}, "critical")
    assert any(change.level is Level.CRITICAL for one in batch if (change := one.posture) is not None)


def test_consciousness_memory_efficiency() -> None:
    """Attackers without end, each with names of its own, fill tables and then push each other out: nothing grows on."""
    pipeline, sizes = Pipeline(HEADER), []
    for block in range(3):
        for number in range(6_000 * block, 6_000 * (block + 1)):
            pid, now = 1_000 + number, SECOND + 10_000_000 * number
            pipeline.assess(odd(pid, now))
            pipeline.assess(exit_record(pid=pid, start=pid, timestamp=now + 1))
        sizes.append(len(pipeline.save()))
    summary = pipeline.summary()

    assert summary.evicted["open episodes"] > 10_000
    assert sizes[2] < 1.1 * sizes[1]
    assert sizes[2] < 32 << 20


def _calls(pipeline: Pipeline, records: list[AnyRecord]) -> list[int]:
    """Return how many functions were called for each record."""
    counts, count = [], 0

    def tally(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        if event in {"call", "c_call"}:
            count += 1

    for record in records:
        before = count
        sys.setprofile(tally)
        try:
            pipeline.assess(record)
        finally:
            sys.setprofile(None)
        counts.append(count - before)
    return counts


def test_consciousness_processing_speed() -> None:
    """The work for a record has a bound, which does not grow with all that is known of others."""
    few, many = Pipeline(HEADER), Pipeline(HEADER)
    many.assess_all([odd(number, SECOND) for number in range(10_000, 11_900)])
    many.assess_all([loss_record(timestamp=SECOND) for _ in range(1_000)])
    work: list[AnyRecord] = []
    for number in range(100, 300):
        ids = {"pid": number, "start": number, "timestamp": SECOND + 10}
        work += [fork_record(**ids, ppid=50, parent_start=50), exec_record(**ids, ppid=50), exit_record(**ids)]
    quick, busy = _calls(few, work), _calls(many, work)
    suspicious = _calls(many, [odd(number, SECOND + 20) for number in range(20_000, 20_100)])

    assert sum(quick) / len(quick) < 80
    assert sum(busy) / len(busy) < 1.2 * sum(quick) / len(quick)
    assert max(suspicious) < 600


def test_async_consciousness_processing() -> None:
    """An asynchronous program can follow the sensor while it does other work, and is told the same as any other."""
    records = story()

    async def work(finished: asyncio.Event) -> int:
        turns = 0
        while not finished.is_set():
            turns += 1
            await asyncio.sleep(0)
        return turns

    async def both() -> tuple[list[Assessment], int]:
        finished = asyncio.Event()
        other = asyncio.create_task(work(finished))
        async with Sensor.replay(recording(*records)) as sensor:
            found = [one async for one in sensor]
        finished.set()
        return found, await other

    found, turns = asyncio.run(both())
    with Sensor.replay(recording(*records)) as sensor:
        expected = list(sensor)

    assert events_of(found) == events_of(expected)
    assert turns >= len(records) // 256


def test_concurrent_consciousness_streams() -> None:
    """Several sensors in one program, in threads or turn by turn, know nothing of each other."""
    records = story()
    other = [record for record in records if record.timestamp % 3]
    alone = {True: told(records), False: told(other)}
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(told, [records, other, records, other]))

    sensors = [Sensor.replay(recording(*stream)) for stream in (records, other)]
    streams = [sensor.subscribe() for sensor in sensors]
    for sensor in sensors:
        sensor.start()
    by_threads = [events_of(list(stream)) for stream in streams]
    for sensor in sensors:
        sensor.close()
    by_turns = [events_of(list(Sensor.replay(recording(*stream)))) for stream in (records, other)]

    one, two = Pipeline(HEADER, min_score=0), Pipeline(HEADER, min_score=0)
    mine, yours = [], []
    for number in range(max(len(records), len(other))):
        mine += [one.assess(record) for record in records[number : number + 1]]
        yours += [two.assess(record) for record in other[number : number + 1]]

    assert alone[True] != alone[False]
    assert results == [alone[True], alone[False], alone[True], alone[False]]
    assert by_threads == by_turns
    assert (shown(mine, one), shown(yours, two)) == (alone[True], alone[False])


def test_consciousness_error_recovery(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A defect costs the record that brought it to light its verdict; it is counted, and all others are judged."""
    judge = EvidenceStage.assess

    def defective(self: EvidenceStage, record: AnyRecord, *others: object) -> object:
        if isinstance(record, ProcessExit):
            raise ZeroDivisionError(record.comm)
        return judge(self, record, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(EvidenceStage, "assess", defective)
    pipeline = Pipeline(HEADER)
    with caplog.at_level(logging.CRITICAL):
        batch = pipeline.assess_all(
            [
                exec_record(),
                exit_record(),
                Malformed(timestamp=SECOND, raw=b"\xff" * 40),
                loss_record(7),
                exit_record(pid=300),
                shell(400, 2 * SECOND),
                *beats(3 * SECOND, 5 * HOUR),
            ]
        )
    summary = pipeline.summary()

    assert summary.faults == {"process_exit: ZeroDivisionError": 2}
    assert (batch[1].score, batch[1].alerts) == (CALM, ())
    assert (summary.records["malformed"], summary.lost) == (1, {"process_exec": 7})
    [alert] = alerts_of(batch)
    assert (alert.confidence, alert.timestamp) == (0.5, 2 * SECOND)
    assert pipeline.posture is Level.CALM


@settings(max_examples=40)
@given(st.lists(any_records, max_size=15), st.data())
def test_consciousness_state_validation(records: list[AnyRecord], data: st.DataObject) -> None:
    """Nothing that comes in puts a score or a level out of bounds, and a state that is damaged is refused as such."""
    pipeline = Pipeline(HEADER, min_score=0)
    for one in pipeline.assess_all([*records, shell(100)]):
        assert 0.0 <= one.score <= 100.0
        assert all(0.0 <= alert.score <= 100.0 and 0.0 <= alert.confidence <= 1.0 for alert in one.alerts)
        assert pipeline.posture in Level
    assert (
        pipeline.assess(AnalystLabel(timestamp=SECOND, label=9, alert=b"x", note=b"")).answer == "there is no label 9"
    )
    assert "x" in pipeline.assess(AnalystLabel(timestamp=SECOND, label=1, alert=b"x", note=b"")).answer

    saved = pipeline.save()
    cut = data.draw(st.integers(0, len(saved) - 1))
    with pytest.raises(StateError):
        Pipeline(HEADER).restore(saved[:cut], same_boot=True)
    assert pipeline.save() == saved
