"""A worker: the ordinary pipeline on the records of one lane, told what to do and asked for results over a socket.

It never waits for its parent. Results for which there is no room are counted: first those without an alert, and only
when far more wait, those with one. It needs no right but its descriptors, and ends when its parent does, however that
ended: the socket then has no other end, or the process another parent.
"""

import gc
import logging
import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pyloader.errors import BusyError, PyloaderError
from pyloader.pipeline import PARTS, Assessment, Pipeline
from pyloader.records import AnalystLabel, AnyRecord, Elsewhere, WorkerGap
from pyloader.scorer.sharing import Shared
from pyloader.sources import Source
from pyloader.state import Classes, Keeper, save
from pyloader.workers.channel import Channel
from pyloader.workers.messages import (
    Add,
    Ask,
    Begin,
    Decided,
    Ended,
    Kept,
    Learn,
    Note,
    Pass,
    Ready,
    Report,
    Results,
    Stop,
    Tell,
    ToWorker,
)
from pyloader.workers.tally import assessed
from pyloader.workers.told import Told

ROOM: Final = 8 * 1024 * 1024
"""So many bytes may wait for the parent before assessments without an alert are dropped."""

ROOM_FOR_ALERTS: Final = 64 * 1024 * 1024
"""So many before those with an alert are dropped, too, and what the others are to learn."""

_LONGEST_WAIT: Final = 1.0
_BREATH: Final = 0.0004
"""Seconds between two readings of a stream: to be woken for every record costs those who cause records."""

_STREAM: Final = 64
"""A reading of so many records is a backlog, and is followed by the next one at once."""

_PATIENCE: Final = 5.0
"""Seconds to wait for the folder of a worker that is about to end."""

_IGNORED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""They are for the parent, which tells its workers what follows from them."""


def main(descriptor: int, make_source: Callable[[bytes], Source]) -> int:
    """Work until the parent says that it is enough, or is no more; return the exit status of the process.

    `descriptor` is the socket, and `make_source` makes a source from what the parent says of it.
    """
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    line = Line(descriptor)
    with _logging_to(line):
        try:
            Worker(line, make_source).run()
        except EOFError:
            return 1
        except Exception as error:  # noqa: BLE001 -- whatever it is, the parent is to know.
            known = isinstance(error, PyloaderError)
            text = str(error) if known else "".join(traceback.format_exception(error))
            line.send_last(Ended(None, type(error).__name__, text))
            return 1
    return 0


class Line(Channel[ToWorker]):
    """The channel to the parent. All its methods raise `EOFError` when there is no parent any more."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(socket.socket(fileno=descriptor), ToWorker)
        self._parent = os.getppid()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def watch(self, descriptor: int) -> None:
        """Let `wait` end when there are records."""
        self._poll.register(descriptor, select.POLLIN)

    def messages(self) -> list[ToWorker]:
        """Return what the parent has said since."""
        messages = self.receive()
        # The socket may have another end without a parent: a fork of it that has ended since.
        if self.ended or os.getppid() != self._parent:
            raise EOFError
        return messages

    def wait(self, seconds: float) -> None:
        """Wait until there is something to do."""
        self._poll.modify(self.fileno(), select.POLLIN | (select.POLLOUT if self.waiting else 0))
        self._poll.poll(seconds * 1_000)

    def send_last(self, message: Ended) -> None:
        """Send the last message, and wait until the parent has taken it, or is gone."""
        with suppress(EOFError):
            self.send(message)
            while not self.flush():
                self.wait(_LONGEST_WAIT)
                self.messages()
        self.close()


class Worker:
    """One worker. Raises `EOFError` when there is no parent any more."""

    def __init__(self, line: Line, make_source: Callable[[bytes], Source]) -> None:
        self._line = line
        self._begin = begin = self._first()
        self._min_score, self._everything = begin.min_score, begin.everything
        self._source = make_source(begin.source)
        self._shared: list[Shared] = []
        self._keeper = self._open_keeper()
        self._pipeline = self._keeper.bring_back(self._make) if self._keeper is not None else self._make()
        self._pipeline.begin_run()
        for shared in begin.shared:
            self._pipeline.learn(shared)
        self._told: list[Told] = []
        self._last: Assessment | None = None
        self._untold = self._untold_alerts = self._unshared = 0
        self._is_idle = self._is_over = False
        self._learned = len(begin.shared)

    def run(self) -> None:
        """Read and assess to the end."""
        pipeline = self._pipeline
        self._source.start()
        descriptor = self._source.fileno()
        if descriptor is not None:
            self._line.watch(descriptor)
        self._source.add(self._begin.added)
        self._line.send(Ready(pipeline.posture, save({"tail": pipeline.tail}, Classes(PARTS)), pipeline.latest))
        self._obey(self._rest)
        # What was made until now stays to the end: the collector need not look at it again.
        gc.freeze()
        while not self._is_over:
            self._obey(self._line.messages())
            try:
                records = self._source.read(0.0)
            except EOFError:
                break
            self._is_idle = not records
            self._assess(records)
            self._send()
            self._keep()
            if descriptor is not None:
                self._pause(len(records))
        self._source.close()
        if self._keeper is not None:
            self._keeper.keep(self._pipeline)
            self._keeper.close()
        self._line.send_last(Ended(self._report()))

    def _first(self) -> Begin:
        """Return the first message, for which to wait; others may have come with it."""
        while not (messages := self._line.messages()):
            self._line.wait(_LONGEST_WAIT)
        begin, *self._rest = messages
        if not isinstance(begin, Begin):
            message = f"the first message to a worker is a {type(begin).__name__}"
            raise TypeError(message)
        return begin

    def _open_keeper(self) -> Keeper | None:
        begin = self._begin
        if not begin.state:
            return None
        # What is known of processes is of use to who has the same processes: in the same place of as many.
        place = f"{begin.header.boot_id} worker {begin.worker} of {begin.workers}"
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return Keeper(Path(begin.state), boot_id=place, realtime_offset=begin.header.realtime_offset)
            except BusyError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.05)

    def _make(self) -> Pipeline:
        return Pipeline(self._begin.header, min_score=self._min_score, share=self._shared.append)

    def _obey(self, messages: Iterable[ToWorker]) -> None:
        for message in messages:
            match message:
                case Decided():
                    self._follow(message)
                case Learn(shared):
                    for one in shared:
                        self._pipeline.learn(one)
                    self._learned += len(shared)
                case Ask():
                    self._answer(message)
                case Add(records):
                    self._source.add(records)
                case Tell(min_score, everything):
                    self._min_score, self._everything = min_score, everything
                    self._pipeline.report_from(min_score)
                case Stop(level, at_once):
                    self._pipeline.follow(self._pipeline.latest, level, self._pipeline.focus)
                    self._source.stop()
                    self._is_over = at_once
                case Begin():
                    error = "a worker begins once"
                    raise TypeError(error)

    def _follow(self, decided: Decided) -> None:
        """Take over how the host stands, and report."""
        # Where records wait, time goes by them.
        now = decided.now if self._is_idle else self._pipeline.latest
        if now:
            self._pipeline.follow(now, decided.level, decided.focus)
        self._line.send(self._report())

    def _answer(self, asked: Ask) -> None:
        """Take a label into the stream, if it is for an alert that is known here."""
        if not asked.last and not self._pipeline.remembers(asked.label.alert.decode("utf-8", "surrogateescape")):
            self._line.send(Pass(asked.label))
            return
        self._assess([asked.label])
        # Whoever gets an answer may rely on it.
        if self._keeper is not None:
            failures = self._keeper.failures
            self._keeper.keep(self._pipeline)
            self._kept(failures)
        self._send()

    def _assess(self, records: Iterable[AnyRecord]) -> None:
        pipeline, level, everything = self._pipeline, self._pipeline.posture, self._everything
        assess, know = pipeline.assess, pipeline.host.apply
        assessment = None
        for record in records:
            if type(record) is Elsewhere:
                know(record.record)
                continue
            assessment = one = assess(record)
            call = pipeline.take_call() if one.evidence else None
            if everything or call is not None or one.alerts or one.answer or type(record) in _TOLD:
                self._told.append(Told.of(one, call))
        if assessment is not None:
            self._last = assessment
        if self._keeper is not None and self._keeper.fails(pipeline.faults):
            self._pipeline = self._keeper.begin_anew(self._make)
            self._pipeline.follow(pipeline.latest, level, pipeline.focus)

    def _send(self) -> None:
        """Send what there is to tell, as far as there is room for it."""
        self._share()
        if self._told:
            told, self._told = self._told, []
            if self._line.waiting > ROOM:
                kept = [one for one in told if one.alerts or one.call is not None or one.answer]
                if self._line.waiting > ROOM_FOR_ALERTS:
                    self._untold_alerts += sum(bool(one.alerts) for one in kept)
                    kept = []
                self._untold += len(told) - len(kept)
                told = kept
            if told:
                self._line.send(Results(told))
        if self._line.waiting:
            self._line.flush()

    def _keep(self) -> None:
        if self._keeper is not None:
            failures = self._keeper.failures
            if self._keeper.look(self._pipeline):
                self._kept(failures)

    def _kept(self, failures: int) -> None:
        """Say that there is a new snapshot, if it could be taken: there were so many failures before."""
        self._share()
        if self._keeper is not None and self._keeper.failures == failures:
            self._line.send(Kept(assessed(self._pipeline.summary()), self._pipeline.latest, self._learned))

    def _share(self) -> None:
        if self._shared:
            if self._line.waiting > ROOM_FOR_ALERTS:
                self._unshared += len(self._shared)
            else:
                self._line.send(Learn(self._shared[:]))
            # A pipeline holds the list's own method.
            self._shared.clear()

    def _report(self) -> Report:
        pipeline, last = self._pipeline, self._last
        self._last = None
        now = pipeline.latest
        return Report(
            now=now,
            overview=pipeline.overview(now),
            processes=pipeline.host.processes.pids(),
            summary=pipeline.summary(),
            untold=self._untold,
            untold_alerts=self._untold_alerts,
            unshared=self._unshared,
            last=Told.of(last) if last is not None and not self._everything else None,
        )

    def _pause(self, records: int) -> None:
        """Wait for records or messages; in a stream only for a moment, and in a backlog not at all."""
        if records:
            if records < _STREAM:
                time.sleep(_BREATH)
            return
        wait = min(_LONGEST_WAIT, self._source.patience())
        if wait > 0.0:
            self._line.wait(wait)


class _ToParent(logging.Handler):
    """What is logged in a worker is logged by its parent."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if self._line.waiting < ROOM_FOR_ALERTS:
            self._line.send(Note(record.name, record.levelno, text))


@contextmanager
def _logging_to(line: Line) -> Iterator[None]:
    handler = _ToParent(line)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


_TOLD: Final = frozenset({AnalystLabel, WorkerGap})
"""Records of which the assessment is always told."""
