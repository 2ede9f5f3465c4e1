"""`pyloader tail` prints what is published, in order, and ends cleanly."""

import json
import os
import signal
import subprocess
import sys

import msgspec
import pytest

from pyloader.config import NatsSettings
from pyloader.nats import Publisher
from pyloader.pipeline import Assessment
from pyloader.records.codec import encode
from tests.nats.scoring import Command, header, numbered, numbers, publish, send
from tests.nats.server import NatsServer
from tests.unit.examples import alert, exec_record

_EACH = 30


def _alerts(server: NatsServer, first: int, count: int = _EACH, *, stream: str = "S", host: int = 0) -> None:
    """Publish numbered alerts as a sensor does that scores by itself."""
    settings = NatsSettings(url=server.url, stream=stream, publish=("alerts", "assessments"))
    with Publisher(settings, header(host)) as publisher:
        publisher.assessments(
            [
                Assessment(exec_record(), None, 70.0, (), (alert(id=f"number-{one}"),))
                for one in range(first, first + count)
            ]
        )


def _ids(command: Command) -> list[str]:
    return [one["id"] for one in command.objects()]


def _numbered(first: int, count: int = _EACH) -> list[str]:
    return [f"number-{one}" for one in range(first, first + count)]


def _tail(server: NatsServer, *options: str) -> Command:
    return Command("tail", "--nats", server.url, *options)


def _of_stream(server: NatsServer, *options: str) -> Command:
    return _tail(server, "--stream", "S", "--format", "json", *options)


def test_a_stream_from_its_beginning(nats_server: NatsServer) -> None:
    """Numbered alerts that a stream holds come in order, and then those that are published meanwhile."""
    _alerts(nats_server, 0)
    with _of_stream(nats_server, "--subject", "pyloader.*.*.alert") as tail:
        tail.until(lambda: len(tail.lines) == _EACH)
        _alerts(nats_server, _EACH)
        tail.until(lambda: len(tail.lines) == 2 * _EACH)

        assert tail.end() == 0

    assert _ids(tail) == _numbered(0, 2 * _EACH)
    assert tail.objects("summary") == [{"type": "summary", "messages": {"alerts": 2 * _EACH}}]


@pytest.mark.parametrize("pattern", ["pyloader.host-1.>", "pyloader.*.process.>", "*.host-1.*.*"])
def test_patterns(nats_server: NatsServer, pattern: str) -> None:
    """A pattern that is wider than the subjects of the stream, too, gives what is asked for and nothing else."""
    publish(nats_server, header(0), numbered(0, 1))
    _alerts(nats_server, 0, 5, host=1)
    with _of_stream(nats_server, "--subject", pattern) as tail:
        tail.until(lambda: len(_ids(tail)) == 5)
        assert tail.end() == 0

    assert {one["hostname"] for one in tail.objects("header")} <= {"host-1"}
    assert ("host-0" in "".join(tail.lines)) == (pattern == "pyloader.*.process.>")


def test_from_now_on(nats_server: NatsServer) -> None:
    """Without a stream only what is published from now on comes."""
    _alerts(nats_server, 0)
    with _tail(nats_server, "--format", "json", "--subject", "pyloader.>") as tail:
        # It is there when it gets what is sent to it until it does.
        while not tail.objects("ready"):
            send(nats_server, ("pyloader.x.sensor.ready", b'{"type":"ready"}'))
        _alerts(nats_server, _EACH)
        tail.until(lambda: len(_ids(tail)) == _EACH)

        assert tail.end(signal.SIGINT) == 0

    assert _ids(tail) == _numbered(_EACH)


def test_since(nats_server: NatsServer) -> None:
    """`--since` of a whole hour leaves nothing out, and of a moment all that is older."""
    _alerts(nats_server, 0)
    with _of_stream(nats_server, "--since", "1h") as tail:
        tail.until(lambda: len(_ids(tail)) == _EACH)
    later = _EACH
    with _of_stream(nats_server, "--since", "0.001") as tail:
        while not _ids(tail):
            _alerts(nats_server, later, 1)
            later += 1
        assert tail.end() == 0

    assert not set(_ids(tail)) & set(_numbered(0))


def test_text(nats_server: NatsServer) -> None:
    """In text alerts look as `pyloader run` prints them, raw records as events, each with its host."""
    _alerts(nats_server, 0, 1)
    publish(nats_server, header(1), numbered(0, 1))
    with _tail(nats_server, "--stream", "S") as tail:
        tail.until(lambda: sum(line.startswith("process_exec ") for line in tail.lines) == 2)
        assert tail.end() == 0

    [shown] = [line for line in tail.lines if line.startswith("High threat process event: pid=")]
    assert shown.endswith(" host=host-0\n")
    assert {line.split()[-1] for line in tail.lines if line.startswith("header ")} >= {"host=host-1"}
    executed = [line for line in tail.lines if line.startswith("process_exec ")]
    assert [line.split()[-1] for line in executed] == ["host=host-0", "host=host-1"]
    assert ["score=" in line for line in executed] == [True, False]
    assert tail.errors[-1].startswith("pyloader: 1 alerts, 1 assessments, ")


def test_records_as_events(nats_server: NatsServer) -> None:
    """Raw records come decoded, with the name of their event and their host."""
    publish(nats_server, header(1), numbered(0, 5))
    with _of_stream(nats_server, "--subject", "pyloader.host-1.*.record") as tail:
        tail.until(lambda: len(tail.lines) == 5)
        assert tail.end() == 0

    events = tail.objects("event")
    assert {one["event"] for one in events} == {"process_exec"}
    assert {one["host"] for one in events} == {"host-1"}
    assert numbers([{"subject": one} for one in events]) == list(range(5))


@pytest.mark.parametrize("kind", ["text", "json"])
def test_bad_payloads_are_counted(nats_server: NatsServer, kind: str) -> None:
    """What cannot be read is counted and shown in the end, and disturbs nothing: no traceback, no forged line."""
    _alerts(nats_server, 0, 1)
    forged = msgspec.json.decode(b'{"type":"gap","count":1}') | {"reason": "x\nHigh threat\x1b[31m"}
    record = msgspec.msgpack.decode(encode(numbered(0, 1)[0]))
    send(
        nats_server,
        ("pyloader.a.b.c", b"\xff"),
        ("pyloader.a.b.c", b'{"type":'),
        ("pyloader.a.b.c", b'{"type":"alert"}'),
        ("pyloader.a.b.c", b'{"type":7}'),
        ("pyloader.a.b.c", msgspec.msgpack.encode([16, *record[1:]])),
        ("pyloader.a.b.c", b"\x91" * 50_000),
        ("pyloader.a.b.gap", msgspec.json.encode(forged)),
    )
    _alerts(nats_server, 1, 1)
    with _tail(nats_server, "--stream", "S", "--format", kind) as tail:
        tail.until(lambda: sum("netcat" in line for line in tail.lines) == 2)
        assert tail.end() == 0

    told = "".join(tail.errors) if kind == "text" else json.dumps(tail.objects("summary"))
    assert all(what in told for what in ("malformed object", "malformed record", "gaps"))
    assert "Traceback" not in "".join(tail.errors)
    assert not any(line.startswith("High threat\x1b") or "\x1b" in line for line in tail.lines)


def test_lost_connection(nats_server: NatsServer) -> None:
    """A server that is killed and comes again is told of on standard error; what it keeps comes once and in order."""
    _alerts(nats_server, 0)
    with _of_stream(nats_server, "--subject", "pyloader.*.*.alert") as tail:
        tail.until(lambda: len(tail.lines) == _EACH)
        nats_server.kill()
        tail.until(lambda: any("lost" in line for line in tail.errors))
        nats_server.start()
        tail.until(lambda: any("again" in line for line in tail.errors))
        _alerts(nats_server, _EACH)
        tail.until(lambda: len(tail.lines) == 2 * _EACH)
        assert tail.end() == 0

    assert _ids(tail) == _numbered(0, 2 * _EACH)


def test_lost_connection_without_a_stream(nats_server: NatsServer) -> None:
    """Without a stream it says that what was published meanwhile is missed, and goes on."""
    with _tail(nats_server, "--format", "json") as tail:
        while not tail.objects("ready"):
            send(nats_server, ("pyloader.x.sensor.ready", b'{"type":"ready"}'))
        nats_server.kill()
        tail.until(lambda: any("lost" in line for line in tail.errors))
        nats_server.start()
        tail.until(lambda: any("missed" in line for line in tail.errors))
        _alerts(nats_server, 0, 3, stream="")
        tail.until(lambda: len(_ids(tail)) == 3)

        assert tail.end() == 0


def test_nobody_reads(nats_server: NatsServer) -> None:
    """A reader that has gone ends it without a complaint."""
    _alerts(nats_server, 0, 100)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "pyloader", "tail", "--nats", nats_server.url, "--stream", "S"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYLOADER_CONFIG": os.devnull},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    while process.poll() is None:
        _alerts(nats_server, 100, 100)

    assert process.stderr.read() == b""
    assert process.returncode == 0
    process.stderr.close()


def test_no_server() -> None:
    """Where no server is it says so in one line, and fails."""
    with Command("tail", "--nats", "nats://127.0.0.1:1") as tail:
        assert tail.process.wait(60) == 1
        tail.until(lambda: len(tail.errors) == 1)
    assert "no answer" in tail.errors[0]


def test_no_stream(nats_server: NatsServer) -> None:
    """A stream that is not there is an error."""
    with _of_stream(nats_server) as tail:
        assert tail.process.wait(60) == 1
        tail.until(lambda: bool(tail.errors))
    assert tail.errors == ["pyloader: there is no stream S on the server\n"]
