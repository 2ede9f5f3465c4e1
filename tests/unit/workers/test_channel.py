"""Messages between a parent and its workers."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.records import KERNEL_RECORDS, SENSOR_RECORDS, AnyRecord
from pyloader.scorer import Level
from pyloader.workers.channel import Channel
from pyloader.workers.messages import Add, FromWorker, Learn, Note, Stop, ToWorker
from tests.unit.strategies import records_of

Pair = tuple[Channel[FromWorker], Channel[ToWorker]]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The two ends of a socket."""
    ours, theirs = socket.socketpair()
    parent: Channel[FromWorker] = Channel(ours, FromWorker)
    worker: Channel[ToWorker] = Channel(theirs, ToWorker)
    yield parent, worker
    parent.close()
    worker.close()


@given(st.lists(st.sampled_from(KERNEL_RECORDS + SENSOR_RECORDS).flatmap(records_of), max_size=4))
def test_records_arrive_as_they_were(records: list[AnyRecord]) -> None:
    """What is sent is what is received, and each end takes its own kind of messages."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        parent: Channel[FromWorker] = Channel(ours, FromWorker)
        worker: Channel[ToWorker] = Channel(theirs, ToWorker)
        parent.send(Add(records))
        parent.send(Stop(Level.WATCH))
        worker.send(Learn([]))

        assert worker.receive() == [Add(records), Stop(Level.WATCH)]
        assert parent.receive() == [Learn([])]


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_arrives(text: str) -> None:
    """Text that is no Unicode, as names of files may be, arrives like any other."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        parent: Channel[FromWorker] = Channel(ours, FromWorker)
        worker: Channel[ToWorker] = Channel(theirs, ToWorker)
        worker.send(Note("name", 30, text))

        assert parent.receive() == [Note("name", 30, text)]


def test_a_full_socket_keeps_nobody_waiting(pair: Pair) -> None:
    """What the socket does not take waits, is counted, and arrives whole when the other end reads."""
    parent, worker = pair
    messages = [Note("name", 30, "x" * 100_000) for _ in range(40)]
    for message in messages:
        worker.send(message)

    assert worker.waiting > 1_000_000

    received = []
    while worker.waiting:
        received += parent.receive()
        worker.flush()
    assert received + parent.receive() == messages


def test_the_end_comes_after_the_last_message(pair: Pair) -> None:
    """Who closes has said what was sent before, and the other end learns that nothing more will come."""
    parent, worker = pair
    worker.send(Learn([]))
    worker.close()

    assert parent.receive() == [Learn([])]
    assert parent.ended
    with pytest.raises(EOFError):
        parent.send(Stop(Level.CALM))
