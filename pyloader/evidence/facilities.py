"""Facilities of the kernel that exploits like.

With userfaultfd a process decides how long a page fault takes, those inside the kernel as well unless it asked for
faults of user mode only (UFFD_USER_MODE_ONLY, Linux 5.11). An anonymous memory file is everyday; what is run from it,
or mapped from it as code, is judged where that happens.
"""

from typing import Final

from pyloader.evidence.catalogue import USERFAULTFD
from pyloader.evidence.habits import Habits
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.priors import Habit
from pyloader.host import Process
from pyloader.records import Facility, MemoryRequest

_USER_MODE_ONLY: Final = 1


def judge_request(record: MemoryRequest, process: Process, habits: Habits) -> tuple[Evidence, ...]:
    """Judge a request, once per instance. Who may look into every process anyway gains nothing by userfaultfd."""
    if record.facility != Facility.USERFAULTFD or record.privileged:
        return NOTHING
    limited = record.flags & _USER_MODE_ONLY
    habit = Habit.USERFAULTFD_LIMITED if limited else Habit.USERFAULTFD
    nats = habits.judge(process, habit, record.timestamp)
    if not nats:
        return NOTHING
    what = ", those of user mode only" if limited else ""
    return (habits.about(USERFAULTFD, process, habit, what, nats=nats, now=record.timestamp),)
