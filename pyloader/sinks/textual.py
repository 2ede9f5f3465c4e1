"""One line for people: alerts, and events if wanted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from pyloader.alerts import Alert, NetworkSubject
from pyloader.monitors.ladder import NONE
from pyloader.pipeline import Assessment, Hook, Summary
from pyloader.records import event_name
from pyloader.sinks.events import fields
from pyloader.sinks.printable import one_word, printable


class TextSink:
    """Writes alerts and events to one file and the summary to another, and flushes after every batch."""

    def __init__(self, file: TextIO, diagnostics: TextIO, *, events: bool = False) -> None:
        self._file = file
        self._diagnostics = diagnostics
        self._events = events

    def write(self, batch: Sequence[Assessment]) -> None:
        """Write the alerts, and with `events` every record before the alerts that it raised."""
        lines = []
        for assessment in batch:
            if self._events:
                lines.append(event_line(assessment))
            lines += map(alert_line, assessment.alerts)
        if lines:
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()

    def end(self, summary: Summary) -> None:
        """Write the summary to the diagnostics."""
        self._diagnostics.write(f"{summary_line(summary)}\n")


def alert_line(alert: Alert) -> str:
    """Return an alert as scripts expect it: domain, whom it is about and threat first, then reasons and rarity."""
    subject = alert.subject
    where = ""
    if isinstance(subject, NetworkSubject):
        who = f"src={_endpoint(subject.src, subject.src_port)} -> dst={_endpoint(subject.dst, subject.dst_port)}"
    else:
        who = f"pid={subject.pid} comm={one_word(subject.comm)}"
        where = f" container={one_word(subject.container)}" if subject.container else ""
    rarity = f"{alert.rarity}, still learning" if alert.baseline.learning else alert.rarity
    why = f"{printable(alert.summary)} ({rarity})"
    return f"High threat {alert.domain} event: {who} threat={int(alert.score)} {why}{where}"


def _endpoint(host: str, port: int) -> str:
    """Return an address with its port, an IPv6 address in brackets (RFC 3986), or a dash for none."""
    if not port:
        return host or "-"
    return f"[{host}]:{port}" if ":" in host else f"{host or '-'}:{port}"


def event_line(assessment: Assessment) -> str:
    """Return a record as its name, its fields, its score, and the posture of the host if that changed with it."""
    shown = words(fields(assessment))
    posture = f" posture={assessment.posture.level.name.lower()}" if assessment.posture is not None else ""
    return f"{event_name(type(assessment.record))} {shown} score={assessment.score:g}{posture}"


def words(shown: Mapping[str, object]) -> str:
    """Return fields as `name=value`, harmless whatever they hold."""
    return " ".join(f"{one_word(name)}={_value(value)}" for name, value in shown.items())


def summary_line(summary: Summary) -> str:
    """Return the summary in one line."""
    records = ", ".join(f"{count} {name}" for name, count in summary.records.items()) or "no records"
    lost = ", ".join(f"{count} {name}" for name, count in summary.lost.items()) or "none"
    evicted = "".join(
        f"; {count} {name} forgotten for want of room" for name, count in summary.evicted.items() if count
    )
    blind = "".join(printable(f"; {told}") for told in _blindness(summary.hooks))
    grouped = f" and {summary.grouped} more like them" if summary.grouped else ""
    unknown = summary.labels.get("unknown alert", 0)
    labels = f"; {unknown} labels were for alerts that nobody remembers" if unknown else ""
    faults = "".join(f"; {count} could not be judged: {what}" for what, count in summary.faults.items())
    nats = "; on NATS: " + ", ".join(f"{count} {what}" for what, count in summary.nats.items()) if summary.nats else ""
    workers = "".join(
        f"; worker {one.worker} was replaced {one.restarts} times, and {one.gap} records left no trace"
        for one in summary.workers
        if one.restarts
    )
    return f"{records}; lost: {lost}; {summary.alerts} alerts{grouped}{nats}{workers}{faults}{labels}{evicted}{blind}"


def _blindness(hooks: Iterable[Hook]) -> Iterator[str]:
    """Yield what is not seen on this host; hooks that cannot see the same are told together."""
    alike: dict[tuple[bool, str], list[Hook]] = {}
    for hook in hooks:
        if hook.blind_to:
            alike.setdefault((hook.rung == NONE, hook.blind_to), []).append(hook)
    for (unobserved, blind_to), (*others, last) in alike.items():
        names = f"{', '.join(one.hook for one in others)} and {last.hook}" if others else last.hook
        by = "" if others else f" by {last.rung}"
        yield f"{names} cannot be observed here: {blind_to}" if unobserved else f"{names}{by} cannot see {blind_to}"


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{' '.join(_value(item) for item in value)}]"
    if isinstance(value, str):
        shown = printable(value)
        return shown if shown and " " not in shown else f'"{shown}"'
    return str(value)
