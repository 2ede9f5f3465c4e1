"""A worker whose parent is slow, and one whose parent is gone."""

import os
import socket
from collections.abc import Iterator

import pytest

from pyloader.records import AnyRecord
from pyloader.testing import HEADER, FakeSource, remote_shell
from pyloader.workers import child
from pyloader.workers.channel import Channel
from pyloader.workers.child import Line, Worker
from pyloader.workers.messages import Begin, Ended, FromWorker, Ready, Report, Results
from tests.unit.examples import exec_record


@pytest.fixture
def ends() -> Iterator[tuple[Channel[FromWorker], Line]]:
    """The channel of a parent, and the line of its worker."""
    ours, theirs = socket.socketpair()
    line = Line(theirs.detach())
    parent: Channel[FromWorker] = Channel(ours, FromWorker)
    yield parent, line
    parent.close()
    line.close()


def _begin(parent: Channel[FromWorker], *, everything: bool) -> None:
    parent.send(Begin(0, 1, HEADER, 50.0, everything=everything, state="", source=b"", shared=[], added=[]))


def _said(parent: Channel[FromWorker], line: Line) -> list[FromWorker]:
    """Return all that a worker has said, and what waits."""
    said = parent.receive()
    while not line.flush():
        said += parent.receive()
    return said + parent.receive()


@pytest.mark.parametrize(("room", "plain", "alerts"), [(1 << 30, 40, 4), (-1, 0, 4)])
def test_alerts_are_told_when_there_is_room_for_nothing_else(
    ends: tuple[Channel[FromWorker], Line], monkeypatch: pytest.MonkeyPatch, room: int, plain: int, alerts: int
) -> None:
    """Where a parent takes nothing, what has no alert is dropped first, and every assessment is told or counted."""
    monkeypatch.setattr(child, "ROOM", room)
    parent, line = ends
    batches: list[list[AnyRecord]] = [
        [
            *[exec_record(pid=100 + number, start=number) for number in range(10)],
            remote_shell(pid=10_000 + batch, start=batch, cgroup=batch + 1, session=batch + 1),
        ]
        for batch in range(4)
    ]
    _begin(parent, everything=True)
    worker = Worker(line, lambda _: FakeSource(*batches))
    line.send_last = line.send  # type: ignore[method-assign]
    worker.run()

    said = _said(parent, line)
    told = [one for message in said if isinstance(message, Results) for one in message.told]
    [report] = [message.report for message in said if isinstance(message, Ended)]
    assert report is not None
    assert sum(bool(one.alerts) for one in told) == alerts
    assert sum(not one.alerts for one in told) == plain
    assert report.untold == 44 - len(told)
    assert report.untold_alerts == 0
    assert report.summary.records == {"process_exec": 44}


def test_dropped_alerts_are_counted(ends: tuple[Channel[FromWorker], Line], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where far more waits than can be kept, alerts are dropped as well, and counted by themselves."""
    monkeypatch.setattr(child, "ROOM", -1)
    monkeypatch.setattr(child, "ROOM_FOR_ALERTS", -1)
    parent, line = ends
    _begin(parent, everything=False)
    worker = Worker(line, lambda _: FakeSource([remote_shell()]))
    line.send_last = line.send  # type: ignore[method-assign]
    worker.run()

    said = _said(parent, line)
    assert [type(one) for one in said if not isinstance(one, Report)] == [Ready, Ended]
    assert isinstance(said[-1], Ended)
    assert said[-1].report is not None
    assert (said[-1].report.untold, said[-1].report.untold_alerts) == (1, 1)
    assert said[-1].report.unshared > 0


def test_worker_ends_with_its_parent(ends: tuple[Channel[FromWorker], Line], monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker ends when its parent is another one, though somebody still holds the other end of its socket."""
    parent, line = ends
    _begin(parent, everything=False)
    worker = Worker(line, lambda _: FakeSource([exec_record()]))
    monkeypatch.setattr(os, "getppid", lambda: 1)

    with pytest.raises(EOFError):
        worker.run()


def test_worker_ends_when_its_line_is_cut(ends: tuple[Channel[FromWorker], Line]) -> None:
    """A worker ends when nobody is at the other end."""
    parent, line = ends
    parent.close()

    with pytest.raises(EOFError):
        Worker(line, lambda _: FakeSource([exec_record()]))
