"""One host, scored from the messages of its thin sensor: from a message to its assessments, with no network in sight.

The messages of a host come in order, but some may come twice, for a sensor sends again what was not acknowledged, and
some not at all. What came before is known by its identifier and left out; what a sensor had to give up it announces as
a gap, which the scorer takes for a loss like the kernel's own. So verdicts depend on nothing but the messages, and
whoever takes over, from what was kept and the messages after it, finds the same alerts under the same identifiers.
"""

from collections import Counter
from hashlib import blake2b
from typing import Any, Final

import msgspec

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.errors import StateError
from pyloader.nats.tail_payloads import PayloadError, told
from pyloader.pipeline import Assessment, Pipeline
from pyloader.records import AnyRecord, EventLoss, Record
from pyloader.records.recording import Header
from pyloader.state.keeper import TOO_MANY_FAULTS

SCORED: Final = "records"
NO_HEADER: Final = "records before any header"
REPEATED: Final = "records sent again"
LOST: Final = "records lost on the way"
DAMAGED: Final = "damaged states"
UNKEPT: Final = "states that could not be kept"

_UNKNOWN: Final = 0
"""The type of a record that was lost on the way: nobody can know it."""

_REMEMBERED: Final = 16_384
"""As many records of a host are known again: more than a sensor has on its way at once."""

_DIGEST: Final = 8

_CLOCK_NS: Final = 1_000_000_000
"""A clock that was set by less makes no difference to dates."""


class _Known(msgspec.Struct, frozen=True):
    """All that is known of a host; `seen` holds digests of the latest identifiers, back to back."""

    header: Header | None
    latest: int
    seen: bytes
    pipeline: bytes


def _is_same_run(one: Header, other: Header) -> bool:
    """Return whether two headers say the same of time and host.

    Each run of a sensor measures the clock anew, and two may run beside each other.
    """
    return one.boot_id == other.boot_id and abs(one.realtime_offset - other.realtime_offset) < _CLOCK_NS


class HostScoring:
    """What is known of one host. `counts` gets what came of its messages, by the names above and those of bad payloads.

    Whoever scores messages again that were scored and counted before exchanges it meanwhile.
    """

    def __init__(self, counts: Counter[str], *, min_score: float = MEDIUM_FROM) -> None:
        self.counts = counts
        self.header: Header | None = None
        self._min_score = min_score
        self._pipeline: Pipeline | None = None
        self._seen: dict[bytes, None] = {}
        self._latest = 0
        """The time of the last record (ns)."""
        self._faults_before = 0
        self._is_brought_back = False

    def take(self, data: bytes, identifier: str) -> Assessment | None:
        """Take in one message with its identifier, which may be empty, and return the assessment if it is a record."""
        try:
            said = told(data)
        except PayloadError as error:
            self.counts[error.kind] += 1
            return None
        if isinstance(said, Record):
            return self._take_record(said, identifier)
        if isinstance(said, Header):
            self._begin(said)
        elif isinstance(said, dict) and said["type"] == "gap":
            self._take_gap(said)
        return None

    def save(self) -> bytes:
        """Return all that is known, for `restore`. Raises `StateError` if it cannot be kept."""
        saved = self._pipeline.save() if self._pipeline is not None else b""
        return msgspec.msgpack.encode(_Known(self.header, self._latest, b"".join(self._seen), saved))

    def restore(self, saved: bytes) -> None:
        """Bring back what another one knew, into one that has not yet seen a message.

        Raises `StateError` if the bytes are damaged; this one is then of no more use.
        """
        try:
            known = msgspec.msgpack.decode(saved, type=_Known)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            message = "what is known of a host is damaged"
            raise StateError(message) from error
        self._latest = known.latest
        self._seen = dict.fromkeys(known.seen[at : at + _DIGEST] for at in range(0, len(known.seen), _DIGEST))
        if known.header is not None:
            self.header = known.header
            self._pipeline = Pipeline(known.header, min_score=self._min_score)
            self._pipeline.restore(known.pipeline, same_boot=True)
            self._faults_before = self._pipeline.faults
            self._is_brought_back = True

    def _begin(self, header: Header) -> None:
        """Go on with a run of the host's sensor, which may be another than before, and even in another boot."""
        if self.header is not None and _is_same_run(header, self.header):
            return
        before, pipeline = self._pipeline, Pipeline(header, min_score=self._min_score)
        if before is not None and self.header is not None:
            # Of another boot only what was learned outlives, as on a host that scores by itself.
            is_same_boot = header.boot_id == self.header.boot_id
            try:
                pipeline.restore(before.save(), same_boot=is_same_boot)
            except StateError:
                self.counts[DAMAGED] += 1
                pipeline = Pipeline(header, min_score=self._min_score)
            pipeline.begin_run()
            self._latest = self._latest if is_same_boot else 0
        self.header, self._pipeline = header, pipeline
        self._faults_before = 0

    def _take_record(self, record: AnyRecord, identifier: str) -> Assessment | None:
        pipeline = self._pipeline
        if pipeline is None or self.header is None:
            self.counts[NO_HEADER] += 1
            return None
        if identifier and not self._is_news(identifier):
            self.counts[REPEATED] += 1
            return None
        self.counts[SCORED] += 1
        self._latest = record.timestamp
        assessment = pipeline.assess(record)
        if self._is_brought_back and pipeline.faults - self._faults_before >= TOO_MANY_FAULTS:
            # What another version has kept may be of no use to this one.
            self._is_brought_back = False
            self.counts[DAMAGED] += 1
            self._pipeline = Pipeline(self.header, min_score=self._min_score)
        return assessment

    def _take_gap(self, gap: dict[str, Any]) -> None:
        """Take in that records of this boot were given up."""
        count = gap.get("count")
        if not isinstance(count, int) or isinstance(count, bool) or not 0 < count < 1 << 64:
            self.counts["malformed object"] += 1
        elif gap.get("lost") == "record" and self.header is not None and gap.get("boot_id") == self.header.boot_id:
            self.counts[LOST] += count
            if self._pipeline is not None:
                self._pipeline.assess(EventLoss(timestamp=self._latest, lost=_UNKNOWN, cpu=0, count=count))

    def _is_news(self, identifier: str) -> bool:
        """Return whether this is not among the latest identifiers; from now on it is."""
        digest = blake2b(identifier.encode(), digest_size=_DIGEST).digest()
        if digest in self._seen:
            return False
        if len(self._seen) >= _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self._seen[digest] = None
        return True
