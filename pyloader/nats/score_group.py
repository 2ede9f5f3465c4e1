"""The scorers of a stream, as one of them sees the others: who lives, which hosts there are, and which are its own."""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, NamedTuple

from pyloader.nats.partition import shares
from pyloader.nats.score_store import ANY, Store
from pyloader.nats.subjects import Template, token

if TYPE_CHECKING:
    from nats.aio.client import Client

BEATS: Final = 5
"""How often a scorer says within its lease that it lives."""


class View(NamedTuple):
    """What a scorer sees at one moment.

    `mine` are the hosts that it is to score, `others` the scorers that live, or `None` as long as it cannot know:
    after a pause of its own, or one of the server, all may seem dead. `refused` counts hosts for which nobody has room.
    """

    mine: frozenset[str]
    others: Collection[str] | None
    refused: int


class Group:
    """The scorers of one stream.

    Each writes its name into a bucket that forgets it after `lease` seconds; the first scorer of all says how long that
    is. Hosts are those of which a header is in the stream.
    """

    def __init__(self, client: "Client", stream: str, template: Template, me: str, *, lease: float, most: int) -> None:
        self._jetstream = client.jetstream()
        self._stream = stream
        self._template = template
        self._headers = template.pattern(domain="sensor", type="header")
        self._names = Store(client, f"pyloader_scorers_{stream}", lease)
        self._me = token(me)
        self._most = most
        self._looked = self._steady_since = float("-inf")

    @property
    def lease(self) -> float:
        """Seconds after which a scorer that says nothing is taken for dead."""
        return self._names.lifetime

    @property
    def name(self) -> str:
        """The name of this scorer, as it stands in claims."""
        return self._me

    async def open(self) -> None:
        """Make the bucket if there is none."""
        await self._names.open()

    async def look(self) -> View:
        """Say that this scorer lives, and return what it sees."""
        await self._names.write(self._me, b"", ANY)
        now = time.monotonic()
        if now - self._looked > 2 * self.lease / BEATS:
            self._steady_since = now
        self._looked = now
        # Whoever paused between the two may be forgotten again already.
        scorers = sorted({*await self._names.keys(), self._me})
        hosts = await self.hosts()
        given = shares(hosts, scorers, self._most)
        mine = frozenset(host for host, scorer in given.items() if scorer == self._me)
        knows = now - self._steady_since >= self.lease
        return View(mine, scorers if knows else None, len(hosts) - len(given))

    @property
    def is_fresh(self) -> bool:
        """Whether this scorer has said so lately that it lives that nobody can take it for dead."""
        return time.monotonic() - self._looked < self.lease / 2

    async def hosts(self) -> set[str]:
        """Return the hosts of which the stream holds a header."""
        found = await self._jetstream.stream_info(self._stream, subjects_filter=self._headers)
        names = (self._template.field("host", subject) for subject in found.state.subjects or ())
        return {name for name in names if name is not None}

    async def leave(self) -> None:
        """Say that this scorer goes, so that others need not wait for its lease to end."""
        await self._names.remove_one(self._me)
