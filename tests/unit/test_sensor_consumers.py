"""Several consumers of one sensor: in threads, in event loops, by callbacks, and across forks."""

import asyncio
import logging
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pyloader import Alert, Assessment, Sensor
from pyloader.errors import ForkedError, RecordingError, UsageError
from pyloader.hub import ConsumerStats, WhenFull
from pyloader.records import AnyRecord, ProcessFork, Record
from pyloader.samples import SAMPLE
from pyloader.scorer import Change, Label, Level
from pyloader.streams import alerts
from pyloader.testing import FakeSource, make, recording, remote_shell
from tests.unit.forked import in_a_fork


def forks(*pids: int) -> list[AnyRecord]:
    """Return births of processes."""
    return [make(ProcessFork, pid=pid, start=pid) for pid in pids]


def records_of(assessments: "list[Assessment]") -> list[Record]:
    """Return what was assessed."""
    return [one.record for one in assessments]


class WaitingSource(FakeSource):
    """A source of which each batch comes when `give` says so, and on which an event loop can wait."""

    def __init__(self) -> None:
        super().__init__()
        self._given = threading.Condition()
        self._ending = False
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_SEMAPHORE)
        self.readers: list[threading.Thread] = []

    def give(self, batch: list[AnyRecord]) -> None:
        """Let a read return this."""
        with self._given:
            self._batches.append(batch)
            os.eventfd_write(self._wake, 1)
            self._given.notify()

    def read(self, timeout: float | None) -> list[AnyRecord]:
        """Return the next batch when it is there."""
        self.readers.append(threading.current_thread())
        with self._given:
            self._given.wait_for(lambda: self._batches or self._ending, timeout)
            if self._ending and not self._batches:
                raise EOFError
            if not self._batches:
                return []
            os.eventfd_read(self._wake)
            return self._batches.pop(0)

    def add(self, records: Iterable[AnyRecord]) -> None:
        """Put records before the next batch."""
        with self._given:
            super().add(records)
            os.eventfd_write(self._wake, 1)

    def fileno(self) -> int:
        """Return what polls readable while there is a batch."""
        return self._wake

    def patience(self) -> float:
        """Return a time that no test has."""
        return 3600.0

    def stop(self) -> None:
        """End after what is there."""
        self.asked.append("stop")
        with self._given:
            self._ending = True
            self._given.notify()
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Give the descriptor back."""
        super().close()
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1


def test_next() -> None:
    """`next` gives one assessment after the other, nothing after the end, and loses none to an iteration in between."""
    with Sensor(source=FakeSource(forks(1, 2, 3), forks(4))) as sensor:
        first = sensor.next()
        second = next(iter(sensor))
        third = sensor.next(timeout=0)
        rest = list(sensor.batches())
        end = sensor.next()

    assert first is not None
    assert third is not None
    assert records_of([first, second, third]) == forks(1, 2, 3)
    assert [records_of(batch) for batch in rest] == [forks(4)]
    assert end is None


def test_next_waits_as_long_as_it_is_told() -> None:
    """`next` returns nothing when the time is over, and `iter` ends; the stream goes on."""
    source = WaitingSource()
    with Sensor(source=source) as sensor:
        source.give(forks(1))
        assert records_of(list(sensor.iter(timeout=0.01))) == forks(1)
        assert sensor.next(timeout=0.01) is None
        source.give(forks(2))
        assert records_of(list(sensor.iter(timeout=0.01))) == forks(2)


def test_consumers_get_what_the_iteration_reads() -> None:
    """Whoever iterates reads for all: in the same thread, without another."""
    with Sensor(source=FakeSource(forks(1), [remote_shell()])) as sensor:
        everything = sensor.subscribe()
        alarms = sensor.subscribe(alerts)
        seen = list(sensor)
        names = {thread.name for thread in threading.enumerate()}

    assert list(everything) == seen
    assert list(alarms) == list(seen[1].alerts)
    assert "pyloader" not in names


def test_callbacks() -> None:
    """Callbacks get all assessments, the alerts, and the changes of posture; leaving the context waits for them."""
    assessed: list[Assessment] = []
    alarms: list[Alert] = []
    changed: list[Change] = []
    with Sensor.replay(SAMPLE) as sensor:
        sensor.on_assessment(assessed.append)
        sensor.on_alert(alarms.append)
        sensor.on_posture(changed.append)
        seen = list(sensor)

    assert assessed == seen
    assert alarms == [alert for one in seen for alert in one.alerts]
    assert changed == [one.posture for one in seen if one.posture is not None]
    assert changed[0].level > Level.CALM


def test_start_reads_in_a_thread() -> None:
    """After `start` a thread of the sensor's own reads, and `wait` tells that all callbacks have had everything."""
    got: list[Assessment] = []
    sensor = Sensor.replay(SAMPLE)
    sensor.on_assessment(got.append)
    sensor.start()

    assert sensor.wait(10)
    sensor.close()
    with Sensor.replay(SAMPLE) as other:
        assert records_of(got) == records_of(list(other))
    assert sensor.stats().summary == other.summary()


def test_subscription_after_start() -> None:
    """`start` alone reads nothing: the first subscription gets everything, and so does an iteration instead."""
    sensor = Sensor(source=FakeSource(forks(1), forks(2)))
    sensor.start()
    subscription = sensor.subscribe()
    assert records_of(list(subscription)) == forks(1, 2)
    sensor.close()

    other = Sensor(source=FakeSource(forks(1), forks(2)))
    other.start()
    assert records_of(list(other)) == forks(1, 2)
    other.close()


def test_waiting_for_a_subscription_begins_to_read() -> None:
    """Nobody has to start anything: whoever waits for a subscription, or for the end, makes the sensor read."""
    with Sensor(source=FakeSource(forks(1), forks(2))) as sensor:
        assert records_of(list(sensor.subscribe())) == forks(1, 2)
    with Sensor(source=FakeSource(forks(1), forks(2))) as other:
        assert other.wait(10)
    assert other.summary().records == {"process_fork": 2}


def test_iteration_beside_the_thread() -> None:
    """Who iterates while the sensor's own thread reads gets what comes from then on, to the end."""
    source = WaitingSource()
    with Sensor(source=source) as sensor:
        first = sensor.subscribe()
        source.give(forks(1))
        assert first.next() is not None
        assert sensor.next(timeout=0) is None
        source.give(forks(2))
        source.give(forks(3))
        second = sensor.next()
        source.stop()
        rest = list(sensor)

    assert second is not None
    assert records_of([second, *rest]) == forks(2, 3)
    assert {thread.name for thread in source.readers} == {"pyloader"}


def test_a_slow_consumer_slows_nobody() -> None:
    """A consumer that takes nothing loses its oldest items, counted; all others get everything."""
    batches = [forks(*range(begin, begin + 10)) for begin in range(0, 100, 10)]
    sensor = Sensor(source=FakeSource(*batches))
    slow = sensor.subscribe(name="slow", capacity=7)
    quick = sensor.subscribe(name="quick")
    sensor.start()
    assert len(list(quick)) == 100
    assert sensor.wait(10)
    sensor.close()

    assert sensor.stats().consumers == (
        ConsumerStats("slow", waiting=7, taken=0, dropped=93, failed=0),
        ConsumerStats("quick", waiting=0, taken=100, dropped=0, failed=0),
    )
    assert records_of(list(slow)) == forks(*range(93, 100))


def test_a_blocking_consumer_is_waited_for() -> None:
    """A consumer that wants everything gets it, and closing the sensor does not wait for one that takes nothing."""
    sensor = Sensor(source=FakeSource(*(forks(number) for number in range(20))))
    careful = sensor.subscribe(capacity=1, when_full=WhenFull.BLOCK)
    sensor.start()
    assert len(list(careful)) == 20
    sensor.close()

    other = Sensor(source=FakeSource(*(forks(number) for number in range(20))))
    stuck = other.subscribe(capacity=1, when_full=WhenFull.BLOCK)
    other.start()
    assert stuck.next() is not None
    other.close()
    assert len(list(stuck)) <= 1


def test_damage_reaches_every_consumer() -> None:
    """What ends the reading is raised where assessments are consumed, and by `wait`."""
    sensor = Sensor.replay(recording(remote_shell()) + b"\xc1")
    errors: list[Exception] = []
    subscription = sensor.subscribe()
    sensor.on_alert(print, on_error=errors.append).close()

    def broken(_: Alert) -> None:
        raise TypeError

    told = sensor.on_alert(broken, on_error=errors.append)
    sensor.start()

    assert subscription.next() is not None
    with pytest.raises(RecordingError):
        subscription.next()
    with pytest.raises(RecordingError):
        sensor.wait(10)
    sensor.close()
    assert [type(error) for error in errors] == [TypeError, RecordingError]
    assert told.stats().failed == 2


def test_nothing_to_wait_for() -> None:
    """Waiting for a sensor that nobody started is refused instead of lasting for ever."""
    with pytest.raises(UsageError, match="start the sensor first"):
        Sensor(source=FakeSource()).wait()


def test_stop_and_close_from_a_callback() -> None:
    """A callback can stop and close the sensor: it ends in good order, and nobody waits for himself."""
    source = WaitingSource()
    sensor = Sensor(source=source)
    done = threading.Event()

    def callback(_: Alert) -> None:
        sensor.stop()
        sensor.close()
        done.set()

    sensor.on_alert(callback)
    sensor.start()
    source.give([remote_shell()])

    assert done.wait(10)
    assert source.asked[0] == "start"
    assert source.asked[-1] == "close"


def test_feedback_from_another_thread() -> None:
    """What an analyst says while the sensor reads is taken into the stream."""
    source = WaitingSource()
    with Sensor(source=source) as sensor:
        everything = sensor.subscribe()
        source.give([remote_shell()])
        first = everything.next()
        assert first is not None
        sensor.feedback(first.alerts[0].id, Label.BENIGN)
        source.give(forks(1))
        source.give(forks(2))
        answers = [one.answer for one in (everything.next() for _ in range(3)) if one is not None and one.answer]

    assert len(answers) == 1
    assert "benign from now on" in answers[0]


def test_async_for() -> None:
    """`async for` reads in the event loop itself, which does other work meanwhile, and starts no thread."""
    source = WaitingSource()
    turns = 0

    async def consume() -> list[Record]:
        nonlocal turns
        seen: list[Record] = []
        loop = asyncio.get_running_loop()

        async def produce() -> None:
            nonlocal turns
            for number in range(1, 6):
                source.give(forks(number))
                while len(seen) < number:
                    turns += 1
                    await asyncio.sleep(0)
            sensor.stop()

        async with Sensor(source=source) as sensor:
            producing = loop.create_task(produce())
            async for assessment in sensor:
                seen.append(assessment.record)  # noqa: PERF401 -- the producer looks at it meanwhile.
            await producing
        return seen

    assert asyncio.run(consume()) == forks(1, 2, 3, 4, 5)
    assert turns >= 5
    assert set(source.readers) == {threading.main_thread()}


def test_async_replay_is_the_same_and_leaves_room() -> None:
    """`async for` over a recording gives what `for` gives, in turns that leave room for other work."""
    data = recording(*forks(*range(2_000)), remote_shell())

    async def consume() -> tuple[list[Assessment], int]:
        turns = 0
        done = False

        async def other() -> None:
            nonlocal turns
            while not done:
                turns += 1
                await asyncio.sleep(0)

        working = asyncio.create_task(other())
        async with Sensor.replay(data) as sensor:
            seen = [assessment async for assessment in sensor]
        done = True
        await working
        return seen, turns

    seen, turns = asyncio.run(consume())
    with Sensor.replay(data) as sensor:
        expected = list(sensor)

    assert [(one.record, one.score, one.alerts) for one in seen] == [
        (one.record, one.score, one.alerts) for one in expected
    ]
    assert turns >= 2_000 // 256


def test_async_beside_the_thread() -> None:
    """`async for` works beside the sensor's own thread, too, and so does each subscription."""

    async def consume() -> tuple[int, int, Assessment | None]:
        sensor = Sensor(source=source)
        mine, yours = sensor.subscribe(), sensor.subscribe()
        sensor.start()
        following = asyncio.create_task(count(sensor))
        await asyncio.sleep(0)
        source.give(forks(*range(10)))
        source.give(forks(*range(10)))
        sensor.stop()
        numbers = await following, len([one async for one in mine])
        first = await yours
        await asyncio.to_thread(sensor.close)
        return *numbers, first

    async def count(sensor: Sensor) -> int:
        return len([one async for one in sensor])

    source = WaitingSource()
    followed, mine, first = asyncio.run(consume())

    assert (followed, mine) == (20, 20)
    assert first is not None


def test_async_failure_closes() -> None:
    """A sensor that cannot start in an event loop is closed before the error goes on."""
    source = FakeSource(fails=OSError)

    async def enter() -> None:
        async with Sensor(source=source):
            pytest.fail("the context was entered")

    with pytest.raises(OSError):  # noqa: PT011 -- it carries no text.
        asyncio.run(enter())
    assert source.asked == ["start", "close"]


def test_cancelled_start_closes() -> None:
    """A task that is cancelled while its sensor starts leaves nothing behind."""
    begun, go_on = threading.Event(), threading.Event()

    class SlowSource(FakeSource):
        def start(self) -> None:
            begun.set()
            go_on.wait(10)
            super().start()

    source = SlowSource()

    async def enter() -> None:
        async with Sensor(source=source):
            pytest.fail("the context was entered")

    async def cancel() -> None:
        entering = asyncio.create_task(enter())
        await asyncio.to_thread(begun.wait, 10)
        entering.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await entering

    asyncio.run(cancel())
    assert source.asked == ["start", "close"]


def test_fork() -> None:
    """In a forked child everything says whose the sensor is, and closing it there leaves the parent's at work."""
    source = FakeSource(forks(1), forks(2))
    with Sensor(source=source) as sensor:
        acts: list[Callable[[], object]] = [
            sensor.next,
            sensor.start,
            sensor.subscribe,
            sensor.summary,
            sensor.stats,
            sensor.wait,
            lambda: list(sensor),
            lambda: asyncio.run(_iterate(sensor)),
        ]
        for act in acts:
            assert in_a_fork(act).startswith("ForkedError: this Sensor belongs to process ")

        def leave() -> list[str]:
            sensor.stop()
            sensor.close()
            return source.asked

        assert in_a_fork(leave) == "['start']"
        assert records_of(list(sensor)) == forks(1, 2)
    assert not issubclass(ForkedError, OSError)


async def _iterate(sensor: Sensor) -> None:
    async for _ in sensor:
        pass


def test_no_pickle() -> None:
    """A sensor cannot be sent to a process that was spawned, and says so."""
    with pytest.raises(UsageError, match="a Sensor cannot be sent to another process; make one there"):
        pickle.dumps(Sensor(source=FakeSource()))


def test_signals_streams_and_logging_belong_to_the_host(capfd: pytest.CaptureFixture[str]) -> None:
    """A run with a thread and callbacks changes no signal handler, no logging configuration, and prints nothing."""
    root = logging.getLogger()
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}, root.handlers[:], root.level
    with Sensor.replay(SAMPLE) as sensor:
        sensor.on_alert(lambda _: None)
        assert sensor.wait(10)
    after = {number: signal.getsignal(number) for number in signal.valid_signals()}, root.handlers[:], root.level

    assert before == after
    assert not logging.getLogger("pyloader").handlers
    assert capfd.readouterr() == ("", "")


def test_two_sensors(tmp_path: Path) -> None:
    """Two sensors in one process know nothing of each other."""
    path = tmp_path / "x.rec"
    path.write_bytes(recording(*forks(1, 2)))
    one, two = Sensor.replay(SAMPLE), Sensor.replay(path)
    first, second = one.subscribe(), two.subscribe()
    one.start()
    two.start()

    assert records_of(list(second)) == forks(1, 2)
    assert len(list(first)) > 2
    assert two.summary().alerts == 0
    assert one.summary().alerts > 0
    one.close()
    two.close()
