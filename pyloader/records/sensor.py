"""Records that the sensor itself puts into the stream.

Whatever the stages after the reader know of the host comes to them as a record, so that a recording holds all of it
and its replay gives the same verdicts.
"""

from typing import TypeAlias

from pyloader.records.network import Traffic
from pyloader.records.process import CredentialChange, ProcessExec, ProcessExit, ProcessFork
from pyloader.records.wire import U8, U32, U64, Arguments, Comm, Counts, FileName, Path, Record


class EventLoss(Record, frozen=True, tag=64):
    """`count` records of type `lost` could not be delivered on `cpu` since the last report."""

    lost: U32
    """The tag of the lost record type."""
    cpu: U32
    count: U64


class ProcessSeen(Record, frozen=True, tag=65):
    """A process that ran before the sensor started, as /proc shows it."""

    pid: U32
    ppid: U32
    start: U64
    """As in `ProcessExec`, but rounded down to the clock tick of /proc/PID/stat."""
    session: U32
    uid: U32
    cgroup: U64
    comm: Comm
    exe: Path
    args: Arguments


class CgroupSeen(Record, frozen=True, tag=66):
    """The path of a control group, told once before the first record that names its id."""

    cgroup: U64
    path: FileName


class Malformed(Record, frozen=True, tag=67):
    """Bytes from the kernel that are no record of this version; kept for the one who looks for the reason."""

    raw: Arguments


class HookInUse(Record, frozen=True, tag=68):
    """How a monitor observes something on this host: the rung of a hook's ladder that holds."""

    monitor: FileName
    hook: FileName
    rung: FileName
    blind_to: FileName
    """What this rung cannot see and a better one can, or empty."""
    cost: FileName
    """What this rung costs beyond the events themselves, or empty."""


class NetworkTraffic(Record, frozen=True, tag=69):
    """What all packets on the watched interfaces came to since the last record of this type."""

    interval: U64
    """Nanoseconds since then."""
    counts: Counts
    """64 bits for each `Traffic`."""
    dispersion: Counts
    """32 bits for each of 256 classes of sources, by a secret hash of the address: their packets."""
    peak: U64
    """Most packets in any window of `peak_window` nanoseconds."""
    peak_window: U64

    def count(self, what: Traffic | int) -> int:
        """Return one count, for example `Traffic.ANOMALY + Anomaly.LAND`. What an older version did not count is 0."""
        return int.from_bytes(self.counts[8 * what : 8 * what + 8], "big")


class AnalystLabel(Record, frozen=True, tag=70):
    """What an analyst says of an alert. It stands in the stream since the verdicts after it depend on it."""

    label: U8
    """0 takes back what was said before, 1 is benign, 2 malicious."""
    alert: FileName
    """The id of the alert."""
    note: FileName


class WorkerGap(Record, frozen=True, tag=72):
    """A worker ended before its time, and another has begun in its place."""

    worker: U32
    since: U64
    """What it learned from later records than these (ns) is gone; 0 if nothing was kept at all."""
    count: U64
    """So many records it had assessed since then, as far as it said; what it had taken and not finished is unknown."""


OfHost: TypeAlias = ProcessExec | ProcessFork | ProcessExit | CredentialChange | ProcessSeen | CgroupSeen
"""What every worker must know of the host, whoever judges it."""


class Elsewhere(Record, frozen=True, tag=71):
    """A record that another worker judges. It changes what is known of the host, and is judged by nobody here.

    Of several workers exactly one gets the record itself, and all others get it in this form.
    """

    record: OfHost

    @classmethod
    def of(cls, record: OfHost) -> "Elsewhere":
        """Return a record as those get it who do not judge it."""
        return cls(record.timestamp, record)
