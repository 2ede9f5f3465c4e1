"""`pyloader score`: scorers that share the hosts whose thin sensors send raw records into one stream of JetStream.

There is no head. Each scorer says every few seconds that it lives, looks who else does and which hosts there are, and
computes from that which hosts are its own (`score_group`, `partition`). It claims them (`score_claims`), brings back
what is known of each (`score_host`), reads the messages after that (`tail_reader`), and publishes alerts
(`score_outbox`). What is known is kept together with the place in the stream up to which it reaches. So to take over
from one who died is to bring that back, to score what came after it again, in silence up to where the dead one said
that it had published, and to go on.

A scorer does three things in this order: publish, and wait for the acknowledgement; tell; say up to where. Whatever
ends it, alerts after its last word are published again, with the same identifiers, and none is missing.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from pyloader.alerts import Alert
from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.config import NatsSettings
from pyloader.errors import UsageError
from pyloader.nats.partition import LEASE, MOST
from pyloader.nats.score_session import Scoring, Session
from pyloader.nats.subjects import Template
from pyloader.nats.tail_link import once, stay_connected

if TYPE_CHECKING:
    from nats.aio.client import Client

_LOG: Final = logging.getLogger(__name__)


class ScoreStats(msgspec.Struct, frozen=True, tag="summary"):
    """What a scorer has done: how many hosts it had, and by name what became of their messages.

    The names are those of `pyloader.nats.score_host`, `score_work` and `score_session`, and of bad payloads.
    """

    hosts: int
    counts: dict[str, int]


class Scorer:
    """One scorer; it is made in the event loop that runs it.

    `name` is unique among the scorers of a stream. `tell` gets each host's alerts when they are published, and `warn`
    sentences about what goes wrong. What `tell` raises ends the scorer and comes out of `run`. A scorer takes `most`
    hosts at most, and is taken for dead after `lease` seconds without a word; among several the first decides.

    Raises `UsageError` if the settings name no stream, or a template of subjects that does not show the host.
    """

    def __init__(
        self,
        settings: NatsSettings,
        *,
        name: str,
        tell: Callable[[str, Sequence[Alert]], object],
        warn: Callable[[str], object] = _LOG.warning,
        min_score: float = MEDIUM_FROM,
        lease: float = LEASE,
        most: int = MOST,
    ) -> None:
        if not settings.stream:
            message = "to score takes the JetStream stream into which the sensors publish; name it"
            raise UsageError(message)
        template = Template(settings.subject)
        if template.field("host", template.pattern()) is None:
            message = f"{settings.subject!r} does not show the host as a part of its own, by which the work is shared"
            raise UsageError(message)
        self._settings = settings
        self._warn = once(warn)
        self._stopping = asyncio.Event()
        self._common = Scoring(
            settings=settings,
            template=template,
            name=name,
            min_score=min_score,
            lease=lease,
            most=most,
            tell=tell,
            warn=self._warn,
            counts=Counter(),
            hosts=set(),
        )

    def stop(self) -> None:
        """Give all hosts up and end; to be called in the event loop."""
        self._stopping.set()

    async def run(self) -> None:
        """Score until `stop`. A server that goes is waited for; that none is there at the beginning is an error.

        Raises what `connect` raises, and what `tell` raises.
        """
        await stay_connected(
            self._settings, self._serve, name="pyloader score", stopping=self._stopping, warn=self._warn
        )

    def stats(self) -> ScoreStats:
        """Return what was done so far."""
        return ScoreStats(len(self._common.hosts), dict(sorted(self._common.counts.items())))

    async def _serve(self, client: "Client") -> None:
        await Session(client, self._common).run(self._stopping)
