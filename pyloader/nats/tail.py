"""`pyloader tail`: what is published, as it comes; from a stream of JetStream also what came before."""

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from pyloader.config import NatsSettings
from pyloader.errors import NatsError, UsageError
from pyloader.nats.subjects import Template
from pyloader.nats.tail_link import once, stay_connected
from pyloader.nats.tail_reader import Sent, StreamReader

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

_LOG: Final = logging.getLogger(__name__)

_SUBJECT: Final = re.compile(r"[^\s.]+(\.[^\s.]+)*")

_PATIENCE: Final = 1.0
"""Seconds to wait for messages until a try is made again, or the end is looked for."""

_HELD: Final = 65_536
"""As many messages wait while they cannot be shown fast enough; core NATS keeps none, so that more are lost."""


class Tail:
    """Follows subjects until `stop`; it is made in the event loop that runs it.

    `show` gets messages in the order in which they come, and `warn` sentences about what goes wrong. Without a stream
    in the settings they are those from now on, with one all that it holds, or what came in the last `since` seconds,
    and then what comes. `subject` is what the template makes if omitted. What `show` raises comes out of `run`.

    `dropped` counts messages that came faster than they were shown.
    """

    def __init__(
        self,
        settings: NatsSettings,
        *,
        show: Callable[[Sequence[Sent]], object],
        warn: Callable[[str], object] = _LOG.warning,
        subject: str | None = None,
        since: float | None = None,
    ) -> None:
        if since is not None and not settings.stream:
            message = "what came before is kept by a stream only: name one with --nats-stream"
            raise UsageError(message)
        if subject is not None and not _SUBJECT.fullmatch(subject):
            message = (
                f"{subject!r} is no subject: it is words with dots between them, * for any one, > for all that follow"
            )
            raise UsageError(message)
        self.dropped = 0
        self._settings = settings
        self._subject = subject or Template(settings.subject).pattern()
        self._show = show
        self._warn = once(warn)
        self._stopping = asyncio.Event()
        self._after = 0
        self._was_connected = False
        self._since = None if since is None else time.time() - since

    def stop(self) -> None:
        """End; to be called in the event loop."""
        self._stopping.set()

    async def run(self) -> None:
        """Follow. A server that goes is waited for; that none is there at the beginning is an error.

        Raises what `connect` raises, `NatsError` for a stream that is not there, and what `show` raises.
        """
        follow = self._follow_stream if self._settings.stream else self._follow_core
        await stay_connected(self._settings, follow, name="pyloader tail", stopping=self._stopping, warn=self._warn)

    async def _follow_stream(self, client: "Client") -> None:
        from nats.errors import Error  # noqa: PLC0415 -- of the extra.
        from nats.js.errors import NotFoundError  # noqa: PLC0415 -- of the extra.

        stream = self._settings.stream
        reader = StreamReader(client, stream, self._subject, after=self._after, since=self._since)
        try:
            while not self._stopping.is_set():
                try:
                    messages = await reader.read(_PATIENCE)
                except NotFoundError as error:
                    message = f"there is no stream {stream} on the server"
                    raise NatsError(message) from error
                except (Error, TimeoutError) as error:
                    self._warn(f"the stream cannot be read: {error}; trying again")
                    await asyncio.sleep(_PATIENCE)
                    continue
                if messages:
                    self._show(messages)
                    self._after = reader.after
        finally:
            await reader.close()

    async def _follow_core(self, client: "Client") -> None:
        arrived: deque[Sent] = deque()
        news = asyncio.Event()

        async def take(message: "Msg") -> None:
            if len(arrived) >= _HELD:
                arrived.popleft()
                self.dropped += 1
            arrived.append(Sent(message.subject, message.data, message.headers or {}, 0))
            news.set()

        await client.subscribe(self._subject, cb=take)
        if self._was_connected:
            self._warn("connected to NATS again; what was published meanwhile was kept by no stream and is missed")
        self._was_connected = True
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            while not self._stopping.is_set():
                some = asyncio.ensure_future(news.wait())
                await asyncio.wait([some, stop], return_when=asyncio.FIRST_COMPLETED)
                some.cancel()
                news.clear()
                messages = list(arrived)
                arrived.clear()
                if messages:
                    self._show(messages)
        finally:
            stop.cancel()
