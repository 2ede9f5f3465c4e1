"""The place of one worker: the process that holds it now, and what is known of those before."""

import socket
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from pyloader.errors import PyloaderError
from pyloader.records import AnalystLabel
from pyloader.scorer.sharing import Shared
from pyloader.workers.channel import Channel
from pyloader.workers.messages import Begin, Decided, FromWorker, Kept, Learn, Report
from pyloader.workers.tally import Tally

SHARED: Final = 4_096
"""So much of what was shared since its last snapshot the next worker is told; of more, the latest."""

WELL: Final = 60.0
"""Seconds after which a worker that runs has outlived the failures before."""

LONGEST_PAUSE: Final = 60.0
MOST_WAITING: Final = 256 * 1024 * 1024
"""Bytes that wait for a worker; one that takes nothing while so much comes is silent."""

_PATIENCE: Final = 5.0


class Place:
    """One of the places. Times are of the monotonic clock, in seconds, but where it says ns of the records.

    `is_running` is whether there is a process, `is_up` whether it reads. `asked` are labels that it was asked about.
    `kept_until` is up to when its last snapshot holds what was learned (ns, records).
    """

    def __init__(self, number: int, command: Sequence[str]) -> None:
        self.number = number
        self.tally = Tally(number)
        self.is_running = self.is_up = self.has_ended = False
        self.error: PyloaderError | None = None
        self.report: Report | None = None
        self.asked: list[AnalystLabel] = []
        self.kept_until = 0
        self.gap = 0
        """How many records the last one that was lost had assessed since its last snapshot."""
        self._kept_records = 0
        self._since_kept: deque[tuple[int, Shared]] = deque(maxlen=SHARED)
        """What was shared since its last snapshot: by others as the how manieth that it was told, by itself as 0."""
        self._passed_on = 0
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel[FromWorker] | None = None
        self._unanswered_since: float | None = None
        self.began = 0.0
        self._failures = 0
        self._due: float | None = None

    @property
    def channel(self) -> Channel[FromWorker]:
        """The way to the process that runs."""
        if self._channel is None:
            message = f"worker {self.number} does not run"
            raise RuntimeError(message)
        return self._channel

    @property
    def pid(self) -> int:
        """The id of the process, or 0 if none runs."""
        return self._process.pid if self._process is not None else 0

    @property
    def gap_now(self) -> int:
        """How many records the worker has assessed, as far as it said, since its last snapshot."""
        return max(0, self.tally.records - self._kept_records)

    @property
    def is_coming(self) -> bool:
        """Whether somebody is about to begin here who may know what the last one knew."""
        return not (self.is_up or self.has_ended) and self._failures <= 1

    def shared(self) -> list[Shared]:
        """Return what the next worker must be told, since no snapshot holds it."""
        return [one for _, one in self._since_kept]

    def share(self, shared: Sequence[Shared]) -> None:
        """Pass on what another worker has shared."""
        for number, one in enumerate(shared, self._passed_on + 1):
            self._since_kept.append((number, one))
        self._passed_on += len(shared)
        self.send(Learn(list(shared)))

    def has_shared(self, shared: Sequence[Shared]) -> None:
        """Note what the worker itself has shared."""
        self._since_kept.extend((0, one) for one in shared)

    def begin(self, begin: Begin, descriptors: Sequence[int]) -> None:
        """Start a process in this place. Raises `OSError`."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [*self._command, str(theirs.fileno())],
                    pass_fds=[theirs.fileno(), *descriptors],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                )
            except BaseException:
                ours.close()
                raise
        self._channel = Channel(ours, FromWorker)
        self.began = time.monotonic()
        self._unanswered_since = self.began
        self._due = None
        # The beginner counts anew, from what it is told at the beginning.
        self._passed_on = len(begin.shared)
        self._since_kept = deque(enumerate(begin.shared, 1), maxlen=SHARED)
        self.is_running, self.is_up, self.has_ended = True, False, False
        self.error = self.report = None
        self.send(begin)

    def send(self, message: object) -> None:
        """Send a message, if there is somebody; one that dies meanwhile is noticed when its messages are read."""
        if self.is_running:
            try:
                self.channel.send(message)
            except EOFError:
                return

    def ask_for_report(self, decided: Decided) -> None:
        """Say what was decided; the answer is a report."""
        if self.is_up:
            if self._unanswered_since is None:
                self._unanswered_since = time.monotonic()
            self.send(decided)

    def reported(self, report: Report) -> None:
        """Take in a report."""
        self.report = report
        self.tally.reported(report)
        self._unanswered_since = None

    def kept(self, kept: Kept) -> None:
        """Note what a snapshot holds."""
        self._kept_records, self.kept_until = kept.records, kept.latest
        left = [(number, one) for number, one in self._since_kept if number > kept.learned]
        self._since_kept = deque(left, maxlen=SHARED)

    def is_silent(self, now: float, patience: float) -> bool:
        """Return whether the worker has left a question unanswered for so many seconds, or takes nothing."""
        unanswered = self._unanswered_since is not None and now - self._unanswered_since > patience
        return unanswered or self.channel.waiting > MOST_WAITING

    def is_due(self, now: float) -> bool:
        """Return whether it is time to begin again."""
        return self._due is not None and now >= self._due

    def lost(self, now: float) -> None:
        """Plan to begin again."""
        self.gap = self.gap_now
        self.tally.replaced(self.gap)
        self._kept_records = 0
        self.asked = []
        if now - self.began > WELL:
            self._failures = 0
        self.failed(now)

    def failed(self, now: float) -> None:
        """Begin again at once for the first time, and then after ever longer pauses."""
        pause = 0.0 if self._failures == 0 else min(LONGEST_PAUSE, 2.0 ** (self._failures - 1))
        self._failures += 1
        self._due = now + pause

    def kill(self) -> int | None:
        """End the process, if there is one, and return its exit status."""
        self.is_running = self.is_up = False
        self.report = None
        process, self._process = self._process, None
        if self._channel is not None:
            self._channel.close()
        if process is None:
            return None
        if self.has_ended:
            try:
                return process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                pass
        process.kill()
        return process.wait()
