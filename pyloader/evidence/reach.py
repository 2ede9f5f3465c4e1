"""Reaching into another process: ptrace, process_vm_writev and its like, /proc/PID/mem.

The relation counts. Whoever reaches into its own descendant has made it for that, as debuggers and sandboxes do; a
stranger has no business there, unless it is a debugger.
"""

from typing import Final, NamedTuple

from pyloader.evidence.catalogue import (
    KEEPER_READ,
    MEMORY_COPIED,
    MEMORY_FILE_OPENED,
    MEMORY_FILE_READ,
    MEMORY_FILE_WRITTEN,
    MEMORY_WRITTEN,
    OWN_MEMORY_WRITTEN,
    PROCESS_ATTACHED,
    PROCESS_TAMPERED,
    REACH_REFUSED,
    Kind,
    shown,
)
from pyloader.evidence.files import is_temporary
from pyloader.evidence.habits import Habits
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.priors import Habit
from pyloader.evidence.programs import Programs, Role
from pyloader.host import Host, Process
from pyloader.records import AccessMethod, MemoryAccess, text


class _Reach(NamedTuple):
    habit: Habit
    kind: Kind
    verb: str
    changes: bool


_REACHES: Final[dict[int, _Reach]] = {
    AccessMethod.ATTACH: _Reach(Habit.ATTACH, PROCESS_ATTACHED, "attach to", changes=False),
    AccessMethod.POKE: _Reach(Habit.TAMPER, PROCESS_TAMPERED, "write words to", changes=True),
    AccessMethod.SET_REGISTERS: _Reach(Habit.TAMPER, PROCESS_TAMPERED, "change the registers of", changes=True),
    AccessMethod.VM_READ: _Reach(Habit.READ, MEMORY_COPIED, "read the memory of", changes=False),
    AccessMethod.VM_WRITE: _Reach(Habit.WRITE, MEMORY_WRITTEN, "write to the memory of", changes=True),
    AccessMethod.OPEN: _Reach(Habit.OPEN, MEMORY_FILE_OPENED, "open the memory file of", changes=True),
    AccessMethod.WRITE: _Reach(Habit.WRITE, MEMORY_FILE_WRITTEN, "write to the memory file of", changes=True),
    AccessMethod.OPEN_TO_READ: _Reach(Habit.OPEN_TO_READ, MEMORY_FILE_READ, "read the memory file of", changes=False),
}


def judge_access(
    record: MemoryAccess, process: Process, host: Host, habits: Habits, programs: Programs
) -> tuple[Evidence, ...]:
    """Judge how a process reached into one that does not descend from it, once per instance and method."""
    reach = _REACHES.get(record.method)
    if reach is None or record.descent:
        return NOTHING
    if record.target_pid == record.pid:
        return _judge_own(record, process, habits, programs)
    target = host.processes.get(record.target_pid)
    if target is not None and target.start != record.target_start:
        target = None
    habit, kind = reach.habit, reach.kind
    name = target.exe if target is not None and target.exe else text(record.target_comm)
    who = f"{shown(text(record.target_comm)) or 'a process'} (pid {record.target_pid})"
    if habit in _OF_KEEPERS and programs.named(name).roles & Role.KEEPER:
        habit, kind = _OF_KEEPERS[habit], KEEPER_READ
    if record.error:
        habit = Habit.REFUSED_WRITE if reach.changes else Habit.REFUSED_READ
        kind, who = REACH_REFUSED, f"{reach.verb} {who}"
    made_for_it = _traces(process, programs) or _is_kin(record, process, target, reach)
    nats = habits.judge(process, habit, record.timestamp, made_for_it=made_for_it)
    return (habits.about(kind, process, habit, who, nats=nats, now=record.timestamp),) if nats else NOTHING


def _judge_own(record: MemoryAccess, process: Process, habits: Habits, programs: Programs) -> tuple[Evidence, ...]:
    """Judge a process that wrote to its own memory as a file, which goes around the protection of its pages.

    So does ddexec to load a program without executing it, and so did Dirty COW (CVE-2016-5195).
    gdb tries at its start whether it can.
    """
    if record.method != AccessMethod.WRITE:
        return NOTHING
    made_for_it = _traces(process, programs)
    habit, now = Habit.OWN_MEMORY_FILE, record.timestamp
    nats = habits.judge(process, habit, now, made_for_it=made_for_it)
    return (habits.about(OWN_MEMORY_WRITTEN, process, habit, "", nats=nats, now=now),) if nats else NOTHING


def _traces(process: Process, programs: Programs) -> bool:
    image = process.exe or process.comm
    return programs.named(image).roles & Role.TRACER != 0 and not is_temporary(image)


def _is_kin(record: MemoryAccess, process: Process, target: Process | None, reach: _Reach) -> bool:
    """Return whether the target is near enough to explain the method.

    A handler of crashes looks at its parent, and the ranks of a parallel program copy between each other.
    """
    if record.target_pid == record.ppid:
        return not reach.changes
    ranks = record.method in _COPIES and record.target_ppid == record.ppid and record.target_uid == record.uid
    return ranks and target is not None and process.exe != "" and process.exe == target.exe


_OF_KEEPERS: Final = {
    Habit.READ: Habit.READ_KEEPER,
    Habit.OPEN: Habit.OPEN_KEEPER,
    Habit.OPEN_TO_READ: Habit.OPEN_KEEPER,
}
"""What it means instead to do this to a program that holds passwords or keys: a debugger dumps it with them."""

_COPIES: Final = frozenset({int(AccessMethod.VM_READ), int(AccessMethod.VM_WRITE)})
