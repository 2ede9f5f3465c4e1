"""How much memory processes use, and who is killed for want of it: it explains, and weighs little."""

from typing import Final

from pyloader.evidence.areas import size
from pyloader.evidence.catalogue import MEMORY_BURST, OUT_OF_MEMORY
from pyloader.evidence.habits import Habits
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.priors import Habit
from pyloader.host import Process
from pyloader.records import MemoryUsage, OomKill, OomScope, UsageReason, text

_RESIDENT: Final = int(UsageReason.RESIDENT)
_MAPPED: Final = int(UsageReason.MAPPED)

BURST_BYTES: Final = 1 << 30
BURST_NS: Final = 60 * 1_000_000_000
"""A burst is a GiB within a minute after the process was first seen."""


def judge_usage(record: MemoryUsage, process: Process, habits: Habits) -> tuple[Evidence, ...]:
    """Judge a process that fills or maps very much memory right after its start, as the spraying of a heap does."""
    resident = record.reasons & _RESIDENT and record.resident >= BURST_BYTES
    mapped = record.reasons & _MAPPED and record.mapped - record.unmapped >= BURST_BYTES
    if not (resident or mapped) or record.duration > BURST_NS:
        return NOTHING
    nats = habits.judge(process, Habit.MEMORY_BURST, record.timestamp)
    if not nats:
        return NOTHING
    what = f"{size(record.resident)} of {size(record.virtual)} in {record.duration / 1e9:.2g} s"
    return (habits.about(MEMORY_BURST, process, Habit.MEMORY_BURST, what, nats=nats, now=record.timestamp),)


def judge_oom(record: OomKill, process: Process, habits: Habits) -> tuple[Evidence, ...]:
    """Tell that a process was killed, and which limit or whose demand it fell to."""
    nats = habits.judge(process, Habit.OUT_OF_MEMORY, record.timestamp)
    if not nats:
        return NOTHING
    if record.scope == OomScope.CGROUP:
        why = f": its control group may have {size(record.limit)}"
    else:
        why = f" that {text(record.cause_comm)} (pid {record.cause_pid}) asked for"
    return (habits.about(OUT_OF_MEMORY, process, Habit.OUT_OF_MEMORY, why, nats=nats, now=record.timestamp),)
