"""A few minutes of a host on which much happens at once, for tests of what lies between records."""

import random
from collections.abc import Callable
from functools import cache

from pyloader.records import AnyRecord, Outcome
from tests.bench import streams
from tests.unit.evidence.journey import SECOND, Journey, ticks
from tests.unit.examples import (
    access_record,
    cgroup_record,
    credential_record,
    fault_record,
    loss_record,
    oom_record,
    origin_record,
    protection_record,
    request_record,
    usage_record,
)
from tests.unit.traffic import Packet, Wire, connections, probes, steady, together

BEGIN = 100.0


class _Script(Journey):
    """A journey that is written down instead of taken."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[AnyRecord] = []

    def apply(self, *records: AnyRecord) -> None:
        """Note records."""
        self.records += records


@cache
def story() -> list[AnyRecord]:
    """Return the records in the order of their times; the same in every run."""
    records = [*streams.mixed(150), *_network(), *_connections(), *_memory()]
    return sorted(records, key=lambda record: record.timestamp)


def _connections() -> list[AnyRecord]:
    script, chance = _Script(), random.Random(5)
    agent = script.start("/opt/agent/bin/agent", now=BEGIN)
    script.visit(agent, ticks(40, 5.0, start=BEGIN), "203.0.113.66")
    browser = script.start("/usr/bin/firefox", now=BEGIN)
    for number in range(150):
        script.connect(
            browser, f"198.51.100.{chance.randrange(60)}", now=BEGIN + 1.3 * number, sends=chance.randrange(9_000)
        )
    scanner = script.start("/usr/bin/python3.11", now=BEGIN + 20)
    for port in range(40):
        script.connect(scanner, "192.0.2.9", 1_000 + port, BEGIN + 21 + port / 10, outcome=Outcome.REFUSED)
    resolver = script.start("/usr/bin/resolver", now=BEGIN + 30)
    for doubling in range(10):
        script.send(resolver, "192.0.2.53", 53, 1 << doubling, size=200 << doubling, now=BEGIN + 31 + doubling)
    server = script.start("/usr/sbin/nginx", now=BEGIN)
    script.listen(server, 80, BEGIN + 0.5)
    for number in range(30):
        script.accept(server, f"198.51.100.{number}", now=BEGIN + number)
    script.accept(server, "203.0.113.9", now=BEGIN + 60)
    script.start("/usr/bin/bash", ppid=server, now=BEGIN + 61)
    return script.records


def _network() -> list[AnyRecord]:
    packets = together(
        probes("203.0.113.9", range(1, 200), BEGIN + 40, 0.02),
        connections("198.51.100.7", [80] * 60, BEGIN, 1.0),
        (Packet(now, f"192.0.{round(now * 512) % 256}.{round(now * 97) % 256}") for now in steady(400, 5, BEGIN + 80)),
        probes("203.0.113.77", range(1, 20), BEGIN + 50, 0.5, flags=0),
    )
    return list(Wire().records(packets, seconds=round(BEGIN) + 100))


def _memory() -> list[AnyRecord]:
    script = _Script()
    records: list[AnyRecord] = [
        cgroup_record(b"/system.slice/docker-" + b"a" * 64 + b".scope"),
        loss_record(timestamp=10),
    ]
    for number in range(40):
        now = BEGIN + 4 * number
        pid = script.start(f"/usr/bin/tool{number % 3}", now=now)
        one: dict[str, object] = {"pid": pid, "start": pid, "timestamp": round((now + 1) * SECOND)}
        records.append(_FIRST[number % len(_FIRST)](**one))
        records.append(_SECOND[number % len(_SECOND)](**one))
        if number % 3:
            script.end(pid, now + 2)
    return [*records, *script.records]


_FIRST: tuple[Callable[..., AnyRecord], ...] = (protection_record, fault_record, origin_record, request_record)
_SECOND: tuple[Callable[..., AnyRecord], ...] = (
    credential_record,
    usage_record,
    oom_record,
    access_record,
    fault_record,
)
