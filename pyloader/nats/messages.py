"""What is published: the subject, the identifier and the payload of each message.

| type         | payload                                                | identifier                            |
|--------------|--------------------------------------------------------|---------------------------------------|
| `record`     | the record, byte by byte as it came from the kernel    | boot, ring, time, digest of the bytes |
| `assessment` | the JSON of `--events`                                 | that of its record, `assessment`      |
| `alert`      | the JSON of `--format json`                            | that of the alert, number of update   |
| `header`     | the header of a recording                              | boot, the time at which it is told    |
| `gap`        | JSON: what was not published, how much, why, from when | boot, start of the publisher, number  |

A header and the records behind it are a recording. The types stand in the subject, in place of `{type}`; the domain of
a record is the monitor whose ring it came through, or `sensor`.

Identifiers are made of what is published, and of nothing else: whatever is published twice, because nobody knew whether
it had arrived, or because a ring was read again after a crash, carries the same one. In a ring a record is identified
by its time in nanoseconds and 64 bits of BLAKE2b over its bytes; unlike its position in the ring, they are there for
every transport, and for any number of workers.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec

from pyloader.alerts import Alert
from pyloader.nats.losses import Gap, Loss, date
from pyloader.nats.segments import Entry
from pyloader.nats.subjects import Template
from pyloader.pipeline import Assessment
from pyloader.records import AnyRecord, Record
from pyloader.records.codec import encode
from pyloader.records.recording import Header
from pyloader.sinks.jsonlines import alert_object, encoded, event_object

IDENTIFIER: Final = "Nats-Msg-Id"
"""The message header that JetStream knows repeated messages by."""


class Composer:
    """Makes messages of one run on one host. `start` (ns) tells its gaps from those of other runs."""

    def __init__(self, header: Header, template: Template, *, instance: str, start: int) -> None:
        self._header = header
        self._template = template
        self._instance = instance
        self._start = start
        self._gaps = 0
        self._subjects: dict[tuple[str, str, str], str] = {}

    def header(self, now: int) -> Entry:
        """Return the message of the header. `now` is nanoseconds since 1970, as in all that follow."""
        identifier = f"{self._header.boot_id}:header:{now:x}"
        return Entry("header", now, self._subject("sensor", "header"), identifier, msgspec.msgpack.encode(self._header))

    def records(self, records: Sequence[AnyRecord], raw: Sequence[bytes], now: int) -> Iterator[Entry]:
        """Yield a message for each record."""
        for record, data in zip(records, raw, strict=True):
            domain = domain_of(type(record))
            identifier = self._record(record, domain, data)
            yield Entry("record", now, self._subject(domain, "record"), identifier, data)

    def assessments(self, assessments: Sequence[Assessment], now: int) -> Iterator[Entry]:
        """Yield a message for each assessment."""
        for one in assessments:
            domain = domain_of(type(one.record))
            identifier = f"{self._record(one.record, domain, encode(one.record))}:assessment"
            subject = self._subject(domain, "assessment")
            yield Entry("assessment", now, subject, identifier, encoded(event_object(one)))

    def alert(self, alert: Alert, now: int) -> Entry:
        """Return the message of an alert."""
        subject = self._subject(alert.domain, "alert", alert.severity.value)
        return Entry("alert", now, subject, identifier_of(alert), encoded(alert_object(alert)))

    def gap(self, loss: Loss, now: int) -> Entry:
        """Return the announcement of a loss."""
        self._gaps += 1
        gap = Gap(
            self._header.hostname,
            self._header.boot_id,
            lost=loss.kind,
            count=loss.messages,
            reason=loss.reason,
            begin=date(loss.begin),
            end=date(loss.end),
        )
        identifier = f"{self._header.boot_id}:gap:{self._start:x}:{self._gaps}"
        return Entry("gap", now, self._subject("sensor", "gap"), identifier, encoded(gap))

    def _record(self, record: Record, domain: str, data: bytes) -> str:
        digest = blake2b(data, digest_size=8).hexdigest()
        return f"{self._header.boot_id}:{domain}:{record.timestamp:x}:{digest}"

    def _subject(self, domain: str, kind: str, severity: str = "none") -> str:
        key = (domain, kind, severity)
        subject = self._subjects.get(key)
        if subject is None:
            subject = self._subjects[key] = self._template.subject(
                host=self._header.hostname, domain=domain, type=kind, instance=self._instance, severity=severity
            )
        return subject


@lru_cache(maxsize=64)
def domain_of(record: type[Record]) -> str:
    """Return the name of the monitor that tells a kind of record, or `sensor`.

    >>> from pyloader.records import ProcessExec
    >>> domain_of(ProcessExec)
    'process'
    """
    return record.__module__.rpartition(".")[2]


def identifier_of(alert: Alert) -> str:
    """Return what identifies the message of an alert."""
    return f"{alert.id}:{alert.update}"
