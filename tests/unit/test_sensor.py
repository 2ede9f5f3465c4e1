"""A source and a pipeline, joined."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyloader import Assessment, RecordingError, Sensor
from pyloader.errors import UsageError
from pyloader.monitors import Monitor, Transport, named
from pyloader.records import AnyRecord
from pyloader.records.codec import decode
from pyloader.samples import SAMPLE
from pyloader.sources import ReplaySource
from pyloader.testing import FakeSource
from tests.unit.examples import REVERSE_SHELL, exec_record, exit_record, fork_record, recording


def test_assessments_in_order() -> None:
    """Iteration gives an assessment for every record, in order, and ends with the source."""
    source = FakeSource([exec_record(), fork_record()], [], [exit_record()])
    with Sensor(source=source) as sensor:
        seen = [assessment.record for assessment in sensor]

    assert seen == [exec_record(), fork_record(), exit_record()]
    assert source.asked == ["start", "close"]


def test_batches() -> None:
    """Batches come as the source gives them, an empty one for a silence, and the interval is the source's timeout."""
    source = FakeSource([exec_record(), fork_record()], [])
    with Sensor(source=source) as sensor:
        sizes = [len(batch) for batch in sensor.batches(0.5)]

    assert sizes == [2, 0]
    assert set(source.timeouts) == {0.5}


def test_exception_of_the_consumer_closes() -> None:
    """Whatever goes wrong where the assessments go, the source is closed, and the error is not hidden."""
    source = FakeSource([exec_record()])

    def consume(assessments: Iterator[Assessment]) -> None:
        raise KeyError(next(assessments).record.timestamp)

    with pytest.raises(KeyError), Sensor(source=source) as sensor:
        consume(iter(sensor))

    assert source.asked == ["start", "close"]


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_failed_start_closes(error: type[Exception]) -> None:
    """A source that cannot start is closed before the error goes on."""
    source = FakeSource(fails=error)

    with pytest.raises(error), Sensor(source=source):
        pytest.fail("the context was entered")

    assert source.asked == ["start", "close"]


def test_stop() -> None:
    """`stop` ends the iteration after what the source still has."""
    source = FakeSource([exec_record()], [fork_record()], [exit_record()])
    with Sensor(source=source) as sensor:
        seen = []
        for assessment in sensor:
            sensor.stop()
            seen.append(assessment.record)

    assert seen == [exec_record(), fork_record()]


def test_summary_grows() -> None:
    """The summary tells what was assessed so far."""
    with Sensor(source=FakeSource([REVERSE_SHELL], [fork_record()])) as sensor:
        counts = [sum(sensor.summary().records.values()) for _ in sensor.batches()]

    assert counts == [1, 2]
    assert sensor.summary().alerts == 1


def test_min_score_reaches_the_alerts() -> None:
    """`min_score` is the threshold of the alerts."""
    with Sensor(source=FakeSource([REVERSE_SHELL]), min_score=100.0) as sensor:
        assert [assessment.alerts for assessment in sensor] == [()]


def test_unknown_monitor() -> None:
    """A monitor that does not exist is refused together with the names of those that do."""
    with pytest.raises(UsageError, match="there is no monitor 'x'; there are: process"):
        Sensor(["x"])


def test_unknown_kind_of_hook() -> None:
    """A kind of hook that no monitor has is refused together with the kinds that there are."""
    with pytest.raises(
        UsageError, match="monitor process has no hook of kind 'xdp'; there are: fentry, kprobe, tp, tp_"
    ):
        Sensor(hooks="xdp")


def test_options_reach_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was chosen about the kernel is what its source is made with; a forced kind of hook leaves no other rungs."""
    asked: dict[str, object] = {}

    def kernel_source(monitors: list[Monitor], **options: object) -> FakeSource:
        asked.update(options, kinds={rung.kind for hook in monitors[0].hooks for rung in hook.rungs})
        return FakeSource()

    monkeypatch.setattr("pyloader.sensor.KernelSource", kernel_source)
    Sensor(
        ["process"],
        hooks="tp",
        transport=Transport.PERF,
        ring_bytes=65_536,
        btf=Path("k.btf"),
        instance="second",
        record_to=Path("x.rec"),
    )

    assert asked == {
        "kinds": {"tp"},
        "interfaces": (),
        "transport": Transport.PERF,
        "ring_bytes": 65_536,
        "btf": Path("k.btf"),
        "instance": "second",
        "record_to": Path("x.rec"),
    }


@pytest.mark.parametrize(
    ("interfaces", "started"), [((), ["process"]), (("eth0", "eth1"), ["process", "network"])], ids=["none", "two"]
)
def test_interfaces(monkeypatch: pytest.MonkeyPatch, interfaces: tuple[str, ...], started: list[str]) -> None:
    """The network monitor runs on chosen interfaces, whatever kind the others are forced on; without any it rests."""
    asked: dict[str, object] = {}

    def kernel_source(monitors: list[Monitor], **options: object) -> FakeSource:
        asked.update(options, monitors=monitors)
        return FakeSource()

    monkeypatch.setattr("pyloader.sensor.KernelSource", kernel_source)
    Sensor(["process", "network"], interfaces=interfaces, hooks="tp")

    assert asked["interfaces"] == interfaces
    assert asked["monitors"] == [named(name) if name == "network" else named(name).forced("tp") for name in started]


def test_interfaces_for_no_monitor() -> None:
    """Interfaces without the monitor that watches them are refused."""
    with pytest.raises(UsageError, match="interfaces are for the monitor network, which was left out"):
        Sensor(["process"], interfaces=["eth0"])


@pytest.mark.parametrize("from_file", [False, True])
def test_replay(tmp_path: Path, *, from_file: bool) -> None:
    """A recording is replayed from a file or from bytes with the same verdicts."""
    path = tmp_path / "x.rec"
    path.write_bytes(recording(REVERSE_SHELL, fork_record()))
    with Sensor.replay(path if from_file else path.read_bytes()) as sensor:
        first, second = sensor

    assert len(first.alerts) == 1
    assert (second.record, second.score) == (fork_record(), first.score)


def test_replay_of_damage() -> None:
    """What lies before the damage is assessed, and then the damage is raised."""
    seen: list[Assessment] = []
    with Sensor.replay(recording(REVERSE_SHELL) + b"\xc1") as sensor, pytest.raises(RecordingError):
        seen.extend(sensor)

    assert [assessment.record for assessment in seen] == [REVERSE_SHELL]


def test_sample_shows_an_intrusion() -> None:
    """The recording that ships is readable and raises alerts."""
    with Sensor.replay(SAMPLE) as sensor:
        alerts = [alert for assessment in sensor for alert in assessment.alerts]

    assert alerts
    assert max(alert.score for alert in alerts) >= 62.0


def test_tap_gets_everything_with_its_bytes() -> None:
    """A tap gets every record, in order, before it is assessed, with bytes from which it can be decoded again."""
    tapped: list[tuple[AnyRecord, bytes]] = []
    source = FakeSource([exec_record(), fork_record()], [], [exit_record()])
    with Sensor(source=source) as sensor:
        sensor.tap(lambda records, raw: tapped.extend(zip(records, raw, strict=True)))
        assessed = []
        for one in sensor:
            assessed.append(one.record)
            assert len(tapped) >= len(assessed)

    assert [record for record, _ in tapped] == assessed == [exec_record(), fork_record(), exit_record()]
    assert [decode(raw) for _, raw in tapped] == assessed


def test_nothing_is_scored() -> None:
    """A sensor that does not score passes on and counts every record, says nothing about any, and keeps nothing."""
    with Sensor.replay(SAMPLE) as judged:
        expected = [one.record for one in judged]
    with Sensor(source=ReplaySource(SAMPLE), score=False) as sensor:
        found = list(sensor)

    assert [one.record for one in found] == expected
    assert {(one.score, one.evidence, one.alerts, one.posture) for one in found} == {(0.0, (), (), None)}
    assert sensor.summary().records == judged.summary().records
    assert (sensor.summary().alerts, sensor.summary().lost) == (0, judged.summary().lost)
