"""What a scorer publishes: alerts, and assessments if wanted, on the subjects on which their host would."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from pyloader.alerts import Alert
from pyloader.config import NatsSettings
from pyloader.nats.messages import IDENTIFIER, domain_of, identifier_of
from pyloader.nats.subjects import Template
from pyloader.pipeline import Assessment
from pyloader.sinks.jsonlines import alert_object, encoded, event_object

if TYPE_CHECKING:
    from nats.aio.client import Client

SCORER: Final = "scorer"
"""The instance in the subjects of what a scorer publishes, in templates that show it."""

_ACKNOWLEDGED_WITHIN: Final = 5.0
"""Seconds that the stream has to take a message."""

_AT_ONCE: Final = 256
"""So many messages are on their way at most."""


class Found(NamedTuple):
    """An assessment, and the identifier of the message with the record that it is of."""

    assessment: Assessment
    identifier: str


class Outbox:
    """Publishes into the stream from which the records come.

    Identifiers are made of those of the records and alerts: what is sent again carries the same one, and the stream
    leaves it out for as long as it remembers (its duplicate window).
    """

    def __init__(self, client: "Client", settings: NatsSettings, template: Template) -> None:
        self._jetstream = client.jetstream(publish_async_max_pending=_AT_ONCE)
        self._stream = settings.stream
        self._template = template
        self._min_score = settings.min_score if "assessments" in settings.publish else None

    async def send(self, host: str, found: Iterable[Found]) -> list[Alert]:
        """Publish what was found of a host, wait until the stream has all of it, and return the alerts.

        Raises what nats-py raises if the stream does not take it; then nobody knows which part it has.
        """
        alerts: list[Alert] = []
        underway = []
        for one in found:
            for subject, payload, identifier in self._messages(host, one):
                underway.append(
                    await self._jetstream.publish_async(
                        subject,
                        payload,
                        wait_stall=_ACKNOWLEDGED_WITHIN,
                        stream=self._stream,
                        headers={IDENTIFIER: identifier},
                    )
                )
            alerts += one.assessment.alerts
        if underway:
            async with asyncio.timeout(_ACKNOWLEDGED_WITHIN):
                await asyncio.gather(*underway)
        return alerts

    def _messages(self, host: str, one: Found) -> Iterator[tuple[str, bytes, str]]:
        """Yield subject, payload and identifier as the sensor of the host would publish them."""
        assessment = one.assessment
        if self._min_score is not None and assessment.score >= self._min_score:
            domain = domain_of(type(assessment.record))
            subject = self._subject(host, domain, "assessment")
            yield subject, encoded(event_object(assessment)), f"{one.identifier}:assessment"
        for alert in assessment.alerts:
            subject = self._subject(host, alert.domain, "alert", alert.severity.value)
            yield subject, encoded(alert_object(alert)), identifier_of(alert)

    def _subject(self, host: str, domain: str, kind: str, severity: str = "none") -> str:
        return self._template.subject(host=host, domain=domain, type=kind, instance=SCORER, severity=severity)
