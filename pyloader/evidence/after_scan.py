"""What follows a scan: the packet side and the process side of one attack, joined.

A source that scanned and is then let in by a process, which then starts a program, has found what it looked for. The
evidence is about the source, so that it comes into the episode of its scan and names the process.
"""

from typing import Final

from pyloader.evidence.catalogue import named
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.network_kinds import CHILD_AFTER_SCAN, SCANNER_ACCEPTED
from pyloader.evidence.programs import Programs, Role
from pyloader.evidence.scans import SCANS, contacts_of, is_scanner
from pyloader.host import Activity, Host, Process, Source
from pyloader.records import ConnectionOpened, Direction, Outcome, ProcessExec

SPAN_NS: Final = 600 * 1_000_000_000
"""So long after it let the scanner in, what a process starts is taken for a consequence."""

_INBOUND: Final = int(Direction.INBOUND)
_ESTABLISHED: Final = int(Outcome.ESTABLISHED)

_GIVES_PROGRAMS: Final = Role.TERMINAL | Role.INETD
"""Programs that start another one for everyone who comes."""


class AfterScan:
    """The processes that let a scanner in; the oldest leaves first when `capacity` is reached."""

    def __init__(self, capacity: int = 1_024) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._programs = Programs()
        self._let_in: dict[Process, tuple[int, Activity]] = {}

    def opened(self, record: ConnectionOpened, process: Process, host: Host) -> tuple[Evidence, ...]:
        """Judge a connection that a process took up."""
        if record.direction != _INBOUND or record.outcome != _ESTABLISHED:
            return NOTHING
        source = host.sources.get(record.remote_address)
        if source is None:
            return NOTHING
        activity = _scan_of(source, host)
        if activity is None:
            return NOTHING
        known = self._let_in.pop(process, None)
        if known is None and len(self._let_in) >= self.capacity:
            del self._let_in[next(iter(self._let_in))]
            self.evicted += 1
        self._let_in[process] = (record.timestamp, activity)
        if known is not None:
            return NOTHING
        return (SCANNER_ACCEPTED.about(activity, f"{named(process)} at port {record.local_port}"),)

    def executed(self, record: ProcessExec, process: Process, _host: Host) -> tuple[Evidence, ...]:
        """Judge a program by who started it, or was it before."""
        if not self._let_in:
            return NOTHING
        for one in (process, process.parent):
            if one is None or one not in self._let_in:
                continue
            seen, activity = self._let_in[one]
            if record.timestamp - seen > SPAN_NS:
                del self._let_in[one]
            elif not self._programs.of(one)[0].roles & _GIVES_PROGRAMS:
                by = f" by {named(one)}" if one is not process else ""
                return (CHILD_AFTER_SCAN.about(activity, f"{named(process)}{by}"),)
        return NOTHING


def _scan_of(source: Source, host: Host) -> Activity | None:
    """Return the scan that a source, or its network, was told of."""
    for one in (source, host.sources.network_of(source)):
        if one is not None and is_scanner(one):
            for kind, attempt in contacts_of(one).attempts.items():
                if attempt.told and kind in SCANS:
                    return one.activity(kind)
    return None
