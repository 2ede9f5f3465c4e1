"""What a scorer does over one connection: it follows what it sees of the others, host by host.

When the connection ends everything is let go, and the next one begins with what is kept: there is one way to take a
host over, and it does not matter from whom.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyloader.alerts import Alert
from pyloader.config import NatsSettings
from pyloader.nats.score_claims import Hold
from pyloader.nats.score_group import BEATS, Group
from pyloader.nats.score_host import HostScoring
from pyloader.nats.score_outbox import Outbox
from pyloader.nats.score_store import Store, TakenError
from pyloader.nats.score_work import HostWork, Pace
from pyloader.nats.subjects import Template, token
from pyloader.nats.tail_link import end
from pyloader.nats.tail_reader import StreamReader

if TYPE_CHECKING:
    from nats.aio.client import Client

TAKEN: Final = "hosts taken by another"

_LIFETIME: Final = 30 * 86_400.0
"""Seconds after which a host that says nothing is forgotten."""

_LONGEST_PAUSE: Final = 30.0
"""Seconds between two attempts to score a host that fail."""


class Scoring(NamedTuple):
    """What all sessions of a scorer have in common."""

    settings: NatsSettings
    template: Template
    name: str
    min_score: float
    lease: float
    most: int
    tell: Callable[[str, Sequence[Alert]], object]
    warn: Callable[[str], object]
    counts: Counter[str]
    hosts: set[str]
    """All hosts that ever were scored."""


class _Place:
    """A host that we are to score: the task that does, when it is to leave, and how often it failed."""

    __slots__ = ("failures", "leave", "not_before", "task")

    def __init__(self) -> None:
        self.leave = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.failures = 0
        self.not_before = 0.0


class Session:
    """Scores until it is told to stop. Closing the connection is left to its owner."""

    def __init__(self, client: "Client", common: Scoring) -> None:
        stream = common.settings.stream
        self._client = client
        self._jetstream = client.jetstream()
        self._stream = stream
        self._common = common
        self._group = Group(client, stream, common.template, common.name, lease=common.lease, most=common.most)
        self._claims = Store(client, f"pyloader_hosts_{stream}", _LIFETIME)
        self._outbox = Outbox(client, common.settings, common.template)
        self._pace = Pace()
        self._places: dict[str, _Place] = {}
        self._refused = 0
        self._born = ""
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, stopping: asyncio.Event) -> None:
        """Score until `stopping` is set, then give all hosts up. Raises what is no matter of NATS."""
        stop = asyncio.ensure_future(stopping.wait())
        try:
            while not stop.done() and not self._failure.done() and not self._client.is_closed:
                await self._look()
                signs: list[asyncio.Future[Any]] = [stop, self._failure]
                await asyncio.wait(signs, timeout=self._group.lease / BEATS, return_when=asyncio.FIRST_COMPLETED)
            for place in self._places.values():
                place.leave.set()
            tasks = self._tasks()
            if tasks:
                await asyncio.wait(tasks)
            if self._born and not self._client.is_closed:
                await self._group.leave()
            if self._failure.done():
                self._failure.result()
        finally:
            await end([stop, *self._tasks()])

    async def _look(self) -> None:
        """Say that we live, and take what we are to have and are not at work on; leave the rest."""
        from nats.errors import Error  # noqa: PLC0415 -- of the extra.

        try:
            if not self._born and not await self._open():
                return
            view = await self._group.look()
        except (Error, TimeoutError) as error:
            self._common.warn(f"NATS does not answer: {_text(error)}")
            return
        if view.refused != self._refused:
            self._refused = view.refused
            self._common.warn(f"{view.refused} hosts have no scorer: start another one, or let this one have more")
        for host, place in list(self._places.items()):
            if host not in view.mine:
                place.leave.set()
                if place.task is None or place.task.done():
                    del self._places[host]
        for host in sorted(view.mine):
            place = self._places.setdefault(host, _Place())
            is_free = place.task is None or place.task.done()
            if is_free and time.monotonic() >= place.not_before:
                place.leave.clear()
                place.task = asyncio.create_task(self._work(host, place, view.others))

    async def _open(self) -> bool:
        """Return whether there is a stream; make what we need beside it."""
        from nats.js.errors import NotFoundError  # noqa: PLC0415 -- of the extra.

        try:
            found = await self._jetstream.stream_info(self._stream)
        except NotFoundError:
            self._common.warn(f"there is no stream {self._stream} yet; a sensor makes it")
            return False
        await self._claims.open()
        await self._group.open()
        self._born = str(found.created)
        return True

    async def _work(self, host: str, place: _Place, others: Collection[str] | None) -> None:
        """Score one host if nobody else does. What is no matter of NATS ends the session."""
        from nats.errors import Error  # noqa: PLC0415 -- of the extra.

        try:
            hold = await Hold.take(self._claims, token(host), self._group.name, stream=self._born, others=others)
            if hold is None:
                return
            self._common.hosts.add(host)
            work = HostWork(
                host,
                hold,
                StreamReader(self._client, self._stream, self._common.template.pattern(host=host)),
                make=lambda: HostScoring(self._common.counts, min_score=self._common.min_score),
                outbox=self._outbox,
                pace=self._pace,
                tell=self._common.tell,
            )
            await work.run(place.leave, lambda: self._group.is_fresh)
            place.failures = 0
        except TakenError:
            self._common.counts[TAKEN] += 1
        except (Error, TimeoutError) as error:
            place.failures += 1
            pause = min(2.0**place.failures, _LONGEST_PAUSE)
            place.not_before = time.monotonic() + pause
            self._common.warn(f"{host} cannot be scored: {_text(error)}; trying again in {pause:g} seconds")
        except Exception as error:  # noqa: BLE001 -- whoever runs the session is to know of it.
            if not self._failure.done():
                self._failure.set_exception(error)

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [place.task for place in self._places.values() if place.task is not None]


def _text(error: Exception) -> str:
    return str(error).removeprefix("nats: ") or type(error).__name__
