"""Publishing what a sensor sees to NATS, without ever making it wait.

The sensor's thread hands over: alerts go into the spool at once, so that they outlive the process from then on; there
are few of them. Everything else goes in batches into a queue that is bounded by bytes, from which a thread with an
event loop of its own takes it into the spool, and what is in the spool goes to the server. What there is no room for is
counted, and announced by a message of the type `gap`.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import msgspec
from msgspec.structs import replace

from pyloader.config import NatsSettings
from pyloader.errors import NatsError, NatsRefusedError, NatsUnreachableError, PyloaderError
from pyloader.nats import client as connecting
from pyloader.nats import stream
from pyloader.nats.delivery import Counts, Delivery, Lane
from pyloader.nats.losses import Loss, Losses
from pyloader.nats.messages import Composer
from pyloader.nats.segments import Entry
from pyloader.nats.spool import Spool, SpoolFolder
from pyloader.nats.subjects import Template
from pyloader.ownership import OfOneProcess
from pyloader.pipeline import Assessment, Summary
from pyloader.records import AnyRecord
from pyloader.records.recording import Header

if TYPE_CHECKING:
    from nats.aio.client import Client

    from pyloader.sensor import Sensor

_LOG: Final = logging.getLogger(__name__)

QUEUE_BYTES: Final = 16 << 20
"""Bytes that wait for the publishing thread at most."""
MEMORY_BYTES: Final = 16 << 20
"""Bytes that each spool keeps in memory at most, where there is no disk or it is full."""

CLOSING: Final = 5.0
"""Seconds that closing waits for the server to take what is left."""

_TICK: Final = 1.0
_HEADER_EVERY: Final = 60.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_ASSESSMENT_BYTES: Final = 1024
"""About what an assessment takes as JSON."""


class PublisherStats(msgspec.Struct, frozen=True):
    """How publishing goes.

    `published` messages the server has, `repeated` of them it had already. `waiting` bytes wait for it. `lost` counts
    by kind what was given up, `damaged` the places of the spool that could not be read. `connections` counts how often
    a server took us, `connected` says whether one does now, and `problem` why not.
    """

    connected: bool
    connections: int
    published: int
    repeated: int
    waiting: int
    lost: dict[str, int]
    damaged: int
    problem: str

    def counts(self) -> dict[str, int]:
        """Return the numbers by name, as a summary shows them; of what was lost only what there was."""
        counts = {"published": self.published, "repeated": self.repeated, "bytes waiting": self.waiting}
        counts |= {f"{kind} lost": count for kind, count in self.lost.items()}
        return counts | ({"damaged": self.damaged} if self.damaged else {})


class _Batch(NamedTuple):
    """What was handed over at once: records with their bytes, or assessments."""

    records: Sequence[AnyRecord]
    raw: Sequence[bytes]
    assessments: Sequence[Assessment]
    size: int
    time: int


class _Lanes(NamedTuple):
    """What waits: what is rare and valuable goes first."""

    alerts: Lane
    records: Lane


class Publisher(OfOneProcess):
    """Publishes what a sensor sees. Usable as a context manager, around that of the sensor.

    `start` makes the first attempt to connect: it raises `UsageError`, `NatsRefusedError` or another `NatsError` if the
    settings are wrong, and only warns if no server answers: what is to be published waits until one does.

    Example:
        from pyloader import Sensor
        from pyloader.config import NatsSettings
        from pyloader.nats import Publisher

        settings = NatsSettings(url="nats://localhost:4222", publish=("alerts", "records"))
        sensor = Sensor(monitors=["process"])
        with Publisher(settings, sensor.header) as publisher:
            publisher.attach(sensor)
            with sensor:
                sensor.wait()
        print(publisher.stats().published)

    Args:
        settings: where, as whom, and what.
        header: that of the sensor.
        instance: the name that stands for `{instance}` in subjects.
        spool: a folder for what the server has not acknowledged; without one that is kept in memory, as always without
            a stream.

    """

    def __init__(
        self, settings: NatsSettings, header: Header, *, instance: str = "default", spool: Path | None = None
    ) -> None:
        super().__init__()
        connecting.check(settings)
        self._settings = settings
        self._template = Template(settings.subject)
        self._composer = Composer(header, self._template, instance=instance, start=time.time_ns())
        self._name = f"pyloader {header.hostname}"
        self._folder_path = spool if settings.stream else None
        self._folder: SpoolFolder | None = None
        self._lanes: _Lanes | None = None
        self._losses = Losses()
        self._counts = Counts()
        self._lock = threading.Lock()
        self._queue: deque[_Batch] = deque()
        self._queued = 0
        self._is_woken = False
        self._is_open = False
        self._connections = 0
        self._client: Client | None = None
        self._problem = ""
        self._failure: PyloaderError | None = None
        self._tried = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Open the spool and make the first attempt to connect."""
        self.require_owner()
        try:
            self._lanes = lanes = self._open()
            self._is_open = True
            self._thread = threading.Thread(target=self._work, args=(lanes,), name="pyloader nats", daemon=True)
            self._thread.start()
            self._tried.wait()
        except BaseException:
            self.close()
            raise
        if self._failure is not None:
            self.close()
            raise self._failure

    def attach(self, sensor: "Sensor") -> None:
        """Publish what a sensor sees from now on, as far as the settings ask for it. To be called before it starts."""
        if "records" in self._settings.publish:
            sensor.tap(self.records)
        if {"alerts", "assessments"} & set(self._settings.publish):
            sensor.subscribe(self._of_assessment, name="nats")

    def records(self, records: Sequence[AnyRecord], raw: Sequence[bytes]) -> None:
        """Publish records by their bytes, if the settings ask for them."""
        if "records" in self._settings.publish:
            self._hand_over(_Batch(records, raw, (), sum(map(len, raw)), time.time_ns()))

    def assessments(self, assessments: Sequence[Assessment]) -> None:
        """Publish assessments, and the alerts among them, as far as the settings ask for them."""
        wanted = set(self._settings.publish)
        now = time.time_ns()
        if "alerts" in wanted:
            alerts = [self._composer.alert(alert, now) for one in assessments for alert in one.alerts]
            if alerts and self._lanes is not None and self._is_open:
                self._lanes.alerts.spool.append(alerts)
                self._wake()
            else:
                self._losses.add_entries(alerts, "closed")
        if "assessments" in wanted:
            grave = [one for one in assessments if one.score >= self._settings.min_score]
            if grave:
                self._hand_over(_Batch((), (), grave, len(grave) * _ASSESSMENT_BYTES, now))

    def missed(self, kind: str, reason: str, count: int) -> None:
        """Count and announce what was given up before it could be handed over."""
        now = time.time_ns()
        self._losses.add(Loss(kind, reason, count, now, now))

    def stats(self) -> PublisherStats:
        """Return how publishing goes."""
        lanes = self._lanes or ()
        return PublisherStats(
            connected=self._client is not None,
            connections=self._connections,
            published=self._counts.published,
            repeated=self._counts.repeated,
            waiting=self._queued + sum(lane.spool.size for lane in lanes),
            lost=dict(sorted(self._losses.total.items())),
            damaged=sum(lane.spool.damaged for lane in lanes),
            problem=self._problem,
        )

    def summed(self, summary: Summary) -> Summary:
        """Close, and return the summary of a run with what became of what was to be published."""
        self.close()
        return replace(summary, nats=self.stats().counts())

    def close(self) -> None:
        """Wait a few seconds for the server to take what is left, and leave the rest in the spool.

        Further calls do nothing, and neither does one in a process that a fork made.
        """
        if self.is_inherited:
            return
        self._is_open = False
        thread, self._thread = self._thread, None
        if thread is not None:
            loop = self._loop
            if loop is not None:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._finish.set)
            thread.join()
        for lane in self._lanes or ():
            lane.spool.close()
        if self._folder is not None:
            self._folder.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> _Lanes:
        """Open the spools; what an earlier process has left in them goes first."""
        if self._folder_path is not None:
            self._folder = SpoolFolder(self._folder_path)
        # Alerts may take all of the spool, and then records get what is left.
        alerts = self._spool("alerts", lambda: 0, make_room=self._make_room)
        records = self._spool("records", lambda: alerts.disk_bytes, prologue=self._header)
        return _Lanes(Lane(alerts), Lane(records))

    def _spool(
        self,
        name: str,
        taken: Callable[[], int],
        make_room: Callable[[], bool] = lambda: False,
        prologue: Callable[[], Entry] | None = None,
    ) -> Spool:
        return Spool(
            self._folder.path / name if self._folder is not None else None,
            self._losses,
            limit_bytes=self._settings.spool_bytes,
            limit_seconds=self._settings.spool_seconds,
            memory_bytes=MEMORY_BYTES,
            clock=time.time,
            taken=taken,
            make_room=make_room,
            prologue=prologue,
        )

    def _make_room(self) -> bool:
        """Give up the oldest records on a full disk."""
        return self._lanes is not None and self._lanes.records.spool.give_up_oldest()

    def _header(self) -> Entry:
        """Return the header, behind which records can be scored wherever reading begins."""
        return self._composer.header(time.time_ns())

    def _of_assessment(self, assessment: Assessment) -> tuple[()]:
        """Take what is to be published of an assessment; nothing is left for a queue of the sensor's own."""
        if assessment.alerts or assessment.score >= self._settings.min_score:
            self.assessments((assessment,))
        return ()

    def _hand_over(self, batch: _Batch) -> None:
        """Put a batch into the queue, if there is room."""
        count = len(batch.records) + len(batch.assessments)
        with self._lock:
            has_room = self._is_open and self._queued + batch.size <= QUEUE_BYTES
            if has_room:
                self._queue.append(batch)
                self._queued += batch.size
        if has_room:
            self._wake()
            return
        kind = "record" if batch.records else "assessment"
        reason = "queue full" if self._is_open else "closed"
        self._losses.add(Loss(kind, reason, count, batch.time, batch.time))

    def _wake(self) -> None:
        """Let the thread look at the queue, unless it was told so already."""
        if not self._is_woken and self._loop is not None:
            self._is_woken = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._news.set)

    # All below is the thread's.

    def _work(self, lanes: _Lanes) -> None:
        try:
            asyncio.run(self._main(lanes))
        except Exception as error:  # noqa: BLE001 -- whatever it is, the sensor goes on.
            _LOG.error("publishing to NATS has ended by a defect", exc_info=error)
            self._problem = str(error)
            self._is_open = False
        finally:
            self._tried.set()

    async def _main(self, lanes: _Lanes) -> None:
        self._news = asyncio.Event()
        self._changed = asyncio.Event()
        self._finish = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # What nats-py leaves behind in its tasks is no matter of the host program.
        self._loop.set_exception_handler(lambda _, context: _LOG.debug("%s", context.get("message")))
        keeping = asyncio.create_task(self._keep(lanes))
        delivering = asyncio.create_task(self._deliver(lanes))
        finishing = asyncio.create_task(self._finish.wait())
        try:
            await asyncio.wait([keeping, delivering, finishing], return_when=asyncio.FIRST_COMPLETED)
            if finishing.done() and not delivering.done():
                self._take_in(lanes)
                self._announce(lanes)
                self._changed.set()
                if self._client is not None:
                    await asyncio.wait([delivering], timeout=CLOSING)
        finally:
            tasks = {keeping, delivering, finishing}
            while tasks:
                for task in tasks:
                    task.cancel()
                # nats-py swallows a cancellation where it waits for room.
                _, tasks = await asyncio.wait(tasks, timeout=_TICK)
            self._take_in(lanes)
        for task in (keeping, delivering):
            if not task.cancelled():
                task.result()

    async def _keep(self, lanes: _Lanes) -> None:
        """Take what is handed over into the spool, and every second see to the spool itself."""
        next_header = time.monotonic() + _HEADER_EVERY
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._news.wait()
            self._news.clear()
            self._is_woken = False
            self._take_in(lanes)
            now = time.monotonic()
            if "records" in self._settings.publish and now >= next_header:
                next_header = now + _HEADER_EVERY
                lanes.records.spool.append([self._header()])
            # Alerts take their room from records.
            lanes.records.spool.hold_bounds()
            self._announce(lanes)
            for lane in lanes:
                lane.spool.expire()
                if lane.spool.is_behind:
                    await asyncio.to_thread(lane.spool.sync)

    def _take_in(self, lanes: _Lanes) -> None:
        """Take everything from the queue into the spool."""
        while self._queue:
            with self._lock:
                batch = self._queue.popleft()
                self._queued -= batch.size
            entries = list(self._composer.records(batch.records, batch.raw, batch.time))
            entries += self._composer.assessments(batch.assessments, batch.time)
            lanes.records.spool.append(entries)
        self._changed.set()

    def _announce(self, lanes: _Lanes) -> None:
        """Announce what was lost since the last time."""
        losses = self._losses.take()
        if losses:
            now = time.time_ns()
            lanes.alerts.spool.append([self._composer.gap(loss, now) for loss in losses])
            for loss in losses:
                _LOG.warning("%d messages of the kind %s were not published: %s", loss.messages, loss.kind, loss.reason)
            self._changed.set()

    async def _deliver(self, lanes: _Lanes) -> None:
        """Connect and deliver, again and again, until all is delivered after `finish`."""
        pause = _FIRST_PAUSE
        while True:
            before = self._counts.published
            try:
                await self._session(lanes)
            except PyloaderError as error:
                self._note(error)
                if self._failure is not None:
                    return
            else:
                return
            if self._finish.is_set():
                return
            pause = _FIRST_PAUSE if self._counts.published > before else min(2 * pause, _LONGEST_PAUSE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._finish.wait()

    async def _session(self, lanes: _Lanes) -> None:
        """Deliver over one connection. Raises `PyloaderError` when that is over."""
        delivery: Delivery | None = None
        complaints: list[str] = []

        def complain(text: str) -> None:
            complaints.append(text)
            if delivery is not None:
                delivery.fail(NatsError(f"the server refuses what we do: {text}"))

        def end() -> None:
            if delivery is not None:
                delivery.fail(NatsUnreachableError("the connection to NATS was lost"))

        client = await connecting.connect(self._settings, name=self._name, on_error=complain, on_closed=end)
        try:
            if self._settings.stream:
                try:
                    await stream.ensure(client, self._settings.stream, self._template.pattern())
                except NatsUnreachableError as error:
                    if complaints:
                        message = f"the server refuses what we do: {complaints[-1]}"
                        raise NatsRefusedError(message) from error
                    raise
            delivery = Delivery(
                client,
                lanes,
                self._settings.stream,
                changed=self._changed,
                counts=self._counts,
                losses=self._losses,
            )
            if not client.is_connected:
                end()
            self._client = client
            self._connections += 1
            if self._problem:
                _LOG.warning("publishing to NATS again")
            self._problem = ""
            self._tried.set()
            await delivery.run(self._finish)
        finally:
            self._client = None
            await connecting.end(client)

    def _note(self, error: PyloaderError) -> None:
        """Remember why nothing is delivered, and say it once. At the first attempt a wrong setting is an error."""
        if not self._tried.is_set() and not isinstance(error, NatsUnreachableError):
            self._failure = error
        elif str(error) != self._problem:
            kind = "for now " if not isinstance(error, NatsRefusedError) else ""
            _LOG.warning("nothing is published to NATS %s(%s); it is tried again", kind, error)
        self._problem = str(error)
        self._tried.set()
