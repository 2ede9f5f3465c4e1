"""The evidence of memory records."""

from pyloader.evidence.crashes import FAULTS, Crashes
from pyloader.evidence.domain import Handler
from pyloader.evidence.executable_memory import judge_protection
from pyloader.evidence.facilities import judge_request
from pyloader.evidence.fresh_code import judge_execution
from pyloader.evidence.habits import Habits
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.origin import judge_origin
from pyloader.evidence.programs import Programs
from pyloader.evidence.reach import judge_access
from pyloader.evidence.staging import Staging
from pyloader.evidence.traits import Trait
from pyloader.evidence.usage import judge_oom, judge_usage
from pyloader.host import Host, Process
from pyloader.records import (
    CallOrigin,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    MemoryRequest,
    MemoryUsage,
    OomKill,
    ProcessExec,
    ProcessExit,
    ProcessSeen,
    Record,
)


class MemoryEvidence:
    """Turns memory records into evidence. What is habitual it learns from how instances of programs end."""

    def __init__(self, staging: Staging) -> None:
        self._programs = Programs()
        self._habits = Habits(staging)
        self._crashes = Crashes(self._habits)
        self.handlers: dict[type[Record], Handler] = {
            MemoryProtection: self._protection,
            MemoryAccess: self._access,
            MemoryRequest: self._request,
            MemoryFault: self._fault,
            CallOrigin: self._origin,
            MemoryUsage: self._usage,
            OomKill: self._oom,
            ProcessExec: self._executed,
            ProcessExit: self._exited,
            ProcessSeen: self._seen,
        }

    @property
    def learned(self) -> dict[str, object]:
        """What was learned, by name."""
        return {"habits": self._habits.rates}

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {
            "images": self._programs.evicted,
            "habits": self._habits.evicted,
            "storms": self._crashes.evicted,
        }

    def _protection(self, record: MemoryProtection, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return judge_protection(record, process, self._habits, self._programs)

    def _access(self, record: MemoryAccess, process: Process, host: Host) -> tuple[Evidence, ...]:
        return judge_access(record, process, host, self._habits, self._programs)

    def _request(self, record: MemoryRequest, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return judge_request(record, process, self._habits)

    def _fault(self, record: MemoryFault, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return self._crashes.judge(record, process)

    def _origin(self, record: CallOrigin, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return judge_origin(record, process, self._habits, self._programs)

    def _usage(self, record: MemoryUsage, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return judge_usage(record, process, self._habits)

    def _oom(self, record: OomKill, process: Process, _host: Host) -> tuple[Evidence, ...]:
        return judge_oom(record, process, self._habits)

    def _executed(self, record: ProcessExec, process: Process, _host: Host) -> tuple[Evidence, ...]:
        parent = process.parent
        if process.habits is None and (parent is None or parent.habits is None):
            return NOTHING
        found = judge_execution(record, process)
        self._habits.replaced(process, record.timestamp)
        return found

    def _exited(self, record: ProcessExit, process: Process, _host: Host) -> tuple[Evidence, ...]:
        if process.habits is None:
            self._habits.counted(process, record.timestamp)
        else:
            self._habits.ended(process, record.timestamp, crashed=record.signal in FAULTS)
        return NOTHING

    def _seen(self, _record: ProcessSeen, process: Process, _host: Host) -> tuple[Evidence, ...]:
        process.traits |= Trait.EARLIER
        return NOTHING
