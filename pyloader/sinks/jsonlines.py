"""One JSON object a line: alerts, events if wanted, and a summary at the end."""

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import msgspec

from pyloader.alerts import Alert
from pyloader.pipeline import Assessment, Summary
from pyloader.records import event_name
from pyloader.sinks.events import fields
from pyloader.sinks.printable import encodable

_encoder = msgspec.json.Encoder()


class JsonSink:
    """Writes to a binary file, which is flushed after every batch."""

    def __init__(self, file: BinaryIO, *, events: bool = False) -> None:
        self._file = file
        self._events = events

    def write(self, batch: Sequence[Assessment]) -> None:
        """Write the alerts, and with `events` every record before the alerts that it raised."""
        lines = bytearray()
        for assessment in batch:
            if self._events:
                self._append(lines, event_object(assessment))
            for alert in assessment.alerts:
                self._append(lines, alert_object(alert))
        if lines:
            self._file.write(lines)
            self._file.flush()

    def end(self, summary: Summary) -> None:
        """Write the summary."""
        lines = bytearray()
        self._append(lines, summary)
        self._file.write(lines)
        self._file.flush()

    def _append(self, lines: bytearray, shown: object) -> None:
        lines += encoded(shown)
        lines += b"\n"


def encoded(shown: object) -> bytes:
    """Return an object as JSON, bytes that are not UTF-8 as backslash escapes."""
    try:
        return _encoder.encode(shown)
    except UnicodeEncodeError:
        return _encoder.encode(_encodable(msgspec.to_builtins(shown)))


def event_object(assessment: Assessment) -> dict[str, Any]:
    """Return the JSON form of an assessed record; `posture` is there if the host's posture changed with it."""
    head = {"type": "event", "event": event_name(type(assessment.record))}
    tail = {"score": assessment.score}
    if assessment.posture is None:
        return head | fields(assessment) | tail
    return head | fields(assessment) | tail | {"posture": assessment.posture.level.name.lower()}


def alert_object(alert: Alert) -> dict[str, Any]:
    """Return the JSON form of an alert."""
    body: dict[str, Any] = msgspec.to_builtins(alert)
    return {"type": "alert"} | body


def _encodable(value: object) -> object:
    """Return the same value with every string fit for UTF-8."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [_encodable(item) for item in value]
    return value
