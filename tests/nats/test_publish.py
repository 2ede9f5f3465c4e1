"""What is published, to a real server."""

import msgspec
import pytest

from pyloader import Sensor
from pyloader.config import NatsSettings
from pyloader.errors import NatsError, NatsRefusedError, UsageError
from pyloader.nats import Publisher
from pyloader.pipeline import Assessment
from pyloader.records import AnyRecord
from pyloader.records.codec import encode
from pyloader.records.recording import Header
from pyloader.samples import SAMPLE
from pyloader.sinks.jsonlines import alert_object, encoded, event_object
from tests.nats.reading import contents, listen
from tests.nats.server import NatsServer
from tests.unit.examples import HEADER, alert, exec_record, fork_record


def _numbered(count: int, first: int = 0) -> list[Assessment]:
    return [
        Assessment(exec_record(pid=number), None, 70.0, (), (alert(id=f"alert-{number}"),))
        for number in range(first, first + count)
    ]


def test_alerts_in_a_stream(nats_server: NatsServer) -> None:
    """Each alert is in the stream once, in order, with its identifier, as `--format json` shows it."""
    settings = NatsSettings(url=nats_server.url, stream="S")
    with Publisher(settings, HEADER) as publisher:
        publisher.assessments(_numbered(100))
    found = contents(nats_server, "S")

    assert [one.id for one in found] == [f"alert-{number}:0" for number in range(100)]
    assert {one.subject for one in found} == {"pyloader.host.process.alert"}
    assert [one.data for one in found] == [encoded(alert_object(alert(id=f"alert-{number}"))) for number in range(100)]
    stats = publisher.stats()
    assert (stats.published, stats.repeated, stats.waiting, stats.lost) == (100, 0, 0, {})


def test_records_and_assessments(nats_server: NatsServer) -> None:
    """Records are published byte by byte behind the header of their host, assessments as JSON from a score on."""
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("records", "assessments"), min_score=60)
    records: list[AnyRecord] = [exec_record(), fork_record()]
    raw = [encode(one)[:-1] + b"\x01" for one in records]
    with Publisher(settings, HEADER) as publisher:
        publisher.records(records, raw)
        assessed = [Assessment(records[0], None, 60.0), Assessment(records[1], None, 59.0)]
        publisher.assessments(assessed)
    header, *found = contents(nats_server, "S")

    assert (header.subject, msgspec.msgpack.decode(header.data, type=Header)) == ("pyloader.host.sensor.header", HEADER)
    assert [one.data for one in found] == [*raw, encoded(event_object(assessed[0]))]
    assert [one.subject.rpartition(".")[2] for one in found] == ["record", "record", "assessment"]
    assert [one.subject.split(".")[2] for one in found] == ["process"] * 3
    assert len({one.id for one in found}) == 3


def test_the_same_has_the_same_identifier(nats_server: NatsServer) -> None:
    """What is published again, by another process as well, carries the same identifier, and is in the stream once."""
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("records", "alerts"))
    for _ in range(2):
        with Publisher(settings, HEADER) as publisher:
            publisher.records([exec_record()], [encode(exec_record())])
            publisher.assessments(_numbered(1))
    found = [one for one in contents(nats_server, "S") if not one.subject.endswith("header")]

    assert sorted(one.subject.rpartition(".")[2] for one in found) == ["alert", "record"]
    assert publisher.stats().repeated == 2


def test_core_nats(nats_server: NatsServer) -> None:
    """Without a stream, whoever listens gets the messages, and they count as sent when the server has them."""
    settings = NatsSettings(url=nats_server.url, subject="x.{severity}.{instance}")
    publisher = Publisher(settings, HEADER, instance="one")

    def publish() -> None:
        with publisher:
            publisher.assessments(_numbered(500))

    found = listen(nats_server, "x.*.one", publish, 500)

    assert [one.id for one in found] == [f"alert-{number}:0" for number in range(500)]
    assert {one.subject for one in found} == {"x.high.one"}
    assert (publisher.stats().published, publisher.stats().lost) == (500, {})


def test_attached_to_a_sensor(nats_server: NatsServer) -> None:
    """A sensor's records and alerts are published as it reads, whoever iterates."""
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("records", "alerts"))
    sensor = Sensor.replay(SAMPLE)
    with Publisher(settings, sensor.header) as publisher, sensor:
        publisher.attach(sensor)
        assessed = list(sensor)
    found = contents(nats_server, "S")
    alerts = [one for assessment in assessed for one in assessment.alerts]

    assert [one.object["id"] for one in found if one.subject.endswith("alert")] == [one.id for one in alerts]
    assert [one.data for one in found if one.subject.endswith("record")] == [encode(one.record) for one in assessed]
    assert alerts


def test_stream_of_others(nats_server: NatsServer) -> None:
    """A stream that is there is taken as it is if it takes the subjects, and is refused, unchanged, if it does not."""
    for subject, stream in (("one.{host}", "S"), ("one.{type}", "S")):
        with Publisher(NatsSettings(url=nats_server.url, stream=stream, subject=subject), HEADER):
            pass
    with pytest.raises(NatsError, match=r"the stream S is there and takes one\.\*, not two\.\*"):
        Publisher(NatsSettings(url=nats_server.url, stream="S", subject="two.{host}"), HEADER).start()


def test_no_jetstream(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A server without JetStream cannot keep a stream, which is said at once."""
    with NatsServer(tmp_path_factory.mktemp("server"), jetstream=False) as server:
        publisher = Publisher(NatsSettings(url=server.url, stream="S"), HEADER)
        with pytest.raises(NatsError, match="no JetStream"):
            publisher.start()


def test_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Wrong credentials are an error at the start, and so are missing rights to the stream."""
    users = '{ user: "a", password: "right" }, { user: "b", password: "right", permissions: { publish: "x.>" } }'
    with NatsServer(tmp_path_factory.mktemp("server"), more=f"authorization {{ users: [ {users} ] }}") as server:
        with pytest.raises(NatsRefusedError, match="check the credentials"):
            Publisher(NatsSettings(url=f"nats://a:wrong@127.0.0.1:{server.port}"), HEADER).start()
        with pytest.raises(NatsRefusedError, match=r"[Pp]ermissions"):
            Publisher(NatsSettings(url=f"nats://b:right@127.0.0.1:{server.port}", stream="S"), HEADER).start()


def test_settings_that_make_no_sense() -> None:
    """What cannot work is refused before anything is started."""
    with pytest.raises(UsageError, match="NATS server"):
        Publisher(NatsSettings(), HEADER)
    with pytest.raises(UsageError, match="template"):
        Publisher(NatsSettings(url="one", subject="{x}"), HEADER)


def test_too_large(nats_server: NatsServer) -> None:
    """A message that no server would take is given up, counted and announced, and stops no other."""
    settings = NatsSettings(url=nats_server.url, stream="S")
    with Publisher(settings, HEADER) as publisher:
        large = Assessment(exec_record(), None, 70.0, (), (alert(summary="x" * 2_000_000),))
        publisher.assessments([large, *_numbered(1)])
        first = publisher.stats().waiting
    found = contents(nats_server, "S")

    assert first > 0
    assert found[0].id == "alert-0:0"
    assert publisher.stats().lost == {"alert": 1}
