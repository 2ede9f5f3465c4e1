"""One stream, many consumers: each has a bounded queue of its own, and none can slow another.

Whoever reads the stream publishes it in batches. A consumer takes items out of its subscription whenever it likes, in
whatever thread or event loop. When its queue is full, either its oldest items go, counted, or, if it asked for that,
the reader waits for it. A callback is a consumer with a thread of its own.
"""

import contextlib
import inspect
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

import msgspec

from pyloader.errors import UsageError
from pyloader.ownership import OfOneProcess

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)

CAPACITY: Final = 16_384
"""Items that wait in a queue at most, unless its consumer wants another number."""


class WhenFull(StrEnum):
    """What becomes of new items for a consumer whose queue is full."""

    DROP_OLDEST = "drop-oldest"
    """The oldest items make room, and are counted."""
    BLOCK = "block"
    """Whoever reads the stream, and so every other consumer, waits for this one. The kernel never does: what its rings
    cannot hold meanwhile is counted as lost."""


class ConsumerStats(msgspec.Struct, frozen=True):
    """How a consumer keeps up.

    `waiting` items are in its queue, `taken` it has got, `dropped` were given up for want of room. `failed` counts the
    exceptions of its callback and of its selection.
    """

    name: str
    waiting: int
    taken: int
    dropped: int
    failed: int


class Subscription(OfOneProcess, Generic[T]):
    """What one consumer has still to take.

    `for`, `async for`, `await` (for the next item, or `None` at the end) and `next` take items out; consumers that
    share a subscription share its items. An error that ended the stream is raised when everything before it was taken.
    A callback, if there is one, is called with each item in a thread of its own.
    """

    def __init__(
        self,
        select: Callable[[Any], Iterable[T]],
        callback: Callable[[T], object] | None = None,
        *,
        name: str = "",
        capacity: int = CAPACITY,
        when_full: WhenFull = WhenFull.DROP_OLDEST,
        on_error: Callable[[Exception], object] | None = None,
        on_wait: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__()
        if capacity < 1:
            message = f"a queue holds one item at least, not {capacity}"
            raise UsageError(message)
        if inspect.iscoroutinefunction(callback):
            message = "a callback is a plain function; a coroutine iterates over a subscription by `async for`"
            raise UsageError(message)
        self.name = name or getattr(select, "__name__", "consumer")
        self._select = select
        self._capacity = capacity
        self._when_full = WhenFull(when_full)
        self._on_error = on_error
        self._on_wait = on_wait
        self._queue: deque[T] = deque()
        self._changed = threading.Condition()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._farewells: list[Callable[[], object]] = []
        self._is_over = self._closed = False
        self._error: Exception | None = None
        self._taken = self._dropped = self._failed = 0
        self._thread: threading.Thread | None = None
        if callback is not None:
            # A program that ends without closing is not held up.
            self._thread = threading.Thread(
                target=self._deliver, args=(callback,), name=f"pyloader {self.name}", daemon=True
            )
            self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether everything was taken and nothing will come."""
        return self._is_over and not self._queue

    def stats(self) -> ConsumerStats:
        """Return how this consumer keeps up."""
        return ConsumerStats(self.name, len(self._queue), self._taken, self._dropped, self._failed)

    def next(self, timeout: float | None = None) -> T | None:
        """Return the next item; `None` if there is none within `timeout` seconds, or none will come (see `ended`)."""
        self.require_owner()
        if not self._queue and not self._is_over:
            self._on_wait()
        return self._wait(timeout)

    def iter(self, timeout: float | None = None) -> Iterator[T]:
        """Yield items until the end, or until none came for `timeout` seconds."""
        while (item := self.next(timeout)) is not None:
            yield item

    def __iter__(self) -> Iterator[T]:
        return self.iter()

    def __await__(self) -> Generator[object, None, T | None]:
        return self._next_async().__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        while (item := await self) is not None:
            yield item

    def close(self) -> None:
        """Take nothing more, and forget what waits. Further calls do nothing."""
        if self.is_inherited:
            return
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._queue.clear()
            self._end(None)
        for farewell in self._farewells:
            farewell()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def when_closed(self, farewell: Callable[[], object]) -> None:
        """Call this after the consumer has closed; the end of the stream does not count."""
        self._farewells.append(farewell)

    def publish(self, batch: Iterable[object]) -> None:
        """Append what is selected of a batch: what the reader of the stream calls."""
        selected: list[T] = []
        for item in batch:
            try:
                selected += self._select(item)
            except Exception as error:  # noqa: BLE001 -- it is the consumer's, and is to disturb nobody else.
                self._fail(error)
        if selected:
            with self._changed:
                self._append(selected)

    def release(self) -> None:
        """Let nobody wait for this consumer any longer: what has no room is dropped from now on."""
        with self._changed:
            self._when_full = WhenFull.DROP_OLDEST
            self._changed.notify_all()

    def finish(self, error: Exception | None = None) -> None:
        """Let the stream end here, with the error that ended it: what the reader of the stream calls."""
        with self._changed:
            self._end(error)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the callback, if there is one, has returned for the last time; return whether it has."""
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout)
        return not thread.is_alive()

    def _wait(self, timeout: float | None) -> T | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_over, timeout)
            return self._take()

    async def _next_async(self) -> T | None:
        import asyncio  # noqa: PLC0415 -- who needs none does not pay for it.

        self.require_owner()
        while True:
            loop = asyncio.get_running_loop()
            woken = loop.create_future()
            with self._changed:
                if self._queue or self._is_over:
                    return self._take()
                self._sleepers.append((loop, woken))
            self._on_wait()
            try:
                await woken
            finally:
                with self._changed:
                    self._sleepers = [one for one in self._sleepers if one[1] is not woken]

    @property
    def _blocks(self) -> bool:
        return self._when_full is WhenFull.BLOCK and not self._is_over

    def _take(self) -> T | None:
        """Return the next item, if there is one. The lock is held, as in all that follow."""
        if self._queue:
            self._taken += 1
            self._changed.notify_all()
            return self._queue.popleft()
        if self._error is not None:
            raise self._error
        return None

    def _append(self, items: Sequence[T]) -> None:
        begin = 0
        while self._blocks and (end := begin + self._capacity - len(self._queue)) < len(items):
            self._queue.extend(items[begin:end])
            begin = end
            self._wake()
            self._changed.wait_for(lambda: len(self._queue) < self._capacity or not self._blocks)
        if self._closed:
            return
        if self._is_over:
            self._dropped += len(items) - begin
            return
        self._queue.extend(items[begin:])
        while len(self._queue) > self._capacity:
            self._queue.popleft()
            self._dropped += 1
        self._wake()

    def _end(self, error: Exception | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._error = error
            self._wake()

    def _wake(self) -> None:
        self._changed.notify_all()
        sleepers, self._sleepers = self._sleepers, []
        for loop, woken in sleepers:
            # A loop that was closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, woken)

    def _deliver(self, callback: Callable[[T], object]) -> None:
        """Call the callback with each item until the end; an error that ends the stream is the consumer's as well."""
        try:
            while (item := self._wait(None)) is not None:
                try:
                    callback(item)
                except Exception as error:  # noqa: BLE001 -- whatever it is, the next item may fare better.
                    self._fail(error)
        except Exception as error:  # noqa: BLE001 -- as it ended the stream.
            self._fail(error)
        finally:
            # Where the callback has left its thread, as by SystemExit, nobody would take anything any more.
            if not self._is_over:
                self.close()

    def _fail(self, error: Exception) -> None:
        """Log an exception, the first of its consumer in full, and give it to the error handler."""
        self._failed += 1
        if self._failed == 1:
            _LOG.warning("%s: a consumer failed; more of its failures are counted", self.name, exc_info=error)
        if self._on_error is None:
            return
        try:
            self._on_error(error)
        except Exception:  # noqa: BLE001 -- it is the consumer's, too.
            _LOG.exception("%s: the error handler of a consumer failed", self.name)


def _settle(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)


class Hub:
    """The subscriptions to one stream. A stream that has ended does not begin again."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        """What ended the stream, if that was an error."""
        self._lock = threading.Lock()
        self._subscriptions: tuple[Subscription[Any], ...] = ()
        self._over = threading.Event()

    def __len__(self) -> int:
        return len(self._subscriptions)

    def add(self, subscription: Subscription[Any]) -> None:
        """Let a subscription have what is published from now on, until it is closed."""
        subscription.when_closed(lambda: self._forget(subscription))
        with self._lock:
            self._subscriptions += (subscription,)
            if self._over.is_set():
                subscription.finish(self.error)

    def publish(self, batch: Sequence[object]) -> None:
        """Give a batch to every subscription."""
        for subscription in self._subscriptions:
            subscription.publish(batch)

    def release(self) -> None:
        """Wait for no consumer any longer."""
        for subscription in self._subscriptions:
            subscription.release()

    def finish(self, error: Exception | None = None) -> None:
        """Tell every subscription that nothing more will come, and for which error. Only the first call counts."""
        with self._lock:
            if self._over.is_set():
                return
            self.error = error
            self._over.set()
        for subscription in self._subscriptions:
            subscription.finish(error)

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, and until all callbacks have returned for the last time; return whether that has come."""
        deadline = None if timeout is None else time.monotonic() + timeout
        return self._over.wait(timeout) and all(
            subscription.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
            for subscription in self._subscriptions
        )

    def stats(self) -> tuple[ConsumerStats, ...]:
        """Return how every consumer keeps up."""
        return tuple(subscription.stats() for subscription in self._subscriptions)

    def _forget(self, subscription: Subscription[Any]) -> None:
        with self._lock:
            self._subscriptions = tuple(one for one in self._subscriptions if one is not subscription)
