"""A publisher that no server answers: what it takes, keeps, counts and says."""

import os
import pickle
from pathlib import Path

import pytest

from pyloader import Sensor
from pyloader.config import NatsSettings
from pyloader.errors import BusyError, UsageError
from pyloader.nats import Publisher
from pyloader.nats import publisher as module
from pyloader.pipeline import Assessment
from pyloader.records.codec import encode
from pyloader.testing import FakeSource
from tests.unit.examples import HEADER, REVERSE_SHELL, alert, exec_record, fork_record

# Nobody listens on port 1 of loopback.
NOBODY = "nats://127.0.0.1:1"


def _assessment(number: int = 0, score: float = 70.0) -> Assessment:
    return Assessment(exec_record(), None, score, (), (alert(id=f"alert-{number}"),))


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    """A publisher of alerts takes no assessments, and one of records no alerts."""
    with Publisher(NatsSettings(url=NOBODY, stream="S", publish=("records",)), HEADER, spool=tmp_path) as publisher:
        publisher.assessments([_assessment()])
        assert publisher.stats().waiting == 0
    with Publisher(NatsSettings(url=NOBODY, stream="S"), HEADER, spool=tmp_path) as publisher:
        publisher.assessments([Assessment(exec_record(), None, 99.0)])
        publisher.records([exec_record()], [encode(exec_record())])
        assert publisher.stats().waiting == 0
        publisher.assessments([_assessment()])
        assert publisher.stats().waiting > 0


def test_alerts_are_on_disk_at_once(tmp_path: Path) -> None:
    """When the call that hands over an alert returns, a file holds it."""
    with Publisher(NatsSettings(url=NOBODY, stream="S"), HEADER, spool=tmp_path) as publisher:
        publisher.assessments([_assessment(7)])
        [file] = (tmp_path / "alerts").iterdir()

        assert b"alert-7" in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600


def test_queue_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the queue has no room for is counted, and whoever hands over does not wait."""
    monkeypatch.setattr(module, "QUEUE_BYTES", 1_000)
    with Publisher(NatsSettings(url=NOBODY, stream="S", publish=("records",)), HEADER, spool=tmp_path) as publisher:
        records = [exec_record()] * 100
        publisher.records(records, [encode(one) for one in records])

        assert publisher.stats().lost == {"record": 100}


def test_closed(tmp_path: Path) -> None:
    """What is handed over before the start or after the end is counted as lost, and is no error."""
    publisher = Publisher(NatsSettings(url=NOBODY, publish=("alerts", "records")), HEADER, spool=tmp_path)
    publisher.assessments([_assessment()])
    with publisher:
        pass
    publisher.records([exec_record()], [encode(exec_record())])
    publisher.close()

    assert publisher.stats().lost == {"alert": 1, "record": 1}
    assert publisher.stats().counts() == {
        "published": 0,
        "repeated": 0,
        "bytes waiting": 0,
        "alert lost": 1,
        "record lost": 1,
    }


def test_without_a_disk_what_waits_is_lost_at_the_end() -> None:
    """Without a spool, what no server has taken when the publisher closes is counted as lost."""
    with Publisher(NatsSettings(url=NOBODY, stream="S"), HEADER) as publisher:
        publisher.assessments([_assessment()])
        assert publisher.stats().lost == {}

    assert publisher.stats().lost == {"alert": 1}


def test_stats_name_the_problem() -> None:
    """While no server answers, the stats say so, and why."""
    with Publisher(NatsSettings(url=NOBODY), HEADER) as publisher:
        stats = publisher.stats()

    assert (stats.connected, stats.connections, stats.published) == (False, 0, 0)
    assert stats.problem.startswith("no answer from nats://127.0.0.1:1")


def test_one_publisher_a_spool(tmp_path: Path) -> None:
    """Two publishers cannot share a spool, and the second says so."""
    settings = NatsSettings(url=NOBODY, stream="S")
    with Publisher(settings, HEADER, spool=tmp_path):
        second = Publisher(settings, HEADER, spool=tmp_path)
        with pytest.raises(BusyError, match="another process publishes"):
            second.start()


def test_follows_a_sensor(tmp_path: Path) -> None:
    """A publisher that is attached takes a sensor's records and alerts, whoever reads."""
    source = FakeSource([REVERSE_SHELL, fork_record()])
    sensor = Sensor(source=source)
    settings = NatsSettings(url=NOBODY, stream="S", publish=("alerts", "records"))
    with Publisher(settings, sensor.header, spool=tmp_path) as publisher:
        publisher.attach(sensor)
        with sensor:
            sensor.wait()
    held = b"".join(file.read_bytes() for file in tmp_path.glob("*/*.spool"))

    assert publisher.stats().lost == {}
    assert held.count(b".alert") >= 1
    assert held.count(b".record") == 2


def test_summary() -> None:
    """The summary of a run says what became of what was to be published."""
    sensor = Sensor(source=FakeSource([REVERSE_SHELL]))
    with Publisher(NatsSettings(url=NOBODY), sensor.header) as publisher, sensor:
        publisher.attach(sensor)
        alerts = [one for assessment in sensor for one in assessment.alerts]
        summary = publisher.summed(sensor.summary())

    assert alerts
    assert summary.nats["alert lost"] == len(alerts)
    assert summary.alerts == sensor.summary().alerts


def test_belongs_to_one_process(tmp_path: Path) -> None:
    """A publisher cannot be sent to another process, and a fork of its process can end without harm to it."""
    with Publisher(NatsSettings(url=NOBODY, stream="S"), HEADER, spool=tmp_path) as publisher:
        with pytest.raises(UsageError, match="cannot be sent"):
            pickle.dumps(publisher)
        publisher.assessments([_assessment()])
        child = os.fork()
        if not child:
            publisher.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert publisher.stats().waiting > 0
        assert list((tmp_path / "alerts").iterdir())
