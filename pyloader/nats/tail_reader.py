"""A stream of JetStream read in order, whatever happens to the connection and to the server.

The position belongs to the reader, not to the server: a consumer is made for the messages after it, and made again
after it whenever one was lost. A consumer numbers what it delivers, so that a hole shows: what was sent into a broken
connection is asked for again. Messages are pulled, and the next only when the last were taken, so that a slow reader
holds little. This is what nats-py calls an ordered consumer, which pushes and gives up when the server is away.
"""

import asyncio
import json
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from pyloader.nats.subjects import covers

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

BATCH: Final = 512
"""So many messages are asked for at once."""

_EXPIRES: Final = 30.0
_HEARTBEAT: Final = 2.0
_SILENCE: Final = 3 * _HEARTBEAT
"""Seconds without any word from the server after which the consumer is taken for lost."""

_FORGOTTEN: Final = 60.0
"""Seconds after which the server forgets a consumer that nobody asks."""

_NANO: Final = 1_000_000_000
_NO_SUBSET: Final = 10_093
"""`JSConsumerFilterNotSubsetErr` (server/errors.json of nats-server)."""

_PLACES: Final = {9: 5, 12: 7}
"""Where the sequence stands in a reply subject of so many tokens; newer servers may put domain and account before it.

https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-15.md
"""


class Sent(NamedTuple):
    """A message of a stream."""

    subject: str
    data: bytes
    headers: dict[str, str]
    sequence: int
    """Its place in the stream."""


class StreamReader:
    """Reads what a stream holds on subjects, after a sequence, or from a time (seconds since 1970) on, or all.

    `after` is the sequence of the last message that was handed out. A stream that is empty or has forgotten what comes
    next is read from what it has.
    """

    def __init__(
        self, client: "Client", stream: str, subject: str, *, after: int = 0, since: float | None = None
    ) -> None:
        self.after = after
        self._client = client
        self._jetstream = client.jetstream()
        self._stream = stream
        self._subject = subject
        self._since = since
        self._subscription: Subscription | None = None
        self._consumer = ""
        self._delivered = 0
        """The number that the consumer gave to the last message."""
        self._asked = 0
        """How many messages may still come without asking."""
        self._arrived: deque[Msg] = deque()
        self._news = asyncio.Event()
        self._heard = 0.0
        self._is_broken = False

    async def read(self, timeout: float) -> list[Sent]:  # noqa: ASYNC109 -- who reads nothing has other things to do.
        """Return the next messages, or none if there are none within so many seconds.

        Raises what nats-py raises if the server cannot be asked; to read again is then to try again.
        """
        subscription = self._subscription or await self._open()
        if not self._arrived:
            if not self._asked:
                await self._ask(subscription)
            self._news.clear()
            if not self._arrived:
                try:
                    await asyncio.wait_for(self._news.wait(), timeout)
                except TimeoutError:
                    if time.monotonic() - self._heard > _SILENCE:
                        await self.close()
                    return []
        taken = []
        while self._arrived:
            one = self._take(self._arrived.popleft())
            if one is not None:
                taken.append(one)
            elif self._is_broken:
                await self.close()
                break
        return taken

    async def close(self) -> None:
        """Let the server forget the consumer; to read again makes a new one."""
        subscription, self._subscription = self._subscription, None
        self._arrived.clear()
        self._asked = 0
        if subscription is not None and not self._client.is_closed:
            await subscription.unsubscribe()

    async def _open(self) -> "Subscription":
        """Make a consumer, and the subscription to which it sends."""
        from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy  # noqa: PLC0415 -- of the extra.
        from nats.js.errors import BadRequestError  # noqa: PLC0415 -- likewise.

        config = ConsumerConfig(
            filter_subject=self._subject,
            ack_policy=AckPolicy.NONE,
            max_deliver=1,
            inactive_threshold=_FORGOTTEN,
            mem_storage=True,
            num_replicas=1,
        )
        if self.after:
            config.deliver_policy = DeliverPolicy.BY_START_SEQUENCE
            config.opt_start_seq = self.after + 1
        elif self._since is not None:
            config.deliver_policy = DeliverPolicy.BY_START_TIME
            config.opt_start_time = datetime.fromtimestamp(self._since, UTC)
        try:
            made = await self._jetstream.add_consumer(self._stream, config)
        except BadRequestError as error:
            if error.err_code != _NO_SUBSET:
                raise
            # A wider pattern than the stream's own, as `pyloader.web.>` is: all comes, and is looked through here.
            config.filter_subject = None
            made = await self._jetstream.add_consumer(self._stream, config)
        self._consumer = made.name
        self._delivered = 0
        self._is_broken = False
        self._subscription = await self._client.subscribe(self._client.new_inbox(), cb=self._arrive)
        return self._subscription

    async def _ask(self, subscription: "Subscription") -> None:
        """Ask for the next messages."""
        wish = {"batch": BATCH, "expires": int(_EXPIRES * _NANO), "idle_heartbeat": int(_HEARTBEAT * _NANO)}
        self._asked = BATCH
        self._heard = time.monotonic()
        await self._client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._stream}.{self._consumer}",
            json.dumps(wish).encode(),
            reply=subscription.subject,
        )

    async def _arrive(self, message: "Msg") -> None:
        self._heard = time.monotonic()
        self._arrived.append(message)
        self._news.set()

    def _take(self, message: "Msg") -> Sent | None:
        """Return a message; `None` for one that is not wanted or out of order, and for words about the request."""
        headers = message.headers or {}
        place = message.reply.split(".")
        at = _PLACES.get(len(place))
        if at is None:
            self._listen(headers.get("Status", ""))
            return None
        sequence, delivered = int(place[at]), int(place[at + 1])
        if delivered != self._delivered + 1:
            self._is_broken = True
            return None
        self._delivered = delivered
        self._asked -= 1
        self.after = sequence
        if not covers(self._subject, message.subject):
            return None
        return Sent(message.subject, message.data, headers, sequence)

    def _listen(self, status: str) -> None:
        """Take in a word of the server: the request is at its end, or the consumer is gone, or nothing is new."""
        if status == "100":
            return
        self._asked = 0
        # 404 and 408 end a request in good order; anything else means that the consumer cannot be asked any more.
        self._is_broken = status not in ("404", "408")
