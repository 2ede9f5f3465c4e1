"""Subscriptions by themselves: a stream of numbers and those who consume it."""

import asyncio
import logging
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import UsageError
from pyloader.hub import ConsumerStats, Hub, Subscription, WhenFull
from tests.unit.forked import in_a_fork


def every(number: int) -> list[int]:
    """Select everything."""
    return [number]


def test_everybody_gets_everything_in_order() -> None:
    """Each subscription has all that is published while it is there, in order, and then ends."""
    hub = Hub()
    first = Subscription[int](every)
    hub.add(first)
    hub.publish([1, 2])
    second = Subscription[int](every)
    hub.add(second)
    hub.publish([3])
    hub.finish()

    assert (list(first), list(second)) == ([1, 2, 3], [3])
    assert (first.ended, second.ended, first.next(0)) == (True, True, None)


@given(
    st.lists(st.lists(st.integers() | st.none(), max_size=5), max_size=12),
    st.integers(1, 8),
)
def test_oldest_make_room(steps: list[list[int | None]], capacity: int) -> None:
    """A full queue keeps the newest items, and what was taken, dropped and is waiting adds up to what came."""
    subscription = Subscription[int](lambda number: [number] if number is not None else [], capacity=capacity)
    waiting: list[int] = []
    came = taken = 0
    for batch in steps:
        if None in batch:
            expected = waiting.pop(0) if waiting else None
            assert subscription.next(0) == expected
            taken += expected is not None
        subscription.publish(batch)
        numbers = [number for number in batch if number is not None]
        came += len(numbers)
        waiting = (waiting + numbers)[-capacity:]
    stats = subscription.stats()
    subscription.finish()

    assert (stats.waiting, stats.taken, stats.dropped) == (len(waiting), taken, came - taken - len(waiting))
    assert list(subscription) == waiting


def test_blocking_loses_nothing() -> None:
    """A consumer that asked for it is waited for, however large the batch: it gets all, in order."""
    hub = Hub()
    slow = Subscription[int](every, capacity=3, when_full=WhenFull.BLOCK)
    hub.add(slow)

    def read() -> None:
        for begin in range(0, 100, 10):
            hub.publish(range(begin, begin + 10))
        hub.finish()

    reader = threading.Thread(target=read)
    reader.start()
    got = list(slow)
    reader.join()

    assert got == list(range(100))
    assert slow.stats() == ConsumerStats("every", waiting=0, taken=100, dropped=0, failed=0)


@pytest.mark.parametrize("how", ["close", "release", "finish"])
def test_a_blocking_consumer_cannot_hold_the_end_up(how: str) -> None:
    """A reader that waits for a consumer goes on when that closes, or when nobody is to be waited for any longer."""
    hub = Hub()
    stuck = Subscription[int](every, capacity=1, when_full=WhenFull.BLOCK)
    other = Subscription[int](every)
    hub.add(stuck)
    hub.add(other)
    reader = threading.Thread(target=hub.publish, args=([1, 2, 3],))
    reader.start()
    {"close": stuck.close, "release": hub.release, "finish": stuck.finish}[how]()
    reader.join(timeout=10)
    hub.finish()

    assert not reader.is_alive()
    assert list(other) == [1, 2, 3]
    assert len(list(stuck)) <= 1
    assert stuck.stats().dropped == {"close": 0, "release": 2, "finish": stuck.stats().dropped}[how]


def test_silence() -> None:
    """Whoever waits for a time only gets nothing when it is over, and may go on."""
    subscription = Subscription[int](every)
    subscription.publish([1])

    assert list(subscription.iter(timeout=0.01)) == [1]
    assert (subscription.next(0), subscription.ended) == (None, False)

    subscription.publish([2])
    assert subscription.next() == 2


def test_an_error_ends_the_stream_for_everybody() -> None:
    """What ended the stream is raised where it is consumed, behind everything that came before, also to late comers."""
    hub = Hub()
    subscription = Subscription[int](every)
    hub.add(subscription)
    hub.publish([1])
    hub.finish(KeyError("x"))
    hub.finish()
    late = Subscription[int](every)
    hub.add(late)

    assert subscription.next() == 1
    for one in (subscription, late):
        with pytest.raises(KeyError):
            one.next()


def test_async() -> None:
    """`async for` and `await` give the same items, `None` at the end, and leave the event loop free meanwhile."""
    hub = Hub()

    def read() -> None:
        for number in range(50):
            hub.publish([number])
        hub.finish()

    async def consume() -> tuple[list[int], int | None, int | None]:
        mine, yours = Subscription[int](every), Subscription[int](every)
        hub.add(mine)
        hub.add(yours)
        first, _ = await asyncio.gather(yours, asyncio.to_thread(read))
        rest = [number async for number in yours]
        return [number async for number in mine], first, rest[-1]

    assert asyncio.run(consume()) == (list(range(50)), 0, 49)


def test_async_end() -> None:
    """Whoever waits in an event loop is woken by the end, and by closing in another thread."""

    async def consume(how: str) -> int | None:
        subscription = Subscription[int](every)
        asyncio.get_running_loop().call_soon(getattr(subscription, how))
        return await subscription

    assert asyncio.run(consume("finish")) is None
    assert asyncio.run(consume("close")) is None


def test_a_waiter_that_gives_up_takes_nothing_with_it() -> None:
    """A wait in an event loop that is cancelled loses no item, and a loop that was closed disturbs nobody."""

    async def give_up(subscription: Subscription[int]) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(subscription._next_async(), 0.01)  # noqa: SLF001 -- a wait needs the coroutine.

    subscription = Subscription[int](every)
    asyncio.run(give_up(subscription))
    subscription.publish([1])

    assert subscription.next(0) == 1


def test_callback() -> None:
    """A callback gets every item, in a thread of its own, and joining waits for the last."""
    hub = Hub()
    got: list[int] = []
    threads: set[threading.Thread] = set()

    def callback(number: int) -> None:
        got.append(number)
        threads.add(threading.current_thread())

    hub.add(Subscription(every, callback))
    hub.publish([1, 2, 3])

    assert not hub.join(0)
    hub.finish()
    assert hub.join(10)
    assert got == [1, 2, 3]
    assert threading.current_thread() not in threads


def test_failures_stay_with_their_consumer(caplog: pytest.LogCaptureFixture) -> None:
    """What a callback or a selection raises reaches its error handler and, once, the log, and nobody else."""
    hub = Hub()
    errors: list[Exception] = []
    got: list[object] = []

    def pick(number: int) -> list[float]:
        return [6 / number]

    def callback(number: float) -> None:
        if number == 3:
            raise KeyError(number)
        got.append(number)

    failing = Subscription(pick, callback, on_error=errors.append)
    other = Subscription[int](every)
    hub.add(failing)
    hub.add(other)
    with caplog.at_level(logging.WARNING, "pyloader"):
        hub.publish([0, 1, 2, 3, 0])
        hub.finish(OSError("the end"))
        assert hub.join(10)

    assert got == [6, 2]
    assert sorted(type(error).__name__ for error in errors) == ["KeyError", "OSError", *["ZeroDivisionError"] * 2]
    assert failing.stats() == ConsumerStats("pick", waiting=0, taken=3, dropped=0, failed=4)
    assert [record.getMessage() for record in caplog.records] == [
        "pick: a consumer failed; more of its failures are counted"
    ]
    assert other.stats().waiting == 5


def test_failing_error_handler(caplog: pytest.LogCaptureFixture) -> None:
    """An error handler that fails itself is logged, and the callback goes on."""
    hub = Hub()
    calls: list[int] = []

    def callback(number: int) -> None:
        calls.append(number)
        raise KeyError

    def handler(error: Exception) -> None:
        raise ValueError from error

    hub.add(Subscription(every, callback, on_error=handler))
    hub.publish([1, 2])
    hub.finish()

    assert hub.join(10)
    assert calls == [1, 2]
    assert "the error handler of a consumer failed" in caplog.text


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_callback_that_leaves_its_thread_is_closed() -> None:
    """A callback that ends its thread is a consumer that closed: it holds nobody up and collects nothing."""
    hub = Hub()
    left = threading.Event()

    def callback(_: int) -> None:
        raise SystemExit

    subscription = Subscription(every, callback, capacity=1, when_full=WhenFull.BLOCK)
    subscription.when_closed(left.set)
    hub.add(subscription)
    hub.publish([1, 2, 3])

    assert left.wait(10)
    assert subscription.join(10)
    hub.publish([4])
    assert subscription.ended


def test_closing_within_a_callback() -> None:
    """A callback can close its own subscription: it is not called again, and nobody waits for itself."""
    hub = Hub()
    got: list[int] = []
    mine: list[Subscription[int]] = []
    ready = threading.Event()

    def callback(number: int) -> None:
        ready.wait(10)
        got.append(number)
        mine[0].close()
        mine[0].join()

    mine.append(Subscription(every, callback))
    hub.add(mine[0])
    hub.publish([1, 2])
    ready.set()

    assert mine[0].join(10)
    assert got == [1]
    assert len(hub) == 0


def test_close() -> None:
    """A closed subscription forgets what waits, leaves the hub, and says so once."""
    hub = Hub()
    farewells: list[int] = []
    with Subscription[int](every) as subscription:
        subscription.when_closed(lambda: farewells.append(len(hub)))
        hub.add(subscription)
        hub.publish([1])
    subscription.close()
    hub.publish([2])

    assert list(subscription) == []
    assert farewells == [1]
    assert hub.stats() == ()


def test_what_makes_no_sense_is_refused() -> None:
    """A queue without room and a callback that would have to be awaited are refused."""

    async def callback(_: int) -> None:
        """Do nothing."""

    with pytest.raises(UsageError, match="one item at least, not 0"):
        Subscription(every, capacity=0)
    with pytest.raises(UsageError, match="a coroutine iterates"):
        Subscription(every, callback)


def test_fork() -> None:
    """In a fork a subscription refuses to be used, and closing it there does nothing to the parent's."""
    subscription = Subscription[int](every)
    subscription.publish([1])
    with subscription._changed:  # noqa: SLF001 -- as a thread of the parent may at the moment of the fork.
        assert in_a_fork(subscription.next).startswith("ForkedError: this Subscription belongs to process")
        assert in_a_fork(subscription.close) == "None"

    assert subscription.next() == 1


def test_no_pickle() -> None:
    """A subscription cannot be sent to another process, and says so."""
    with pytest.raises(UsageError, match="a Subscription cannot be sent to another process; make one there"):
        pickle.dumps(Subscription[int](every))
