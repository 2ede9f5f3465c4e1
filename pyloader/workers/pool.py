"""The parent of several workers: it starts them, passes on what they tell each other, and joins what they find.

The kernel gives each worker the records of its own lineages and sources, its lane, and tells all of them which
processes there are. A worker tells what matters; the parent hands that out as if one process had scored, by time as far
as it was there at once. What is decided for the host as a whole is decided here, once a second (`joint`).

A worker that dies, or is silent for too long, is replaced, at once and then after ever longer pauses, and never given
up. The next one begins with its last snapshot and with all that was shared since; what it knew besides is gone, and a
`WorkerGap` in the stream says so.

All this happens while somebody reads. As long as nobody does, workers go on, and keep what there is to tell, up to a
bound (`child`).

What is not joined: what a lineage teaches at once, since nothing about it was a surprise, is known to its worker only,
and so are the populations' counts of what is ordinary; labels and the ends of episodes reach them all.
"""

import logging
import os
import select
import sys
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from hashlib import blake2b
from operator import attrgetter
from pathlib import Path
from typing import Final, Protocol

import msgspec

from pyloader import errors
from pyloader.errors import BusyError, ClosedError, PyloaderError, StateError, UsageError, WorkerError
from pyloader.host import Focus
from pyloader.pipeline import Assessment, Summary
from pyloader.records import AnalystLabel, AnyRecord, HookInUse, WorkerGap
from pyloader.records.recording import Header
from pyloader.scorer import Change
from pyloader.scorer.sharing import Shared
from pyloader.sources.labels import Inbox
from pyloader.sources.source import Tap
from pyloader.state.folder import Folder
from pyloader.workers import folders
from pyloader.workers.joint import Joint
from pyloader.workers.messages import (
    Add,
    Ask,
    Begin,
    Decided,
    Ended,
    FromWorker,
    Kept,
    Learn,
    Note,
    Pass,
    Ready,
    Report,
    Results,
    Stop,
    Tell,
)
from pyloader.workers.place import Place
from pyloader.workers.tally import joined
from pyloader.workers.told import Told

_LOG: Final = logging.getLogger(__name__)

TURN: Final = 1.0
"""Seconds between two looks at the whole."""

SILENCE: Final = 60.0
"""Seconds for which a worker may leave a question unanswered."""

START: Final = 120.0
"""Seconds within which a worker begins."""

END: Final = 20.0
"""Seconds within which workers are done when the sensor is closed."""

COMMAND: Final = (sys.executable, "-P", "-m", "pyloader.workers")
"""What starts a worker."""

_BRIEFLY: Final = 0.01
"""Seconds to wait while a worker has still to take what was sent to it."""

_timestamp = attrgetter("record.timestamp")


class Described(Protocol):
    """A lane as a worker is told of it: bytes, and descriptors that it inherits."""

    def encode(self) -> bytes:
        """Return it as bytes."""

    def fds(self) -> list[int]:
        """Return the descriptors that stand in it."""


class Lanes(Protocol):
    """The monitors, with a lane of records for each worker."""

    header: Header
    lanes: int

    def start(self) -> None:
        """Attach everything."""

    def description(self, lane: int) -> Described:
        """Return a description of a lane, for a worker that is about to begin."""

    def attend(self, focus: Focus) -> None:
        """Look at these more closely."""

    def fileno(self) -> int | None:
        """Return a descriptor that polls readable when `follow` has something to do, if there is one."""

    def follow(self) -> list[HookInUse]:
        """Keep up with interfaces that come and go, and return what changed."""

    def detach(self) -> None:
        """Observe no more; what is in the rings can still be read."""

    def close(self) -> None:
        """Release everything."""


class Pool:
    """The workers of one sensor.

    `everything` is whether all assessments are told, not only those that matter: with an alert, a call for a higher
    posture, an answer to a label, or about a gap. `state` is the folder of the sensor, and
    `needs_state` whether it is an error that it cannot be used. `command` starts a worker; the
    number of its socket is appended.

    Raises `WorkerError`, from `start`, if one cannot begin.
    """

    def __init__(
        self,
        lanes: Lanes,
        *,
        min_score: float,
        command: Sequence[str],
        everything: bool = False,
        state: Path | None = None,
        needs_state: bool = True,
        silence: float = SILENCE,
    ) -> None:
        self.header = lanes.header
        self.latest = 0
        """The latest time (ns) of a record."""
        self.unread = False
        """Nothing is read before it is assessed."""
        self._lanes = lanes
        self._min_score = min_score
        self._everything = everything
        self._state = state
        self._needs_state = needs_state
        self._silence = silence
        self._joint = Joint(self.header.realtime_offset, seed=_seed_of(self.header))
        self._focus = Focus()
        self._change: Change | None = None
        """A change of posture that goes with the next assessment."""
        self._places = [Place(number, command) for number in range(lanes.lanes)]
        self._labels: deque[AnalystLabel] = deque()
        self._stranded: deque[tuple[AnalystLabel, int]] = deque()
        """Labels of which it is to be asked from this place on."""
        self._ready: list[Assessment] = []
        self._inbox: Inbox | None = None
        self._interfaces: int | None = None
        """A descriptor that polls readable when there is news of interfaces."""
        self._next_turn = 0.0
        self._stopping = self._at_once = self._told_to_stop = self._detached = self._closed = False
        self._held = ExitStack()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._held.callback(os.close, self._wake)
        self._epoll = self._held.enter_context(select.epoll())
        self._epoll.register(self._wake, select.EPOLLIN)

    def start(self) -> None:
        """Attach the monitors, and return when every worker reads."""
        if self._state is not None:
            self._remember(self._state)
        self._lanes.start()
        self._interfaces = self._lanes.fileno()
        if self._interfaces is not None:
            self._epoll.register(self._interfaces, select.EPOLLIN)
        for place in self._places:
            self._begin(place)
        deadline = time.monotonic() + START
        while not all(place.is_up or place.has_ended for place in self._places):
            left = deadline - time.monotonic()
            if left <= 0.0:
                message = f"workers did not begin within {START:.0f} seconds"
                raise WorkerError(message)
            self._epoll.poll(min(left, TURN))
            for place in self._places:
                self._take(place)
                if not (place.is_running or place.has_ended):
                    message = f"worker {place.number} could not begin; what it wrote to standard error may say why"
                    raise place.error or WorkerError(message)

    def read(self, timeout: float | None, at_most: int | None = None) -> list[Assessment]:  # noqa: ARG002 -- few come.
        """Return what there is to tell, or nothing after `timeout` seconds. Raises `EOFError` after the last."""
        if self._closed:
            message = "this sensor is closed"
            raise ClosedError(message)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._exchange()
            if self._ready:
                ready, self._ready = self._ready, []
                ready.sort(key=_timestamp)
                self._answer(ready)
                return ready
            if self._is_over:
                raise EOFError
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0.0:
                return []
            patience = self.patience()
            self._epoll.poll(patience if left is None else min(left, patience))

    def fileno(self) -> int:
        """Return a descriptor that polls readable while there is something to do, and after `stop`."""
        return self._epoll.fileno()

    def patience(self) -> float:
        """Return for how many seconds `read` may be put off as long as the descriptor is not readable."""
        if any(place.is_running and place.channel.waiting for place in self._places):
            return _BRIEFLY
        return max(0.0, self._next_turn - time.monotonic())

    def add(self, labels: Iterable[AnalystLabel]) -> None:
        """Ask the workers, one after the other, who knows the alerts of these labels."""
        self._labels.extend(labels)

    def tap(self, take: Tap) -> None:
        """Refuse: there is no place that all records pass. Raises `UsageError`."""
        del take
        message = "each of several workers reads records of its own, so nobody has them all: leave out the workers"
        raise UsageError(message)

    def report_from(self, min_score: float) -> None:
        """Let this be the lowest score that raises an alert from now on."""
        self._min_score = min_score
        self._tell()

    def tell_all(self, *, everything: bool) -> None:
        """Tell every assessment from now on, or only those that matter."""
        self._everything = everything
        self._tell()

    def summary(self) -> Summary:
        """Return what all workers came to, by their last reports."""
        return joined([place.tally for place in self._places], self._joint.posture.level.name.lower())

    def stop(self) -> None:
        """Ask for the end; safe in signal handlers and other threads."""
        self._stopping = True
        if not self._closed:
            os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Let the workers end, keeping what they know, and release everything. Further calls do nothing."""
        if self._closed:
            return
        # What nobody will be told need not be read.
        self._stopping = self._at_once = True
        self._told_to_stop = False
        deadline = time.monotonic() + END
        try:
            with suppress(PyloaderError):
                while any(place.is_up for place in self._places) and time.monotonic() < deadline:
                    self._exchange()
                    self._ready.clear()
                    self._epoll.poll(0.05)
        finally:
            self._closed = True
            for place in self._places:
                place.kill()
            try:
                self._lanes.close()
            finally:
                self._held.close()

    @property
    def _is_over(self) -> bool:
        if any(place.is_running for place in self._places):
            return False
        return self._told_to_stop or all(place.has_ended for place in self._places)

    def _remember(self, state: Path) -> None:
        """Let the workers find what is known in a folder."""
        try:
            self._held.enter_context(Folder(state))
        except (StateError, BusyError) as error:
            if self._needs_state:
                raise
            _LOG.warning("what is learned now will not be kept: %s", error)
            self._state = None
            return
        folders.prepare(state, len(self._places))
        self._inbox = Inbox(state)

    def _exchange(self) -> None:
        """Take what has come, and do what is due."""
        for descriptor, _ in self._epoll.poll(0):
            if descriptor == self._wake:
                os.eventfd_read(self._wake)
            elif descriptor == self._interfaces and not self._stopping:
                self._follow_interfaces()
        for place in self._places:
            self._take(place)
        if self._stopping and not self._told_to_stop:
            self._told_to_stop = True
            if not self._detached:
                self._lanes.detach()
                self._detached = True
            for place in self._places:
                place.send(Stop(self._joint.posture.level, at_once=self._at_once))
        self._pass_labels_on()
        now = time.monotonic()
        if now >= self._next_turn:
            self._next_turn = now + TURN
            self._turn(now)

    def _take(self, place: Place) -> None:
        """Take what a worker has said, and deal with its end."""
        if not place.is_running:
            return
        try:
            messages = place.channel.receive()
        except msgspec.MsgspecError as error:
            self._lost(place, f"its messages cannot be read: {error}")
            return
        # Whether it is still there is told by what it says, not by what it takes.
        with suppress(EOFError):
            place.channel.flush()
        for message in messages:
            self._handle(place, message)
        if place.channel.ended and place.is_running:
            if place.has_ended:
                self._ended(place)
            else:
                self._lost(place, "")

    def _handle(self, place: Place, message: FromWorker) -> None:
        match message:
            case Results(told):
                for one in told:
                    self._hand_out(place, one)
            case Report():
                self._reported(place, message)
            case Learn(shared):
                self._share(place, shared)
            case Pass(label):
                place.asked = [one for one in place.asked if one != label]
                self._ask(label, place.number + 1)
            case Note(logger, level, text):
                logging.getLogger(logger).log(level, "worker %d: %s", place.number, text)
            case _:
                self._handle_life(place, message)

    def _handle_life(self, place: Place, message: Ready | Kept | Ended) -> None:
        match message:
            case Kept():
                place.kept(message)
            case Ready(level, tail, latest):
                place.is_up = True
                place.kept_until = latest
                self.latest = max(self.latest, latest)
                self._joint.resume(level, tail)
            case Ended(report, error, text):
                place.has_ended = not error
                if report is not None:
                    self._reported(place, report)
                if error:
                    kind = getattr(errors, error, WorkerError)
                    place.error = kind(text) if kind is not WorkerError else WorkerError(_last_line(text), log=text)

    def _hand_out(self, place: Place, told: Told) -> None:
        assessment = told.copy()
        timestamp = told.record.timestamp
        change = self._joint.rise(timestamp, told.call) if told.call is not None else None
        if change is not None:
            # All are to know it at once.
            self._next_turn = 0.0
        change, self._change = change or self._change, None
        if change is not None:
            assessment = msgspec.structs.replace(assessment, posture=change)
        if isinstance(told.record, AnalystLabel):
            place.asked = [one for one in place.asked if one != told.record]
        self._ready.append(assessment)

    def _reported(self, place: Place, report: Report) -> None:
        place.reported(report)
        self.latest = max(self.latest, report.now)
        if self._change is not None and report.last is not None:
            self._hand_out(place, report.last)

    def _share(self, place: Place, shared: list[Shared]) -> None:
        """Pass on what one worker has learned."""
        for one in shared:
            self._joint.learn(one)
        for other in self._places:
            if other is place:
                other.has_shared(shared)
            else:
                other.share(shared)

    def _pass_labels_on(self) -> None:
        if any(place.is_coming for place in self._places) and not self._stopping:
            return
        while self._labels:
            self._ask(self._labels.popleft(), 0)
        for _ in range(len(self._stranded)):
            self._ask(*self._stranded.popleft())

    def _ask(self, label: AnalystLabel, begin: int) -> None:
        """Ask the next worker that is there about a label; the last one answers in any case."""
        up = [place for place in self._places if place.is_up]
        if not up:
            self._stranded.append((label, 0))
            return
        later = [place for place in up if place.number >= begin] or up[-1:]
        place = later[0]
        place.asked.append(label)
        place.send(Ask(label, place is up[-1]))

    def _answer(self, assessments: Iterable[Assessment]) -> None:
        """Tell analysts what became of the labels that they left."""
        if self._inbox is not None:
            for one in assessments:
                if isinstance(one.record, AnalystLabel):
                    self._inbox.answer(one.record, one.answer)

    def _turn(self, now: float) -> None:
        """Look at the whole."""
        if self._inbox is not None and not self._stopping:
            self._labels.extend(self._inbox.take(self.latest))
        self._decide()
        for place in self._places:
            if place.is_running and place.is_silent(now, self._silence if place.is_up else START):
                self._lost(place, f"it was silent for {self._silence:.0f} seconds")
            elif place.is_due(now) and not self._stopping:
                self._begin_again(place)

    def _decide(self) -> None:
        reports = {place.number: place.report for place in self._places if place.report is not None}
        if self.latest:
            decision = self._joint.decide(
                self.latest,
                {number: report.overview for number, report in reports.items()},
                next((report.processes for report in reports.values()), []),
            )
            self._change = decision.change or self._change
            if decision.focus != self._focus:
                self._focus = decision.focus
                self._lanes.attend(decision.focus)
        for place in self._places:
            place.ask_for_report(Decided(self.latest, self._joint.posture.level, self._focus))

    def _follow_interfaces(self) -> None:
        news: list[AnyRecord] = [*self._lanes.follow()]
        if news:
            self._places[0].send(Add(news))

    def _tell(self) -> None:
        for place in self._places:
            place.send(Tell(self._min_score, self._everything))

    def _begin(self, place: Place, *added: AnyRecord) -> None:
        described = self._lanes.description(place.number)
        state = folders.of_worker(self._state, place.number) if self._state is not None else ""
        begin = Begin(
            worker=place.number,
            workers=len(self._places),
            header=self.header,
            min_score=self._min_score,
            everything=self._everything,
            state=str(state),
            source=described.encode(),
            shared=place.shared(),
            added=list(added),
        )
        place.begin(begin, described.fds())
        self._epoll.register(place.channel.fileno(), select.EPOLLIN)

    def _begin_again(self, place: Place) -> None:
        gap = WorkerGap(timestamp=self.latest, worker=place.number, since=place.kept_until, count=place.gap)
        try:
            self._begin(place, gap)
        except (OSError, PyloaderError) as error:
            _LOG.warning("worker %d cannot begin: %s; it is tried again", place.number, error)
            place.failed(time.monotonic())

    def _ended(self, place: Place) -> None:
        self._epoll.unregister(place.channel.fileno())
        place.kill()

    def _lost(self, place: Place, why: str) -> None:
        """Deal with a worker that has ended before its time, or is to."""
        self._epoll.unregister(place.channel.fileno())
        status = place.kill()
        reason = str(place.error) if place.error is not None else why or _in_words(status)
        _LOG.warning(
            "worker %d has ended: %s; %d records that it had assessed have left no trace%s",
            place.number,
            reason,
            place.gap_now,
            "" if self._stopping else "; another begins in its place",
        )
        if place.error is not None and place.error.log:
            _LOG.warning("worker %d: %s", place.number, place.error.log)
        for label in place.asked:
            self._stranded.append((label, 0))
        place.lost(time.monotonic())


def _in_words(status: int | None) -> str:
    """Return how a process ended."""
    if status is None:
        return "it does not end"
    return f"it was killed by signal {-status}" if status < 0 else f"its exit status is {status}"


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _seed_of(header: Header) -> int:
    return int.from_bytes(blake2b(header.boot_id.encode(), digest_size=8).digest())
