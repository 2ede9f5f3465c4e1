"""The work on one host: read its messages, score them, publish, tell, and say up to where; now and then keep it all."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from pyloader.alerts import Alert
from pyloader.errors import StateError
from pyloader.nats.messages import IDENTIFIER
from pyloader.nats.score_claims import Hold
from pyloader.nats.score_host import DAMAGED, UNKEPT, HostScoring
from pyloader.nats.score_outbox import Found, Outbox
from pyloader.nats.tail_reader import Sent, StreamReader

ALERTS: Final = "alerts"

_PATIENCE: Final = 0.5
"""Seconds to wait for messages until something else is looked at."""

_ADVANCE_EVERY: Final = 1.0
"""Seconds after which the place in the stream is written down though there was no alert."""


class Pace:
    """When to keep what is known of hosts: each once a minute, and all together in a twentieth of the time."""

    EVERY: Final = 60.0
    SHARE: Final = 0.05

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self, since: float, now: float) -> bool:
        """Return whether to keep a host that was kept at a time."""
        return now - since >= self.EVERY and now >= self._next

    def kept(self, begin: float, end: float) -> None:
        """Note that it took from one time to another."""
        self._next = end + (end - begin) / self.SHARE


class HostWork:
    """Scores one host that is held, from the messages that `reader` gives.

    `make` gives a scoring that knows nothing, and `tell` gets the host and its alerts when they are published.
    """

    def __init__(
        self,
        host: str,
        hold: Hold,
        reader: StreamReader,
        *,
        make: Callable[[], HostScoring],
        outbox: Outbox,
        pace: Pace,
        tell: Callable[[str, Sequence[Alert]], object],
    ) -> None:
        self._host = host
        self._hold = hold
        self._reader = reader
        self._make = make
        self._scoring = make()
        self._counts = self._scoring.counts
        self._outbox = outbox
        self._pace = pace
        self._tell = tell
        self._kept = self._advanced = time.monotonic()
        self._has_news = False

    async def run(self, leave: asyncio.Event, is_fresh: Callable[[], bool]) -> None:
        """Work until `leave` is set, and then give the host up.

        `is_fresh` says whether nobody can take this scorer for dead. Raises `TakenError` when another has the host, and
        what nats-py raises if the server does not answer.
        """
        try:
            await self._bring_back()
            while not leave.is_set():
                batch = await self._reader.read(_PATIENCE)
                if not is_fresh():
                    # Whoever was away for so long asks first whether it is still wanted.
                    await self._hold.advance(self._hold.claim.acknowledged)
                if batch:
                    await self._score(batch)
                await self._write_down(time.monotonic())
            if self._has_news:
                await self._keep()
            await self._hold.release()
        finally:
            await self._reader.close()

    async def _bring_back(self) -> None:
        """Begin with what is kept, or with the first message if there is nothing of use."""
        kept, is_damaged = await self._hold.known()
        if kept is not None and self._hold.claim.kept is not None:
            try:
                self._scoring.restore(kept)
            except StateError:
                is_damaged = True
            else:
                self._reader.after = self._hold.claim.kept.sequence
        if is_damaged:
            self._scoring = self._make()
            self._counts[DAMAGED] += 1

    async def _score(self, batch: Sequence[Sent]) -> None:
        """Score messages, publish what comes of those whose alerts are not out yet, and tell."""
        acknowledged = self._hold.claim.acknowledged
        found: list[Found] = []
        for message in batch:
            is_new = message.sequence > acknowledged
            self._scoring.counts = self._counts if is_new else Counter()
            identifier = message.headers.get(IDENTIFIER, "")
            assessment = self._scoring.take(message.data, identifier)
            if is_new and assessment is not None:
                found.append(Found(assessment, identifier))
        self._has_news = True
        alerts = await self._outbox.send(self._host, found)
        if alerts:
            self._counts[ALERTS] += len(alerts)
            self._tell(self._host, alerts)
            await self._advance()

    async def _write_down(self, now: float) -> None:
        """Say up to where all is published, and keep what is known, if it is time."""
        if self._has_news and self._pace.is_due(self._kept, now):
            await self._keep()
        elif now - self._advanced >= _ADVANCE_EVERY and self._reader.after > self._hold.claim.acknowledged:
            await self._advance()

    async def _advance(self) -> None:
        if self._reader.after > self._hold.claim.acknowledged:
            await self._hold.advance(self._reader.after)
        self._advanced = time.monotonic()

    async def _keep(self) -> None:
        begin = time.monotonic()
        self._kept, self._has_news = begin, False
        try:
            known = self._scoring.save()
        except StateError:
            self._counts[UNKEPT] += 1
            return
        self._pace.kept(begin, time.monotonic())
        await self._hold.keep(known, self._reader.after)
        self._advanced = time.monotonic()
