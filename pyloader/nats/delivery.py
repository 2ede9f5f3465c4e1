"""Sending over one connection, and what becomes of it.

JetStream acknowledges every message by itself, and many are under way at a time. Core NATS acknowledges nothing, but
answers a PING behind all that came before it, so there a batch counts as sent when the answer is there. What is under
way when a connection ends is sent again over the next one, with the same identifiers.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from pyloader.errors import NatsError, NatsUnreachableError
from pyloader.nats.losses import Losses
from pyloader.nats.messages import IDENTIFIER
from pyloader.nats.segments import Entry
from pyloader.nats.spool import Place, Spool

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

_LOG: Final = logging.getLogger(__name__)

PATIENCE: Final = 10.0
"""Seconds for which the server may acknowledge nothing while something is under way."""

_UNDERWAY: Final = 1024
_UNDERWAY_BYTES: Final = 1 << 20
"""So much is sent at most before it is acknowledged."""

_TURN: Final = 64
"""So many messages are sent before acknowledgements are looked at."""

_ROOM_FOR_HEADERS: Final = 1024
_TOO_LARGE: Final = 10_054
"""`JSStreamMessageExceedsMaximumErr` (server/errors.json of nats-server): it will never be taken."""


class Counts:
    """What was sent, over all connections."""

    def __init__(self) -> None:
        self.published = 0
        """Messages that the server has, each counted once for every time it acknowledged it."""
        self.repeated = 0
        """Those of which JetStream knew the identifier already."""


class Lane:
    """One spool, and what of it is under way."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._ahead: deque[tuple[Place, Entry]] = deque()
        self._underway: deque[tuple[int, Place]] = deque()
        self._done: set[int] = set()

    @property
    def has_more(self) -> bool:
        """Whether something is to be sent."""
        return bool(self._ahead) or self.spool.has_unread

    def rewind(self) -> None:
        """Begin with what is not acknowledged."""
        self._ahead.clear()
        self._underway.clear()
        self._done.clear()
        self.spool.rewind()

    def next(self, number: int) -> Entry | None:
        """Return the next entry, which is sent by this number, or `None`."""
        if not self._ahead:
            self._ahead.extend(self.spool.read())
            if not self._ahead:
                return None
        place, entry = self._ahead.popleft()
        self._underway.append((number, place))
        return entry

    def done(self, number: int) -> None:
        """Note that an entry was acknowledged, or is given up."""
        self._done.add(number)

    def settle(self) -> None:
        """Remove from the spool what was acknowledged together with everything before it."""
        place = None
        while self._underway and self._underway[0][0] in self._done:
            number, place = self._underway.popleft()
            self._done.discard(number)
        if place is not None:
            self.spool.acknowledge(place)


class _Sent(NamedTuple):
    lane: Lane
    entry: Entry
    size: int


class _Error(msgspec.Struct):
    code: int = 0
    err_code: int = 0
    description: str = ""


class _Acknowledgement(msgspec.Struct):
    duplicate: bool = False
    error: _Error | None = None


_DECODER: Final = msgspec.json.Decoder(_Acknowledgement)


class Delivery:
    """Sends what is in lanes, of which earlier ones go first, until it is told to finish.

    `changed` is set by whoever adds to a lane, and by all that happens here.
    """

    def __init__(
        self,
        client: "Client",
        lanes: Sequence[Lane],
        stream: str,
        *,
        changed: asyncio.Event,
        counts: Counts,
        losses: Losses,
    ) -> None:
        self._client = client
        self._lanes = lanes
        self._stream = stream
        self._changed = changed
        self._counts = counts
        self._losses = losses
        self._number = 0
        self._underway: dict[int, _Sent] = {}
        self._size = 0
        self._progress = 0.0
        """When the server acknowledged something, or there was nothing to acknowledge (s, monotonic)."""
        self._failure: NatsError | None = None
        self._inbox = ""

    def fail(self, error: NatsError) -> None:
        """End the delivery with an error, as when the connection was lost."""
        self._failure = self._failure or error
        self._changed.set()

    async def run(self, finish: asyncio.Event) -> None:
        """Send until `finish` is set and everything was acknowledged.

        Raises `NatsError` when the connection is of no more use.
        """
        if self._stream:
            inbox = self._client.new_inbox()
            await self._client.subscribe(f"{inbox}.*", cb=self._answered, pending_bytes_limit=0)
            self._inbox = inbox
        for lane in self._lanes:
            lane.rewind()
        while True:
            self._changed.clear()
            more = await self._send()
            if not self._stream:
                await self._settle_all()
            for lane in self._lanes:
                lane.settle()
            if self._failure is not None:
                raise self._failure
            if finish.is_set() and not self._underway and not any(lane.has_more for lane in self._lanes):
                return
            if more:
                await asyncio.sleep(0)
            else:
                await self._wait()

    async def _send(self) -> bool:
        """Send some messages; return whether there are more that may be sent now."""
        for lane in self._lanes:
            for _ in range(_TURN):
                if len(self._underway) >= _UNDERWAY or self._size >= _UNDERWAY_BYTES:
                    return False
                entry = lane.next(self._number)
                if entry is None:
                    break
                number, self._number = self._number, self._number + 1
                size = len(entry.data) + _ROOM_FOR_HEADERS
                if size > self._client.max_payload:
                    self._give_up(lane, number, entry, "larger than the server takes")
                    continue
                if not self._underway:
                    self._progress = time.monotonic()
                self._underway[number] = _Sent(lane, entry, size)
                self._size += size
                await self._publish(number, entry)
            else:
                return True
        return False

    async def _publish(self, number: int, entry: Entry) -> None:
        headers = {IDENTIFIER: entry.id}
        reply = ""
        if self._stream:
            headers["Nats-Expected-Stream"] = self._stream
            reply = f"{self._inbox}.{number}"
        try:
            await self._client.publish(entry.subject, entry.data, reply=reply, headers=headers)
        except Exception as error:
            message = f"the connection to NATS was lost: {error}"
            raise NatsUnreachableError(message) from error

    async def _wait(self) -> None:
        """Wait for something to change, but not longer than the server may take."""
        left = None
        if self._underway:
            left = self._progress + PATIENCE - time.monotonic()
            if left <= 0:
                message = f"the server has acknowledged nothing for {PATIENCE:.0f} seconds"
                raise NatsUnreachableError(message)
        try:
            async with asyncio.timeout(left):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _settle_all(self) -> None:
        """Wait for the server to have read all that was sent."""
        if not self._underway:
            return
        try:
            await self._client.flush(timeout=int(PATIENCE))
        except Exception as error:
            message = f"the connection to NATS was lost: {error}"
            raise NatsUnreachableError(message) from error
        for number, sent in self._underway.items():
            sent.lane.done(number)
        self._counts.published += len(self._underway)
        self._underway.clear()
        self._size = 0

    async def _answered(self, message: "Msg") -> None:
        """Take in an acknowledgement."""
        number = int(message.subject.rpartition(".")[2])
        sent = self._underway.get(number)
        if sent is None:
            return
        if not message.data:
            # The status that stands for an answer where nobody listens.
            self.fail(NatsUnreachableError(f"no stream takes {sent.entry.subject}"))
            return
        answer = _DECODER.decode(message.data)
        if answer.error is not None and answer.error.err_code != _TOO_LARGE:
            text = answer.error.description
            self.fail(NatsUnreachableError(f"the stream {self._stream} takes nothing: {text}"))
            return
        del self._underway[number]
        self._size -= sent.size
        self._progress = time.monotonic()
        if answer.error is not None:
            self._give_up(sent.lane, number, sent.entry, "larger than the stream takes")
        else:
            sent.lane.done(number)
            self._counts.published += 1
            self._counts.repeated += answer.duplicate
        self._changed.set()

    def _give_up(self, lane: Lane, number: int, entry: Entry, reason: str) -> None:
        lane.done(number)
        self._losses.add_entries([entry], reason)
        self._changed.set()
