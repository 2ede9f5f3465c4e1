"""The sensor: a source of records and the pipeline that assesses them.

Example:
    from pyloader import Sensor

    with Sensor(monitors=["process"]) as sensor:
        for assessment in sensor:
            for alert in assessment.alerts:
                print(alert.score, alert.summary)
"""

import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar, overload

import msgspec

from pyloader.alerts import Alert
from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.engine import Engine, InProcess
from pyloader.errors import UsageError
from pyloader.hub import CAPACITY, ConsumerStats, Hub, Subscription, WhenFull
from pyloader.monitors import MONITORS, ON_INTERFACES, Monitor, Transport, named
from pyloader.ownership import OfOneProcess
from pyloader.pipeline import Assessment, Summary
from pyloader.records import AnalystLabel
from pyloader.records.recording import Header
from pyloader.scorer import Change, Label
from pyloader.sources import KernelSource, ReplaySource, Source
from pyloader.sources.lanes import Lanes
from pyloader.sources.live import RING_BYTES
from pyloader.sources.source import Tap
from pyloader.streams import alerts, assessments, changes
from pyloader.workers.pool import COMMAND, Pool

T = TypeVar("T")

_TURN: Final = 256
"""As many records are assessed in one turn of an event loop: a millisecond of work."""

_BREATH: Final = 0.0004
"""Seconds between two readings in an event loop: to be woken for every record costs those who cause records."""


_LOOK = 0.1
"""Seconds between two looks whether the reader has taken a turn."""


class Stats(msgspec.Struct, frozen=True):
    """What a sensor has seen so far, and how each of its consumers keeps up."""

    summary: Summary
    consumers: tuple[ConsumerStats, ...]


class Sensor(OfOneProcess):
    """Watches this host, or replays a recording, and assesses every record.

    Entering the context, or `start`, attaches the monitors, or raises `NotPermittedError`, `UnsupportedError` or
    `LoadError` that says why this host cannot run them; leaving it, or `close`, for whatever reason, detaches and
    unloads them. Iteration, by `for` or `async for`, blocks until there is something to tell and ends after `stop`, or
    at the end of a recording.

    Others can have the same: `subscribe` gives a consumer a queue of its own, and `on_alert` and its like call back.
    They get what whoever iterates reads. If nobody does, a thread of the sensor reads: from `start` on, as soon as
    somebody waits for a subscription, or when `wait` is called. Who iterates while that thread reads gets what comes
    from then on, by a subscription.

    A sensor works in the process that made it: in a fork everything raises `ForkedError`, but for `stop` and `close`,
    which do nothing there. It touches neither signals nor standard streams, and logs through `logging`.

    Args:
        monitors: names of monitors; all that exist if omitted.
        interfaces: names of the network interfaces that the network monitor watches; without any it is idle.
        min_score: the lowest score (0-100) that raises an alert.
        record_to: a file that gets every raw record, for `Sensor.replay`.
        ring_bytes: size of each monitor's ring, a power of two and at least 65,536.
        hooks: a kind of hook, such as `tp`, on which all hooks that have it are forced; the best that hold if omitted.
        transport: how records come from the kernel; ring buffers if it has them.
        btf: a file that describes the types of this kernel, for one that does not do so itself.
        instance: a name that one process at a time can have; monitors that `pyloader load` has pinned under it are read
            instead of loaded again.
        source: another source of records than this kernel, or an engine of its own.
        state_dir: a folder from which the sensor takes what it knew, and in which it keeps that every minute and at the
            end; without it the sensor begins anew.
        needs_state: whether it is an error that the folder cannot be used; else that is logged.
        workers: how many processes score. With more than one, only what matters is told: assessments with an alert, a
            change of posture or an answer to a label, and what says that a worker was replaced.
        events: whether with several workers every assessment is told all the same.
        score: whether records are assessed here; else they are only passed on, to be assessed elsewhere, each with the
            score 0, and nothing is known or kept.

    Raises:
        UsageError: there is no such monitor or hook, or interfaces were chosen for no monitor.

    """

    def __init__(
        self,
        monitors: Sequence[str] | None = None,
        *,
        interfaces: Sequence[str] = (),
        min_score: float = MEDIUM_FROM,
        record_to: Path | None = None,
        ring_bytes: int = RING_BYTES,
        hooks: str | None = None,
        transport: Transport | None = None,
        btf: Path | None = None,
        instance: str | None = None,
        source: Source | Pool | None = None,
        state_dir: Path | None = None,
        needs_state: bool = True,
        workers: int = 1,
        events: bool = False,
        score: bool = True,
    ) -> None:
        super().__init__()
        self._monitors = monitors if monitors is not None else [*MONITORS, *ON_INTERFACES]
        self._interfaces = interfaces
        self._hooks = hooks
        if workers < 1 or (workers > 1 and source is not None):
            message = "as many processes score as there are lanes in the kernel: at least one, and one for a source"
            raise UsageError(message)
        if workers > 1 and not score:
            message = "workers score: leave out either them or that nothing is scored"
            raise UsageError(message)
        if source is None:
            wanted = _wanted(self._monitors, interfaces, hooks)
            if workers > 1:
                if record_to is not None:
                    message = "one process records: leave out either the recording or the workers"
                    raise UsageError(message)
                lanes = Lanes(
                    wanted,
                    lanes=workers,
                    interfaces=interfaces,
                    ring_bytes=ring_bytes,
                    transport=transport,
                    btf=btf,
                    instance=instance,
                )
                source = Pool(
                    lanes,
                    min_score=min_score,
                    command=COMMAND,
                    everything=events,
                    state=state_dir,
                    needs_state=needs_state,
                )
            else:
                source = KernelSource(
                    wanted,
                    interfaces=interfaces,
                    ring_bytes=ring_bytes,
                    transport=transport,
                    record_to=record_to,
                    btf=btf,
                    instance=instance,
                )
        self._engine: Engine = (
            source
            if isinstance(source, Pool)
            else InProcess(source, min_score=min_score, state=state_dir, needs_state=needs_state, score=score)
        )
        self._hub = Hub()
        self._own: Subscription[Assessment] | None = None
        self._rest: deque[Assessment] = deque()
        """What was assessed and not yet handed out."""
        self._said: deque[AnalystLabel] = deque()
        """What is still to be put into the stream."""
        self._thread: threading.Thread | None = None
        self._readers = 0
        self._is_open = self._is_unattended = False
        self._starting = threading.Lock()
        self._reading = threading.Lock()
        self._turns: deque[_Turn] = deque()
        """What is to be done between two readings."""

    @classmethod
    def replay(cls, recording: Path | bytes, *, min_score: float = MEDIUM_FROM, state_dir: Path | None = None) -> Self:
        """Return a sensor that assesses a recording, from a file or from bytes, exactly as the live run did.

        With `state_dir` it goes on from what is known there, and adds to it. Raises `RecordingError` if it is none;
        damage further on raises it where it lies, during iteration.
        """
        return cls(source=ReplaySource(recording), min_score=min_score, state_dir=state_dir)

    def start(self) -> None:
        """Attach the monitors, and read in a thread of the sensor's own, as soon as there is a subscription.

        Without one it is left to whoever iterates. Raises what entering the context raises.
        """
        self._open()
        self._is_unattended = True
        if len(self._hub):
            self._read_alone()

    def batches(self, interval: float | None = None) -> Iterator[list[Assessment]]:
        """Yield assessments as they come, in lists; an empty list after at most `interval` seconds without any."""
        with self._attended():
            while True:
                try:
                    yield self._next_batch(interval)
                except EOFError:
                    return

    def next(self, timeout: float | None = None) -> Assessment | None:
        """Return the next assessment; `None` if there is none within `timeout` seconds, or at the end."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._attended():
            while not self._rest:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                try:
                    self._rest.extend(self._next_batch(left))
                except EOFError:
                    return None
                if left == 0.0:
                    break
        return self._rest.popleft() if self._rest else None

    def iter(self, timeout: float | None = None) -> Iterator[Assessment]:
        """Yield assessments until the end, or until there was none for `timeout` seconds."""
        while (assessment := self.next(timeout)) is not None:
            yield assessment

    def __iter__(self) -> Iterator[Assessment]:
        for batch in self.batches():
            self._rest.extend(batch)
            while self._rest:
                yield self._rest.popleft()

    async def __aiter__(self) -> AsyncIterator[Assessment]:
        if self._is_read_alone:
            async for assessment in self._own_subscription():
                yield assessment
            return
        import asyncio  # noqa: PLC0415 -- who needs none does not pay for it.

        with self._attended():
            descriptor = self._engine.fileno()
            while True:
                while self._rest:
                    yield self._rest.popleft()
                try:
                    self._rest.extend(self._step(0.0, at_most=_TURN))
                except EOFError:
                    return
                if not self._rest and descriptor is not None:
                    await _readable(descriptor, self._engine.patience())
                else:
                    await asyncio.sleep(0.0 if self._engine.unread or descriptor is None else _BREATH)

    @overload
    def subscribe(
        self,
        *,
        name: str = ...,
        capacity: int = ...,
        when_full: WhenFull = ...,
        on_error: Callable[[Exception], object] | None = ...,
    ) -> Subscription[Assessment]: ...

    @overload
    def subscribe(
        self,
        select: Callable[[Assessment], Iterable[T]],
        callback: Callable[[T], object] | None = ...,
        *,
        name: str = ...,
        capacity: int = ...,
        when_full: WhenFull = ...,
        on_error: Callable[[Exception], object] | None = ...,
    ) -> Subscription[T]: ...

    def subscribe(
        self,
        select: Callable[[Assessment], Iterable[Any]] = assessments,
        callback: Callable[[Any], object] | None = None,
        *,
        name: str = "",
        capacity: int = CAPACITY,
        when_full: WhenFull = WhenFull.DROP_OLDEST,
        on_error: Callable[[Exception], object] | None = None,
    ) -> Subscription[Any]:
        """Return a subscription to what `select` makes of each assessment from now on; all of it if omitted.

        It has a queue of its own for `capacity` items; `when_full` says what becomes of more. A `callback` is called
        with each item, in a thread of its own; what it raises is logged and given to `on_error`, and disturbs nobody
        else.
        """
        self.require_owner()
        subscription = Subscription(
            select,
            callback,
            name=name,
            capacity=capacity,
            when_full=when_full,
            on_error=on_error,
            on_wait=self._read_alone,
        )
        self._hub.add(subscription)
        if self._is_unattended:
            self._read_alone()
        return subscription

    def on_assessment(
        self, callback: Callable[[Assessment], object], *, on_error: Callable[[Exception], object] | None = None
    ) -> Subscription[Assessment]:
        """Call this with every assessment; close what is returned to end that (see `subscribe`)."""
        return self.subscribe(assessments, callback, on_error=on_error)

    def on_alert(
        self, callback: Callable[[Alert], object], *, on_error: Callable[[Exception], object] | None = None
    ) -> Subscription[Alert]:
        """Call this with every alert; close what is returned to end that (see `subscribe`)."""
        return self.subscribe(alerts, callback, on_error=on_error)

    def on_posture(
        self, callback: Callable[[Change], object], *, on_error: Callable[[Exception], object] | None = None
    ) -> Subscription[Change]:
        """Call this with every change of the host's posture; close what is returned to end that (see `subscribe`)."""
        return self.subscribe(changes, callback, on_error=on_error)

    @property
    def header(self) -> Header:
        """What is to be known of the host and the run, beside the records."""
        return self._engine.header

    def tap(self, take: Tap) -> None:
        """Give this all records that are read, and the bytes of each, as they came from the kernel.

        To be called before the sensor starts. Reading waits for it, and what it raises ends the reading.
        Raises `UsageError` if several workers read.
        """
        self.require_owner()
        self._engine.tap(take)

    def feedback(self, alert: str, label: Label, note: str = "") -> None:
        """Say what an alert was. It is taken into the stream of records, so that a recording holds it too.

        What becomes of it is the `answer` of the assessment of its record.
        """
        self._said.append(AnalystLabel(self._engine.latest, int(label), alert.encode(), note.encode()))

    def reconfigure(
        self,
        *,
        min_score: float | None = None,
        monitors: Sequence[str] | None = None,
        interfaces: Sequence[str] | None = None,
        events: bool | None = None,
    ) -> None:
        """Change this while the sensor runs; what is omitted stays as it is. It is in force on return.

        No event is lost or told twice: new monitors observe before those that are left out cease, and what these have
        seen is told to the end. What the sensor knows stays. Callable from any thread but one that a full subscription
        makes the reader wait for, and not from signal handlers.

        Raises what the constructor and `start` raise for these monitors, and `UsageError` for monitors of a sensor that
        has not been started, watches no kernel, or has several workers. Then nothing has changed.
        """
        self.require_owner()
        if monitors is not None or interfaces is not None:
            self._exchange_monitors(
                self._monitors if monitors is None else monitors,
                self._interfaces if interfaces is None else interfaces,
            )
        if min_score is not None:
            self._in_turn(partial(self._engine.report_from, min_score))
        if events is not None:
            self._in_turn(partial(self._engine.tell_all, everything=events))

    def summary(self) -> Summary:
        """Return what was seen, lost and reported so far."""
        self.require_owner()
        return self._engine.summary()

    def stats(self) -> Stats:
        """Return the summary so far, and how each consumer keeps up."""
        return Stats(self.summary(), self._hub.stats())

    def stop(self) -> None:
        """End the iteration after what is already in the rings; safe in signal handlers and other threads."""
        if not self.is_inherited:
            self._engine.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all was read, in the sensor's own thread if nobody iterates, and all callbacks have returned.

        Returns whether that came within `timeout` seconds, and raises the error that ended the reading, if one did.
        """
        self.require_owner()
        if not self._is_open and not self._hub.join(0.0):
            message = "there is nothing to wait for: start the sensor first"
            raise UsageError(message)
        self._read_alone()
        if not self._hub.join(timeout):
            return False
        if self._hub.error is not None:
            raise self._hub.error
        return True

    def close(self) -> None:
        """Detach and unload everything, keep what is known, and wait for the callbacks to deal with what they have.

        Further calls do nothing, and neither does one in a process that a fork made: its parent goes on.
        """
        if self.is_inherited:
            return
        self._hub.release()
        with self._starting:
            self._is_open = False
        if self._thread is not None:
            self._engine.stop()
            self._thread.join()
        try:
            self._engine.close()
        finally:
            self._hub.finish()
            self._hub.join()

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        import asyncio  # noqa: PLC0415 -- who needs none does not pay for it.

        # To load programs takes a second, in which the event loop has other things to do.
        opening = asyncio.ensure_future(asyncio.to_thread(self._open))
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait([opening])
            self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        import asyncio  # noqa: PLC0415 -- who needs none does not pay for it.

        # A callback that is waited for may itself wait for the event loop.
        await asyncio.to_thread(self.close)

    def _open(self) -> None:
        """Attach the monitors and bring back what is known, unless that was done; close if it fails."""
        self.require_owner()
        if self._is_open:
            return
        try:
            self._engine.start()
        except BaseException:
            self.close()
            raise
        self._is_open = True

    @contextmanager
    def _attended(self) -> Iterator[None]:
        """Let no thread begin to read while somebody iterates."""
        self.require_owner()
        with self._starting:
            self._readers += 1
        try:
            yield
        finally:
            with self._starting:
                self._readers -= 1

    @property
    def _is_read_alone(self) -> bool:
        return self._thread is not None

    def _read_alone(self) -> None:
        """Read in a thread of the sensor's own, unless one does already or somebody iterates."""
        with self._starting:
            if self._is_open and not self._readers and self._thread is None:
                # A program that ends without closing is not held up.
                self._thread = threading.Thread(target=self._read_on, name="pyloader", daemon=True)
                self._thread.start()

    def _read_on(self) -> None:
        """Read to the end. An error that ends it is for the consumers, and for `wait`."""
        try:
            while True:
                self._step(None)
        except EOFError:
            pass
        except Exception as error:  # noqa: BLE001 -- whatever it is, those who wait must be told.
            self._hub.finish(error)

    def _own_subscription(self) -> Subscription[Assessment]:
        """Return the subscription of those who iterate while the sensor's own thread reads."""
        if self._own is None:
            self._own = self.subscribe(name="iteration")
        return self._own

    def _exchange_monitors(self, monitors: Sequence[str], interfaces: Sequence[str]) -> None:
        wanted = _wanted(monitors, interfaces, self._hooks)
        source = self._engine.source if isinstance(self._engine, InProcess) else None
        if not isinstance(source, KernelSource) or not self._is_open:
            message = "only a started sensor that watches this kernel by itself can change its monitors"
            raise UsageError(message)
        # To load programs takes a second, in which the reader goes on.
        with ExitStack() as held:
            opened = [held.enter_context(one) for one in source.open(wanted, interfaces)]
            self._in_turn(partial(source.exchange, wanted, interfaces, opened))
            held.pop_all()
        self._monitors, self._interfaces = monitors, interfaces

    def _in_turn(self, work: Callable[[], None]) -> None:
        """Do something between two readings: whoever reads does it, or this thread if nobody does."""
        turn = _Turn(work)
        self._turns.append(turn)
        while not turn.done.is_set():
            if self._reading.acquire(timeout=_LOOK):
                try:
                    self._take_turns()
                finally:
                    self._reading.release()
        if turn.error is not None:
            raise turn.error

    def _take_turns(self) -> None:
        while self._turns:
            self._turns.popleft().take()

    def _next_batch(self, timeout: float | None) -> list[Assessment]:
        """Return what comes within so many seconds, possibly nothing, or raise `EOFError` at the end."""
        if self._rest:
            rest = list(self._rest)
            self._rest.clear()
            return rest
        if not self._is_read_alone:
            return self._step(timeout)
        own = self._own_subscription()
        assessment = own.next(timeout)
        if assessment is None and own.ended:
            raise EOFError
        return [] if assessment is None else [assessment]

    def _step(self, timeout: float | None, at_most: int | None = None) -> list[Assessment]:
        """Read and assess, and tell all consumers. Raises `EOFError` at the end."""
        with self._reading:
            self._take_turns()
            try:
                while self._said:
                    self._engine.add([self._said.popleft()])
                assessed = self._engine.read(timeout, at_most)
            except EOFError:
                self._hub.finish()
                raise
            except Exception as error:
                self._hub.finish(error)
                raise
            self._hub.publish(assessed)
        return assessed


class _Turn:
    """Something to be done between two readings, and what became of it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.done = threading.Event()
        self.error: BaseException | None = None

    def take(self) -> None:
        """Do it. What it raises is for whoever asked for it; only what ends a program ends the reader, too."""
        try:
            self._work()
        except BaseException as error:
            self.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            self.done.set()


def _wanted(names: Sequence[str], interfaces: Sequence[str], hooks: str | None) -> list[Monitor]:
    """Return the monitors of these names that have something to do. Raises `UsageError`."""
    wanted = [named(name) for name in names]
    if interfaces and not any(monitor.name in ON_INTERFACES for monitor in wanted):
        message = f"interfaces are for the monitor {', '.join(ON_INTERFACES)}, which was left out"
        raise UsageError(message)
    if not interfaces:
        wanted = [monitor for monitor in wanted if monitor.name not in ON_INTERFACES]
    if hooks is not None:
        wanted = [one if one.name in ON_INTERFACES else one.forced(hooks) for one in wanted]
    return wanted


async def _readable(descriptor: int, patience: float | None) -> None:
    """Wait in the event loop until a descriptor is readable, or so many seconds are over."""
    import asyncio  # noqa: PLC0415 -- who needs none does not pay for it.

    loop = asyncio.get_running_loop()
    woken = loop.create_future()

    def wake() -> None:
        if not woken.done():
            woken.set_result(None)

    loop.add_reader(descriptor, wake)
    timer = loop.call_later(patience, wake) if patience is not None else None
    try:
        await woken
    finally:
        loop.remove_reader(descriptor)
        if timer is not None:
            timer.cancel()
