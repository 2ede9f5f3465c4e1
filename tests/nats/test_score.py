"""Scorers share the hosts of a stream; whatever happens to one of them, every alert comes, in order, under its id."""

import signal
from collections import Counter
from collections.abc import Sequence

import msgspec

from pyloader import Sensor
from pyloader.nats.score_claims import Claim
from pyloader.records.codec import encode
from pyloader.records.recording import RecordingReader
from pyloader.samples import SAMPLE
from pyloader.sinks.jsonlines import alert_object, encoded
from tests.nats.reading import Message
from tests.nats.scoring import (
    Command,
    claims,
    header,
    numbered,
    numbers,
    publish,
    published,
    scorer,
    send,
    until,
    until_claims,
)
from tests.nats.server import NatsServer

HOSTS = range(4)
EACH = 20

_FIRST_ALERT = 20
_SECOND_ALERT = 30
"""Records of the sample that raise alerts, which nobody would raise who does not know what came before."""


def _holders(found: dict[str, Claim]) -> list[int]:
    """Return how many hosts each scorer has, those without one left out."""
    return sorted(Counter(claim.holder for claim in found.values() if claim.holder).values())


def _are_shared(found: dict[str, Claim]) -> bool:
    return _holders(found) == [2, 2]


def _place(found: dict[str, Claim], host: int) -> int:
    """Return up to where the alerts of a host are out."""
    return found.get(f"host-{host}", Claim()).acknowledged


def _publish_all(server: NatsServer, first: int, count: int = EACH) -> None:
    for host in HOSTS:
        publish(server, header(host), numbered(first, count))


def _has_all(command: Command, host: int, last: int) -> bool:
    return last in _told([command], host)


def _told(commands: Sequence[Command], host: int) -> list[int]:
    """Return the numbers that scorers have told of a host, one after the other."""
    return [
        number
        for command in commands
        for number in numbers([one for one in command.objects() if one["host"] == f"host-{host}"])
    ]


def _until_published(server: NatsServer, last: int) -> dict[int, list[Message]]:
    """Return the alerts of every host as soon as they have come to the last number."""
    return {
        host: until(
            lambda host=host: published(server, host),  # type: ignore[misc]
            lambda alerts: last in numbers([one.object for one in alerts]),
        )
        for host in HOSTS
    }


def _check(alerts: Sequence[Message], count: int) -> None:
    """Nothing is missing, first appearances are in order, and what appears twice has the same id."""
    found = numbers([one.object for one in alerts])
    assert list(dict.fromkeys(found)) == list(range(count))
    identifiers: dict[int, set[str]] = {}
    for number, one in zip(found, alerts, strict=True):
        identifiers.setdefault(number, set()).add(one.id)
    assert all(len(known) == 1 for known in identifiers.values())
    assert len({one.id for one in alerts}) == count


def test_two_share_four_hosts(nats_server: NatsServer) -> None:
    """Two scorers have two of four hosts each; each alert is told by the one that has its host, once and in order."""
    with scorer(nats_server) as one, scorer(nats_server) as two:
        _publish_all(nats_server, 0)
        until_claims(nats_server, _are_shared)
        _publish_all(nats_server, EACH)
        reached = _until_published(nats_server, 2 * EACH - 1)
        for host in HOSTS:
            one.until(lambda host=host: _has_all(one, host, 2 * EACH - 1) or _has_all(two, host, 2 * EACH - 1))  # type: ignore[misc]
        until_claims(nats_server, _are_shared)

        assert one.end() == two.end() == 0

    for host, alerts in reached.items():
        _check(alerts, 2 * EACH)
        assert sorted(_told([one, two], host)) == list(range(2 * EACH))
        later = [[number for number in _told([each], host) if number >= EACH] for each in (one, two)]
        assert sorted(later, key=len) == [[], list(range(EACH, 2 * EACH))]
    assert all(claim.holder == "" for claim in claims(nats_server).values())


def test_killed_scorer_is_replaced(nats_server: NatsServer) -> None:
    """What a scorer leaves that is killed while records come is taken over: no alert is missing, none has two ids."""
    with scorer(nats_server) as one, scorer(nats_server) as two:
        _publish_all(nats_server, 0)
        until_claims(nats_server, _are_shared)
        for first in range(EACH, 5 * EACH, EACH):
            _publish_all(nats_server, first)
            if first == 2 * EACH:
                one.end(signal.SIGKILL)
        reached = _until_published(nats_server, 5 * EACH - 1)

        assert two.end() == 0

    for host, alerts in reached.items():
        _check(alerts, 5 * EACH)
        assert set(_told([one, two], host)) == set(range(5 * EACH))
    assert all(claim.acknowledged for claim in claims(nats_server).values())


def test_paused_scorer_does_no_harm(nats_server: NatsServer) -> None:
    """A scorer that pauses loses its hosts; when it goes on, order holds, and no alert is missing or has two ids."""
    with scorer(nats_server) as one, scorer(nats_server) as two:
        _publish_all(nats_server, 0)
        before = until_claims(nats_server, _are_shared)
        _publish_all(nats_server, EACH)
        one.send(signal.SIGSTOP)
        until_claims(nats_server, lambda found: _holders(found) == [4])
        _publish_all(nats_server, 2 * EACH)
        _until_published(nats_server, 3 * EACH - 1)
        one.send(signal.SIGCONT)
        _publish_all(nats_server, 3 * EACH)
        after = until_claims(nats_server, _are_shared)
        _publish_all(nats_server, 4 * EACH)
        reached = _until_published(nats_server, 5 * EACH - 1)

        assert one.end() == two.end() == 0

    for alerts in reached.values():
        _check(alerts, 5 * EACH)
    assert {claim.holder for claim in before.values()} == {claim.holder for claim in after.values()}
    assert sum(after[host].epoch > before[host].epoch for host in before) >= 2


def test_server_restarts(nats_server: NatsServer) -> None:
    """Scorers outlive a server that is killed again and again: they say so, and no alert is missing."""
    with scorer(nats_server) as one, scorer(nats_server) as two:
        _publish_all(nats_server, 0)
        until_claims(nats_server, _are_shared)
        for count in range(1, 4):
            nats_server.kill()
            one.until(lambda count=count: sum("is lost" in line for line in one.errors) == count)  # type: ignore[misc]
            nats_server.start()
            one.until(lambda count=count: sum("connected" in line for line in one.errors) == count)  # type: ignore[misc]
            _publish_all(nats_server, count * EACH)
        reached = _until_published(nats_server, 4 * EACH - 1)

        assert one.end() == two.end() == 0

    for alerts in reached.values():
        _check(alerts, 4 * EACH)
    assert not any("Traceback" in line for line in one.errors + two.errors)


def test_scoring_far_away_is_scoring_here(nats_server: NatsServer) -> None:
    """The alerts of a recording that comes over NATS are byte for byte those of its replay, also after takeovers."""
    with Sensor.replay(SAMPLE) as sensor:
        local = [encoded(alert_object(alert)) for assessment in sensor for alert in assessment.alerts]
    reader = RecordingReader.open(SAMPLE)
    records = [record for batch in reader.batches() for record in batch]
    reader.close()
    of = msgspec.structs.replace(reader.header, hostname="host-0")
    parts = (records[:_FIRST_ALERT], records[_FIRST_ALERT:_SECOND_ALERT], records[_SECOND_ALERT:])
    for part, ending in zip(parts, (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM), strict=True):
        before = _place(claims(nats_server), 0)
        publish(nats_server, of, part)
        with scorer(nats_server) as one:
            until_claims(nats_server, lambda found, before=before: _place(found, 0) > before)  # type: ignore[misc]
            if part is parts[-1]:
                until(lambda: published(nats_server, 0), lambda found: len(found) >= len(local))
            one.end(ending)

    assert [one.data for one in published(nats_server, 0)] == local


def test_bad_messages_are_counted(nats_server: NatsServer) -> None:
    """What is no record, and headers of another format, are refused and counted, and scoring goes on."""
    publish(nats_server, header(0), numbered(0, 5))
    newer = msgspec.structs.replace(header(0, boot=1), version=2)
    send(
        nats_server,
        ("pyloader.host-0.process.record", b"\xff\x00"),
        ("pyloader.host-0.process.record", b""),
        ("pyloader.host-0.process.alert", b'{"type":"alert"}'),
        ("pyloader.host-0.sensor.header", msgspec.msgpack.encode(newer)),
        ("pyloader.host-1.process.record", encode(numbered(0, 1)[0])),
        ("pyloader.host-1.sensor.header", b"\xc1"),
    )
    publish(nats_server, header(0), numbered(5, 5))
    with scorer(nats_server) as one:
        one.until(lambda: 9 in _told([one], 0))
        until_claims(nats_server, lambda found: _place(found, 1) > 0)
        assert one.end() == 0

    [summary] = one.objects("summary")
    assert summary["counts"] == {
        "alerts": 10,
        "malformed object": 1,
        "malformed record": 3,
        "records": 10,
        "records before any header": 1,
        "unknown format": 1,
    }
    assert _told([one], 0) == list(range(10))
    assert not any("Traceback" in line for line in one.errors)


def test_no_more_hosts_than_wanted(nats_server: NatsServer) -> None:
    """A scorer takes as many hosts as it may, and says how many have none; another one takes the rest."""
    _publish_all(nats_server, 0)
    with scorer(nats_server, "--hosts", "3") as one:
        one.until(lambda: any("1 hosts have no scorer" in line for line in one.errors))
        until_claims(nats_server, lambda found: _holders(found) == [3])
        with scorer(nats_server, "--hosts", "3") as two:
            until_claims(nats_server, _are_shared)

            assert two.end() == one.end() == 0
