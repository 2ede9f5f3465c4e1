"""Processes that connect, as the connection monitor would tell it, and the alerts that come of it."""

import random
from collections.abc import Iterable

from msgspec.structs import replace

from pyloader.alerts import Alert
from pyloader.pipeline import Pipeline
from pyloader.records import AnyRecord, Direction, Outcome
from tests.unit.examples import (
    HEADER,
    closed_record,
    datagram_record,
    exec_record,
    exit_record,
    fork_record,
    listening_record,
    opened_record,
)
from tests.unit.traffic import raw

SECOND = 1_000_000_000
HIGH = 62


class Journey:
    """A host on which processes start and connect. Times are in seconds."""

    def __init__(self) -> None:
        self.pipeline = Pipeline(HEADER, min_score=HIGH)
        self.alerts: list[Alert] = []
        self.codes: list[str] = []
        self._pid = 1_000

    def apply(self, *records: AnyRecord) -> None:
        """Take in records."""
        for record in records:
            assessment = self.pipeline.assess(record)
            self.alerts += assessment.alerts
            self.codes += [item.code for item in assessment.evidence]

    def start(self, exe: str, ppid: int = 1, now: float = 10.0) -> int:
        """Start a program and return its pid, which is also when it started (ns)."""
        self._pid += 1
        pid, name = self._pid, exe.rpartition("/")[2].encode()
        stamp = round(now * SECOND)
        parent = {"ppid": ppid, "parent_start": ppid}
        self.apply(
            fork_record(pid=pid, start=pid, timestamp=stamp, **parent),
            exec_record(
                pid=pid,
                start=pid,
                timestamp=stamp,
                exe=exe.encode(),
                filename=exe.encode(),
                comm=name[:15].ljust(16, b"\0"),
                args=name + b"\0",
                **parent,
            ),
        )
        return pid

    def end(self, pid: int, now: float = 10.0) -> None:
        """End a process."""
        self.apply(exit_record(pid=pid, start=pid, timestamp=round(now * SECOND)))

    def connect(
        self,
        pid: int,
        to: str,
        port: int = 443,
        now: float = 10.0,
        *,
        outcome: Outcome = Outcome.ESTABLISHED,
        lasts: float = 0.01,
        sends: int = 300,
    ) -> None:
        """Let a process try to connect, and end the connection if there is one."""
        stamp = round(now * SECOND)
        ends = {"pid": pid, "start": pid, "remote_address": raw(to), "remote_port": port}
        self.apply(opened_record(timestamp=stamp, outcome=outcome, **ends))
        if outcome == Outcome.ESTABLISHED:
            lasting = round(lasts * SECOND)
            self.apply(closed_record(timestamp=stamp + lasting, duration=lasting, sent=sends, **ends))

    def accept(self, pid: int, source: str, port: int = 80, now: float = 10.0) -> None:
        """Let a process take up a connection."""
        self.apply(
            opened_record(
                timestamp=round(now * SECOND),
                pid=pid,
                start=pid,
                direction=Direction.INBOUND,
                local_port=port,
                remote_address=raw(source),
                remote_port=50_000,
            )
        )

    def listen(self, pid: int, port: int, now: float = 10.0) -> None:
        """Let a process wait for connections."""
        self.apply(listening_record(timestamp=round(now * SECOND), pid=pid, start=pid, local_port=port))

    def send(self, pid: int, to: str, port: int, datagrams: int, *, size: int, now: float = 10.0) -> None:
        """Let a process have sent so many datagrams and bytes to a peer."""
        self.apply(
            replace(
                datagram_record(pid=pid, start=pid, timestamp=round(now * SECOND)),
                remote_address=raw(to),
                remote_port=port,
                datagrams=datagrams,
                size=size,
            )
        )

    def visit(self, pid: int, times: Iterable[float], to: str, port: int = 443, **how: float) -> None:
        """Let a process connect at these times."""
        for now in times:
            self.connect(pid, to, port, now, **how)  # type: ignore[arg-type]


def ticks(
    count: int, period: float, *, start: float = 100.0, jitter: float = 0.2, missed: float = 0.1, seed: int = 1
) -> list[float]:
    """Return the contacts of a beacon that varies by a share of its period and misses a share of its contacts."""
    chance = random.Random(seed)
    now = start
    times: list[float] = []
    while len(times) < count:
        now += period * (1 + chance.uniform(-jitter, jitter))
        if chance.random() >= missed:
            times.append(now)
    return times
