"""What a run publishes, while its settings change, to a real server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from pyloader import Sensor
from pyloader.cli.publishing import Publishing
from pyloader.config import NatsSettings, Settings
from pyloader.errors import NatsError, UsageError
from pyloader.nats import Publisher
from pyloader.records import AnyRecord
from pyloader.testing import FakeSource
from tests.nats.reading import Message, contents
from tests.nats.server import NatsServer
from tests.unit.examples import exec_record

COUNT = 3_000


class Numbered(FakeSource):
    """A source of executions whose pids are numbers, of which each reading gives a few, from `begin` on."""

    def __init__(self) -> None:
        batches: list[list[AnyRecord]] = [[exec_record(pid=number, cgroup=0)] for number in range(1, COUNT + 1)]
        super().__init__(*batches)
        self.begin = threading.Semaphore(0)

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next execution, once it may."""
        self.begin.acquire()
        return super().read(timeout)


@pytest.fixture(name="source")
def _source() -> Iterator[Numbered]:
    """Return a source that is let run to its end."""
    source = Numbered()
    yield source
    source.begin.release(COUNT + 10)


def _settings(server: NatsServer, folder: Path, **more: object) -> Settings:
    nats = NatsSettings(url=server.url, stream="S", publish=("records",), spool=folder / "spool")
    return Settings(nats=replace(nats, **more))


def _pids(found: list[Message]) -> list[int]:
    """Return the pids of the executions that were published."""
    return [msgspec.msgpack.decode(one.data)[2] for one in found if one.subject.endswith(".record")]


def test_nothing_is_lost_while_settings_change(nats_server: NatsServer, source: Numbered, tmp_path: Path) -> None:
    """Records that are seen while a publisher is exchanged for another are published once each, in order."""
    settings = _settings(nats_server, tmp_path)
    others = [_settings(nats_server, tmp_path, spool_bytes=1 << 20), settings] * 3
    sensor = Sensor(source=source)
    with Publishing(sensor, settings) as publishing, sensor:
        sensor.on_assessment(lambda _: None)
        sensor.start()
        for number, other in enumerate(others):
            source.begin.release(COUNT // len(others) // 2)
            exchange = threading.Thread(target=publishing.change, args=([settings, *others][number], other))
            exchange.start()
            source.begin.release(COUNT // len(others) - COUNT // len(others) // 2)
            exchange.join()
        source.begin.release(COUNT)
        assert sensor.wait(30)
        summary = publishing.summed(sensor.summary())

    assert _pids(contents(nats_server, "S")) == list(range(1, COUNT + 1))
    assert summary.nats["published"] >= COUNT
    assert {name: count for name, count in summary.nats.items() if name.endswith("lost")} == {}


@pytest.mark.parametrize("wrong", [{"url": "ftp://host"}, {"stream": "T"}, {"user": "nobody"}])
def test_wrong_settings_change_nothing(
    nats_server: NatsServer, source: Numbered, tmp_path: Path, wrong: dict[str, object]
) -> None:
    """If the new settings are wrong, whether that is seen at once or by the server, publishing goes on as before."""
    settings = _settings(nats_server, tmp_path)
    sensor = Sensor(source=source)
    with Publishing(sensor, settings) as publishing, sensor:
        sensor.on_assessment(lambda _: None)
        sensor.start()
        source.begin.release(COUNT // 2)
        with pytest.raises((UsageError, NatsError)):
            publishing.change(settings, _settings(nats_server, tmp_path, **wrong))
        source.begin.release(COUNT)
        assert sensor.wait(30)

    assert _pids(contents(nats_server, "S")) == list(range(1, COUNT + 1))


def test_publishing_can_begin_and_end(nats_server: NatsServer, source: Numbered, tmp_path: Path) -> None:
    """Who begins to publish while the sensor runs publishes what comes from then on, until it ends again."""
    silent, settings = Settings(), _settings(nats_server, tmp_path)
    sensor = Sensor(source=source)
    with Publishing(sensor, silent) as publishing, sensor:
        seen = sensor.subscribe(capacity=COUNT)
        sensor.start()
        for before, after in ((silent, settings), (settings, silent)):
            source.begin.release(1_000)
            assert [seen.next(10) for _ in range(1_000)][-1] is not None
            publishing.change(before, after)
        source.begin.release(COUNT)
        assert sensor.wait(30)
        summary = publishing.summed(sensor.summary())

    assert _pids(contents(nats_server, "S")) == list(range(1_001, 2_001))
    assert summary.records == {"process_exec": COUNT}


def test_what_is_held_is_bounded(
    nats_server: NatsServer, source: Numbered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the bound forces out while settings change is counted and announced."""
    monkeypatch.setattr("pyloader.cli.publishing._HELD_BYTES", 1_000)
    settings, other = _settings(nats_server, tmp_path), _settings(nats_server, tmp_path, spool_bytes=1 << 20)
    sensor = Sensor(source=source)
    with Publishing(sensor, settings) as publishing, sensor:
        seen = sensor.subscribe(capacity=COUNT)
        sensor.start()
        end = Publisher.close

        def close(publisher: Publisher) -> None:
            end(publisher)
            source.begin.release(COUNT)
            assert [seen.next(10) for _ in range(COUNT)][-1] is not None

        with monkeypatch.context() as patch:
            patch.setattr(Publisher, "close", close)
            publishing.change(settings, other)
        source.begin.release(1)
        assert sensor.wait(30)
        summary = publishing.summed(sensor.summary())
    found = contents(nats_server, "S")

    told = _pids(found)
    assert told == list(range(1, len(told) + 1))
    assert 0 < len(told) < 20
    [gap] = [one.object for one in found if one.subject.endswith(".gap")]
    assert (gap["lost"], gap["count"], gap["reason"]) == ("record", COUNT - len(told), "settings changed")
    assert summary.nats["record lost"] == COUNT - len(told)
