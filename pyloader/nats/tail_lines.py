"""Messages as lines: for people as `pyloader run` prints them, with the host behind, and for programs as JSON."""

from collections import Counter
from typing import Any, Final

import msgspec

from pyloader.alerts import Alert
from pyloader.nats.subjects import Template
from pyloader.nats.tail_payloads import PayloadError, Told, told
from pyloader.nats.tail_reader import Sent
from pyloader.pipeline import Assessment
from pyloader.records import Record
from pyloader.records.recording import Header
from pyloader.scorer import CALM
from pyloader.sinks.jsonlines import alert_object, encoded, event_object
from pyloader.sinks.printable import one_word, printable
from pyloader.sinks.textual import alert_line, words

_UNSHOWN: Final = ("type", "event", "host")


class Lines:
    """Turns messages into lines. `counts` says how many of each kind there were, those that cannot be read as well."""

    def __init__(self, template: Template, *, as_json: bool) -> None:
        self.counts: Counter[str] = Counter()
        self._template = template
        self._as_json = as_json

    def line(self, message: Sent) -> bytes:
        """Return the line of a message with its end; nothing for one that cannot be read."""
        try:
            said = told(message.data)
            line = self._line(said, message)
        except PayloadError as error:
            self.counts[error.kind] += 1
            return b""
        except (ValueError, OverflowError):
            # A number that stands for nothing, as no sensor would send it.
            self.counts["meaningless value"] += 1
            return b""
        self.counts[_kind(said)] += 1
        return line + b"\n"

    def _line(self, said: Told, message: Sent) -> bytes:
        host = self._template.field("host", message.subject) or ""
        if not self._as_json:
            return text_line(said, host).encode(errors="backslashreplace")
        if message.data[:1] == b"{" and b"\n" not in message.data:
            return message.data
        return encoded(json_object(said, host))


def text_line(said: Told, host: str) -> str:
    """Return what a message says, and of which host, in words."""
    where = f" host={one_word(host)}" if host else ""
    if isinstance(said, Alert):
        return printable(f"{alert_line(said)}{where}")
    shown = json_object(said, host)
    name = str(shown.get("event", shown.get("type", "")))
    rest = words({key: value for key, value in shown.items() if key not in _UNSHOWN})
    return printable(f"{name} {rest}{where}")


def json_object(said: Told, host: str) -> dict[str, Any]:
    """Return what a message says as an object; raw records and headers in the form of events, with their host."""
    if isinstance(said, Record):
        shown = event_object(Assessment(said, None, CALM))
        del shown["score"]
        return shown | {"host": host}
    if isinstance(said, Header):
        return {"type": "header"} | msgspec.structs.asdict(said) | {"host": host}
    if isinstance(said, Alert):
        return alert_object(said)
    return said


def _kind(said: Told) -> str:
    """Return the name under which a message is counted; what another version may send has one for all."""
    if isinstance(said, Record):
        return "records"
    if isinstance(said, Header):
        return "headers"
    if isinstance(said, Alert):
        return "alerts"
    return _KINDS.get(str(said["type"]), "others")


_KINDS: Final = {"event": "assessments", "gap": "gaps"}
