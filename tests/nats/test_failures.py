"""Servers, connections and sensors that die under load: everything arrives, and only under its own identifier."""

import itertools
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from pyloader.config import NatsSettings
from pyloader.nats import Publisher, delivery
from pyloader.nats.publisher import PublisherStats
from pyloader.pipeline import Assessment
from pyloader.records.codec import encode
from tests.nats.proxy import Proxy
from tests.nats.reading import Message, contents, delete
from tests.nats.server import NatsServer
from tests.unit.examples import HEADER, alert, exec_record

SENDING = Path(__file__).with_name("sending.py")


class Load(NamedTuple):
    """What was handed over so far."""

    alerts: list[str]
    records: list[bytes]


def _hand_over(publisher: Publisher, load: Load, number: int) -> None:
    """Hand over a numbered alert and ten numbered records."""
    publisher.assessments([Assessment(exec_record(), None, 70.0, (), (alert(id=f"alert-{number}"),))])
    load.alerts.append(f"alert-{number}:0")
    records = [exec_record(pid=number, timestamp=one) for one in range(10)]
    publisher.records(records, [encode(one) for one in records])
    load.records.extend(map(encode, records))


@contextmanager
def _load(publisher: Publisher) -> Iterator[Load]:
    """Hand over without a pause meanwhile."""
    load = Load([], [])
    finish = threading.Event()

    def work() -> None:
        for number in itertools.count():
            _hand_over(publisher, load, number)
            # About a thousand records a second.
            if finish.wait(0.01):
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield load
    finally:
        finish.set()
        thread.join()


def _until(publisher: Publisher, published: int) -> None:
    """Wait until so many more messages were acknowledged."""
    goal = publisher.stats().published + published
    pause = threading.Event()
    while publisher.stats().published < goal:
        pause.wait(0.01)


def _drained(publisher: Publisher) -> PublisherStats:
    """Wait until everything was acknowledged."""
    pause = threading.Event()
    while publisher.stats().waiting:
        pause.wait(0.01)
    return publisher.stats()


def _arrived(found: list[Message], load: Load) -> None:
    """Everything arrived, in order, and what is there twice has the same identifier twice."""
    for kind, expected in (("alert", load.alerts), ("record", load.records)):
        arrived = [one for one in found if one.subject.endswith(kind)]
        got = [one.id if kind == "alert" else one.data for one in arrived]
        assert list(dict.fromkeys(got)) == list(expected)
        assert len({one.id for one in arrived}) == len(expected)


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_server_restarts_under_load(nats_server: NatsServer, tmp_path: Path, way: str) -> None:
    """A server that crashes or is stopped, again and again, gets everything in the end; handing over never waits."""
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("alerts", "records"))
    with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
        with _load(publisher) as load:
            for _ in range(3):
                _until(publisher, 300)
                nats_server.kill() if way == "kill" else nats_server.stop()
                before = len(load.alerts)
                while len(load.alerts) < before + 50:
                    threading.Event().wait(0.01)
                nats_server.start()
        stats = _drained(publisher)

    assert stats.connections >= 4
    assert (stats.lost, stats.damaged) == ({}, 0)
    _arrived(contents(nats_server, "S"), load)


def test_connection_is_cut(nats_server: NatsServer, tmp_path: Path) -> None:
    """Connections that are cut in the middle of messages lose none."""
    with Proxy(nats_server.port) as proxy:
        settings = NatsSettings(url=proxy.url, stream="S", publish=("alerts", "records"))
        with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
            with _load(publisher) as load:
                for _ in range(5):
                    _until(publisher, 100)
                    proxy.cut()
                _until(publisher, 100)
            stats = _drained(publisher)

    assert stats.connections >= 6
    assert stats.lost == {}
    _arrived(contents(nats_server, "S"), load)


def test_connection_stalls(nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a server reads nothing any more, the spool takes what is handed over, and another connection is made."""
    monkeypatch.setattr(delivery, "PATIENCE", 1.0)
    with Proxy(nats_server.port) as proxy:
        settings = NatsSettings(url=proxy.url, stream="S", publish=("alerts", "records"))
        with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
            with _load(publisher) as load:
                _until(publisher, 100)
                proxy.stall()
                before = len(load.alerts)
                while publisher.stats().connected:
                    threading.Event().wait(0.01)
                assert publisher.stats().waiting
                # Who hands over has gone on meanwhile, at the same rate.
                assert len(load.alerts) >= before + 20
                proxy.cut()
                proxy.flow()
            stats = _drained(publisher)

    assert stats.lost == {}
    _arrived(contents(nats_server, "S"), load)


def test_server_is_away_at_the_start(nats_server: NatsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Without a server the publisher starts all the same, with a warning, and everything arrives when there is one."""
    nats_server.kill()
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("alerts", "records"))
    load = Load([], [])
    with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
        for number in range(100):
            _hand_over(publisher, load, number)
        away = publisher.stats()
        nats_server.start()
        _drained(publisher)

    assert not away.connected
    assert "no answer from" in away.problem
    assert "is a NATS server running there?" in caplog.text
    _arrived(contents(nats_server, "S"), load)


def test_what_is_left_waits_for_the_next(nats_server: NatsServer, tmp_path: Path) -> None:
    """A publisher that closes while no server is there leaves everything to the next one, which sends it first."""
    nats_server.kill()
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("alerts", "records"))
    load = Load([], [])
    for first in (0, 50):
        with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
            for number in range(first, first + 50):
                _hand_over(publisher, load, number)
            if first:
                nats_server.start()
                _drained(publisher)
        assert publisher.stats().lost == {}

    _arrived(contents(nats_server, "S"), load)


def test_credentials_are_exchanged(tmp_path: Path) -> None:
    """A server that takes other credentials than before gets what has waited as soon as the file holds them."""
    folder, password = tmp_path / "server", tmp_path / "password"
    folder.mkdir()
    password.write_text("first")
    password.chmod(0o600)
    user = 'authorization {{ user: "sensor", password: "{}" }}'
    load = Load([], [])
    with NatsServer(folder, more=user.format("first")) as server:
        settings = NatsSettings(url=server.url, stream="S", publish=("alerts",), user="sensor", password_file=password)
        with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
            _hand_over(publisher, load, 0)
            _drained(publisher)
            server.kill()
            server.configure(user.format("second"))
            server.start()
            _hand_over(publisher, load, 1)
            while "check the credentials" not in publisher.stats().problem:
                threading.Event().wait(0.01)
            password.write_text("second")
            stats = _drained(publisher)

    assert (stats.published, stats.lost, stats.problem) == (2, {}, "")


def test_stream_is_deleted(nats_server: NatsServer, tmp_path: Path) -> None:
    """A stream that somebody deletes is made again, and nothing that was not in it is lost."""
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("alerts", "records"))
    load = Load([], [])
    with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
        _hand_over(publisher, load, 0)
        _drained(publisher)
        delete(nats_server, "S")
        after = Load([], [])
        for number in range(1, 50):
            _hand_over(publisher, after, number)
        stats = _drained(publisher)

    assert stats.lost == {}
    _arrived(contents(nats_server, "S"), after)


def test_another_server_takes_over(tmp_path: Path) -> None:
    """Where several servers are named, another one is taken when the first has gone."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    load = Load([], [])
    with NatsServer(tmp_path / "one") as one, NatsServer(tmp_path / "two") as two:
        settings = NatsSettings(url=f"{one.url},{two.url}", stream="S")
        with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
            _hand_over(publisher, load, 0)
            _drained(publisher)
            one.kill()
            _hand_over(publisher, load, 1)
            _drained(publisher)
        assert [message.id for message in contents(two, "S")] == load.alerts[1:]


def test_core_nats_in_memory(nats_server: NatsServer) -> None:
    """Without a stream what waits for a server is in memory, within a bound, and what that forces out is announced."""
    nats_server.kill()
    settings = NatsSettings(url=nats_server.url, publish=("records",))
    records = [exec_record(pid=number, args=b"x" * 4_000) for number in range(10_000)]
    with Publisher(settings, HEADER) as publisher:
        for begin in range(0, len(records), 100):
            batch = records[begin : begin + 100]
            publisher.records(batch, [encode(one) for one in batch])
        while not publisher.stats().lost:
            threading.Event().wait(0.01)
        stats = publisher.stats()

    assert stats.waiting <= 2 * (16 << 20)
    assert 0 < stats.lost["record"] < len(records)


def test_bound_of_the_spool(nats_server: NatsServer, tmp_path: Path) -> None:
    """What the bound forces out is counted exactly and announced in the stream; alerts are not among it."""
    nats_server.kill()
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("alerts", "records"), spool_bytes=1 << 20)
    load = Load([], [])
    with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
        for number in range(1_000):
            _hand_over(publisher, load, number)
        while "record" not in publisher.stats().lost:
            threading.Event().wait(0.01)
        nats_server.start()
        stats = _drained(publisher)
    found = contents(nats_server, "S")
    gaps = [one.object for one in found if one.subject.endswith("gap")]
    arrived = [one.data for one in found if one.subject.endswith("record")]

    assert [one.id for one in found if one.subject.endswith("alert")] == load.alerts
    assert arrived == load.records[-len(arrived) :]
    assert stats.lost["record"] == len(load.records) - len(arrived)
    assert sum(gap["count"] for gap in gaps if gap["lost"] == "record") == stats.lost["record"]
    assert {(gap["reason"], gap["host"]) for gap in gaps} == {("spool full", "host")}
    assert all(gap["from"] <= gap["to"] for gap in gaps)


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 512 KiB."""
    if os.geteuid():
        pytest.skip("only root can mount a file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_disk_is_full(nats_server: NatsServer, small_disk: Path) -> None:
    """On a full disk alerts take the place of records, memory takes the rest, and all that is lost is announced."""
    nats_server.kill()
    settings = NatsSettings(url=nats_server.url, stream="S", publish=("alerts", "records"))
    load = Load([], [])
    with Publisher(settings, HEADER, spool=small_disk / "spool") as publisher:
        for number in range(1_000):
            _hand_over(publisher, load, number)
        while publisher.stats().waiting < 1 << 20:
            threading.Event().wait(0.01)
        nats_server.start()
        stats = _drained(publisher)
    found = contents(nats_server, "S")
    arrived = {one.data for one in found if one.subject.endswith("record")}

    assert [one.id for one in found if one.subject.endswith("alert")] == load.alerts
    assert stats.lost.get("record", 0) == len(load.records) - len(arrived)
    assert set(stats.lost) <= {"record"}
    assert {one.object["reason"] for one in found if one.subject.endswith("gap")} <= {"disk full"}


def test_slow_server(nats_server: NatsServer, tmp_path: Path) -> None:
    """A server that is slower than what is handed over gets all of it in the end, and nobody waits for it."""
    with Proxy(nats_server.port) as proxy:
        settings = NatsSettings(url=proxy.url, stream="S", publish=("alerts", "records"))
        with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
            proxy.stall()
            load = Load([], [])
            for number in range(500):
                _hand_over(publisher, load, number)
                if number % 50 == 0:
                    # A little is let through, and then nothing.
                    proxy.flow()
                    proxy.stall()
            handed_over = publisher.stats()
            proxy.flow()
            stats = _drained(publisher)

    assert handed_over.published < 500
    assert (stats.lost, stats.connections) == ({}, 1)
    _arrived(contents(nats_server, "S"), load)


def test_kill_of_the_sensor(nats_server: NatsServer, tmp_path: Path) -> None:
    """A sensor that is killed while it publishes, with the server there or away, has lost no alert it handed over."""
    first = 0
    confirmed: list[int] = []
    for is_away in (False, True, False, True):
        if is_away:
            nats_server.kill()
        with subprocess.Popen(
            [sys.executable, "-P", str(SENDING), nats_server.url, str(tmp_path / "spool"), str(first), "0"],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines = iter(process.stdout)
            assert next(lines) == "ready\n"
            last = first + 300
            numbers = [int(next(lines)) for _ in range(60)]
            process.kill()
            numbers += [int(line) for line in lines if line.endswith("\n")]
            confirmed += range(first, numbers[-1] + 1)
            first = numbers[-1] + 1 + 5
        assert numbers[-1] >= last - 1
        if is_away:
            nats_server.start()
    settings = NatsSettings(url=nats_server.url, stream="S")
    with Publisher(settings, HEADER, spool=tmp_path / "spool") as publisher:
        _drained(publisher)
    found = [one for one in contents(nats_server, "S") if one.subject.endswith("alert")]
    times = Counter(one.id for one in found)

    assert set(times) >= {f"alert-{number}:0" for number in confirmed}
    # The stream remembers identifiers for two minutes.
    assert set(times.values()) == {1}
