"""The stages joined: the same records give the same verdicts, and everything is counted."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.alerts import Alert, Severity, Subject
from pyloader.pipeline import Assessment, Hook, Pipeline
from pyloader.records import AnyRecord, HookInUse, Malformed
from pyloader.samples import SAMPLE
from pyloader.sensor import Sensor
from pyloader.sinks import JsonSink, Sink, TextSink
from tests.unit.examples import (
    HEADER,
    REVERSE_SHELL,
    SECOND,
    access_record,
    exec_record,
    exit_record,
    fault_record,
    fork_record,
    loss_record,
    protection_record,
)
from tests.unit.strategies import any_records


def _shown(records: list[AnyRecord]) -> bytes:
    """Return all output, in both formats, that a new pipeline gives for these records."""
    binary, text, diagnostics = io.BytesIO(), io.StringIO(), io.StringIO()
    sinks: list[Sink] = [JsonSink(binary, events=True), TextSink(text, diagnostics, events=True)]
    pipeline = Pipeline(HEADER, min_score=0)
    batch = pipeline.assess_all(records)
    for sink in sinks:
        sink.write(batch)
        sink.end(pipeline.summary())
    return binary.getvalue() + text.getvalue().encode() + diagnostics.getvalue().encode()


def _sample() -> list[AnyRecord]:
    with Sensor.replay(SAMPLE) as sensor:
        return [assessment.record for assessment in sensor]


def test_same_records_give_the_same_bytes() -> None:
    """The sample recording gives the same output twice, byte for byte."""
    records = _sample()

    assert records
    assert _shown(records) == _shown(records)


@settings(max_examples=50)
@given(st.lists(any_records, max_size=20))
def test_any_records_give_the_same_bytes(records: list[AnyRecord]) -> None:
    """No records, however strange, upset the stages, and any records give the same output twice."""
    assert _shown(records) == _shown(records)


def test_reverse_shell_raises_an_alert() -> None:
    """A shell on a network socket is told with its process, its score, its evidence and an alert."""
    assessment = Pipeline(HEADER).assess(REVERSE_SHELL)

    assert assessment.record is REVERSE_SHELL
    assert assessment.process is not None
    assert assessment.process.comm == "bash"
    assert assessment.evidence
    [alert] = assessment.alerts
    assert assessment.score == alert.score
    assert alert.severity in {Severity.HIGH, Severity.CRITICAL}


def test_injection_raises_an_alert_of_memory() -> None:
    """One write into a stranger is an alert, whose line names the domain of memory and both processes."""
    pipeline, output = Pipeline(HEADER), io.StringIO()
    batch = pipeline.assess_all([exec_record(), access_record()])
    TextSink(output, io.StringIO()).write(batch)

    assert [alert.domain for one in batch for alert in one.alerts] == ["memory"]
    assert output.getvalue() == (
        "High threat memory event: pid=100 comm=true threat=65 true (pid 100) changed the memory or registers of"
        " victim (pid 300) (about once in 2 days, still learning)\n"
    )


def test_code_of_a_server_raises_an_alert() -> None:
    """The first code of a process that faces the network is an alert, and what follows is none of its own."""
    pipeline = Pipeline(HEADER)
    batch = pipeline.assess_all([exec_record(), *(protection_record(exposure=1, count=count) for count in (1, 2, 3))])

    assert [len(one.alerts) for one in batch] == [0, 1, 0, 0]
    assert batch[1].score >= 62.0


def test_crash_storm_is_one_alert() -> None:
    """A server whose children crash on and on is one alert, which becomes more severe once, whatever they inherit."""
    pipeline = Pipeline(HEADER)
    pipeline.assess(exec_record())
    alerts: list[Alert] = []
    for child in range(101, 301):
        crash = {"pid": child, "start": child, "timestamp": child * SECOND}
        for one in pipeline.assess_all([fork_record(**crash), fault_record(**crash, ppid=100, exposure=2)]):
            alerts += one.alerts
        pipeline.assess(exit_record(**crash, ppid=100, signal=11))

    subjects = [(alert, alert.subject) for alert in alerts]
    assert [
        (subject.pid, alert.severity, alert.update) for alert, subject in subjects if isinstance(subject, Subject)
    ] == [
        (100, Severity.MEDIUM, 0),
        (100, Severity.HIGH, 1),
    ]


def test_ordinary_work_raises_no_alert() -> None:
    """A program of the system that runs and ends is calm."""
    assessments = Pipeline(HEADER).assess_all([exec_record(), fork_record(), exit_record()])

    assert {one.alerts for one in assessments} == {()}
    assert max(one.score for one in assessments) < 50.0


def test_child_of_a_suspect() -> None:
    """The child of a suspect process begins with its parent's score."""
    pipeline = Pipeline(HEADER)
    parent, child = pipeline.assess_all([REVERSE_SHELL, fork_record()])

    assert parent.score == child.score
    assert (child.evidence, child.alerts) == ((), ())


@pytest.mark.parametrize(("min_score", "alerts"), [(0.0, 1), (100.0, 0)])
def test_threshold(min_score: float, alerts: int) -> None:
    """`min_score` decides what is an alert, and not what is evidence."""
    record = exec_record(stdio=0x666, comm=b"bash", exe=b"/usr/bin/bash", args=b"bash\0")
    assessment = Pipeline(HEADER, min_score=min_score).assess(record)

    assert alerts == len(assessment.alerts)
    assert assessment.evidence


def test_summary_counts() -> None:
    """The summary counts records by event, alerts once each, losses by event, and what was given up."""
    pipeline = Pipeline(HEADER)
    pipeline.assess_all(
        [
            REVERSE_SHELL,
            REVERSE_SHELL,
            fork_record(),
            loss_record(3),
            loss_record(4, timestamp=2 * SECOND),
            loss_record(5, lost=2),
            loss_record(6, lost=63),
            Malformed(timestamp=SECOND, raw=b"x"),
        ]
    )
    summary = pipeline.summary()

    assert summary.records == {"event_loss": 4, "malformed": 1, "process_exec": 2, "process_fork": 1}
    assert summary.lost == {"63": 6, "process_exec": 7, "process_fork": 5}
    assert summary.alerts == 1
    assert summary.evicted
    assert set(summary.evicted.values()) == {0}


def _hook(hook: bytes, rung: bytes, blind_to: bytes = b"") -> HookInUse:
    return HookInUse(timestamp=SECOND, monitor=b"process", hook=hook, rung=rung, blind_to=blind_to, cost=b"")


def test_summary_tells_the_hooks() -> None:
    """The summary tells the hooks in use, each as it was told last."""
    pipeline = Pipeline(HEADER)
    pipeline.assess_all([_hook(b"exec", b"old"), _hook(b"exit", b"tp"), _hook(b"exec", b"new", b"scripts")])

    assert pipeline.summary().hooks == [
        Hook("process", "exec", "new", blind_to="scripts"),
        Hook("process", "exit", "tp"),
    ]


def test_hooks_are_bounded() -> None:
    """A recording that claims any number of hooks takes no room for all of them."""
    pipeline = Pipeline(HEADER)
    pipeline.assess_all([_hook(str(number).encode(), b"tp") for number in range(1_000)])

    assert len(pipeline.summary().hooks) == 256


def test_loss_is_told_with_the_alert() -> None:
    """An alert after losses says how many records are missing before it."""
    [*_, last] = Pipeline(HEADER).assess_all([loss_record(3), loss_record(4), REVERSE_SHELL])

    assert last.alerts[0].summary.endswith("; 7 records were lost in the ten minutes before")


def test_loss_lowers_the_confidence_of_alerts() -> None:
    """An alert after a loss says that it is less certain."""
    pipeline = Pipeline(HEADER)
    [*_, last] = pipeline.assess_all([loss_record(), REVERSE_SHELL])

    assert last.alerts[0].confidence == 0.5


def test_record_about_no_process() -> None:
    """A record that is about no process is assessed without one."""
    assert Assessment(loss_record(), None, 22.2) == Pipeline(HEADER).assess(loss_record())


def test_a_defect_costs_one_record(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A record that brings a defect to light is counted and logged, and those after it are judged as ever."""
    pipeline = Pipeline(HEADER)
    judge = pipeline.host.apply

    def fails_once(record: AnyRecord) -> object:
        monkeypatch.setattr(pipeline.host, "apply", judge)
        message = f"cannot apply {record}"
        raise ValueError(message)

    monkeypatch.setattr(pipeline.host, "apply", fails_once)
    first, second = pipeline.assess_all([exec_record(), REVERSE_SHELL])

    assert (first.process, first.alerts, len(second.alerts)) == (None, (), 1)
    assert pipeline.summary().faults == {"process_exec: ValueError": 1}
    assert "a process_exec: ValueError could not be judged" in caplog.text
