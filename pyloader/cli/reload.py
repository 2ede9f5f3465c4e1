"""SIGHUP lets a run read its settings again, without losing an event.

A thread of its own does it, so that the reader goes on while files are read and programs are loaded. What is wrong is
told, and then everything stays as it was.
"""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import Final, Self

from msgspec.structs import replace

from pyloader.cli import options
from pyloader.cli.publishing import Publishing
from pyloader.config import KEYS, Settings, value_of
from pyloader.errors import PyloaderError
from pyloader.pipeline import Assessment, Summary
from pyloader.sensor import Sensor
from pyloader.sinks import Sink

_CHANGEABLE: Final = (
    *("monitors", "interfaces", "min_score", "alert_budget", "output.format", "output.events"),
    *(path for path, key in KEYS.items() if key.section == "nats"),
)
"""What can change while a sensor runs."""

_RELOAD, _END = "reload", "end"


class Outlet:
    """A sink that can be exchanged between two batches; the summary tells of what was published as well."""

    def __init__(self, sink: Sink, publishing: Publishing) -> None:
        self.sink = sink
        self.publishing = publishing

    def write(self, batch: Sequence[Assessment]) -> None:
        """Show a batch."""
        self.sink.write(batch)

    def end(self, summary: Summary) -> None:
        """Show what the run came to."""
        self.sink.end(self.publishing.summed(summary))


class Reloader:
    """Applies what `read` returns to a running sensor and its outlet, as often as it is asked.

    Who was started from a terminal and is asked because that has gone is stopped, as ever, unless SIGHUP was ignored.
    """

    def __init__(self, sensor: Sensor, outlet: Outlet, settings: Settings, read: Callable[[], Settings]) -> None:
        self.settings = settings
        """What is in force."""
        self._sensor = sensor
        self._outlet = outlet
        self._read = read
        self._needs_terminal = has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        self._asked: SimpleQueue[str] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="pyloader settings", daemon=True)

    def ask(self, *_: object) -> None:
        """Ask for a reload; safe in signal handlers, even in one that interrupts another."""
        self._asked.put(_RELOAD)

    def _serve(self) -> None:
        while self._asked.get() != _END:
            if self._needs_terminal and not has_terminal():
                self._sensor.stop()
                continue
            try:
                self._reload(self._read())
            except Exception as error:  # noqa: BLE001 -- whatever it is, the run goes on.
                options.say(f"{error}; the settings stay as they were")

    def _reload(self, wanted: Settings) -> None:
        changed = [path for path, key in KEYS.items() if value_of(self.settings, key) != value_of(wanted, key)]
        possible = [path for path in changed if path in _CHANGEABLE]
        self._apply(wanted)
        options.say(f"the settings were read again: {', '.join(possible) or 'nothing'} changed")
        fixed = [path for path in changed if path not in _CHANGEABLE]
        if fixed:
            options.say(f"what cannot change while pyloader runs stays as it was: {', '.join(fixed)}")

    def _apply(self, wanted: Settings) -> None:
        """Put into force what can be. What can fail comes first, so that it is all or nothing."""
        before = self.settings
        after = replace(
            before,
            monitors=wanted.monitors,
            interfaces=wanted.interfaces,
            min_score=wanted.min_score,
            alert_budget=wanted.alert_budget,
            output=replace(before.output, format=wanted.output.format, events=wanted.output.events),
            nats=wanted.nats,
        )
        if (after.watching, after.interfaces) != (before.watching, before.interfaces):
            self._sensor.reconfigure(monitors=after.watching, interfaces=after.interfaces)
        if after.nats != before.nats:
            try:
                self._outlet.publishing.change(before, after)
            except PyloaderError:
                self._sensor.reconfigure(monitors=before.watching, interfaces=before.interfaces)
                raise
        if after.threshold != before.threshold:
            self._sensor.reconfigure(min_score=after.threshold)
        if after.wants_events != before.wants_events:
            self._sensor.reconfigure(events=after.wants_events)
        if after.output != before.output:
            self._outlet.sink = options.sink(after.output)
        self.settings = after

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._asked.put(_END)
        self._thread.join()


def has_terminal() -> bool:
    """Return whether this process has a controlling terminal, which a hang-up takes away."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
