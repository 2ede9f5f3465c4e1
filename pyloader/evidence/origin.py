"""System calls from where calls of compiled programs do not come from.

The instruction lies in memory without a file (injected code), or the stack pointer outside of every stack (a chain of
return addresses, planted elsewhere). Compilers that inline system calls and libraries with stacks of their own do the
same: both are habits of their programs.
"""

from typing import Final

from pyloader.evidence.areas import place
from pyloader.evidence.catalogue import (
    CALL_FROM_FRESH_CODE,
    CALL_FROM_MEMORY,
    FOREIGN_STACK,
    STACK_PIVOT,
    Kind,
)
from pyloader.evidence.executable_memory import compiles
from pyloader.evidence.fresh_code import judge_call
from pyloader.evidence.habits import Habits
from pyloader.evidence.item import Evidence
from pyloader.evidence.priors import Habit
from pyloader.evidence.programs import Programs
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import Area, Call, CallOrigin, Protection, Suspicion

_CODE: Final = int(Suspicion.CODE)
_STACK: Final = int(Suspicion.STACK)
_FRESH_CODE: Final = int(Suspicion.FRESH_CODE)
_EXECUTE: Final = int(Protection.EXECUTE)

_CALLS: Final[dict[int, str]] = {
    Call.EXEC: "exec",
    Call.PROTECT: "mprotect",
    Call.MAP: "mmap",
    Call.CONNECT: "connect",
}
_DECISIVE: Final = frozenset({int(Call.EXEC), int(Call.PROTECT)})
"""What a chain of return addresses is there for: a shell, or executable memory for what comes next."""

_ACTS: Final = frozenset({int(Call.EXEC), int(Call.CONNECT)})

_GO_STACKS: Final = range(0xC0_0000_0000, 0xC8_0000_0000)
"""Where Go keeps the stacks of goroutines on 64-bit machines (`arenaHint` in runtime/malloc.go)."""


def judge_origin(record: CallOrigin, process: Process, habits: Habits, programs: Programs) -> tuple[Evidence, ...]:
    """Judge where a system call came from, once for every oddity that an instance shows."""
    if record.exposure:
        process.traits |= Trait.FACED
    found: list[Evidence] = []
    suspicions = record.suspicions
    call = _CALLS.get(record.call, "a call")
    made_for_it = suspicions & (_CODE | _STACK) != 0 and compiles(process, programs)
    if suspicions & _CODE:
        kind, habit = CALL_FROM_MEMORY, Habit.CALL_FROM_MEMORY
        if suspicions & _FRESH_CODE and record.call in _ACTS:
            kind, habit = CALL_FROM_FRESH_CODE, Habit.CALL_FROM_FRESH_CODE
        nats = habits.judge(process, habit, record.timestamp, made_for_it=made_for_it)
        if nats:
            where = place(record.ip, record.ip_area, record.ip_protection)
            found.append(habits.about(kind, process, habit, f"{call} in {where}", nats=nats, now=record.timestamp))
    if suspicions & _STACK and not _is_goroutine(record):
        kind, habit = _stack(record)
        nats = habits.judge(process, habit, record.timestamp, made_for_it=made_for_it)
        if nats:
            where = place(record.sp, record.sp_area, record.sp_protection)
            found.append(habits.about(kind, process, habit, f"{call} on {where}", nats=nats, now=record.timestamp))
    found += judge_call(record, process)
    return tuple(found)


def _stack(record: CallOrigin) -> tuple[Kind, Habit]:
    """Return what a foreign stack is taken for."""
    decisive = record.call in _DECISIVE
    if record.sp_protection & _EXECUTE or (decisive and record.sp_area == Area.HEAP):
        return STACK_PIVOT, Habit.EXECUTABLE_STACK
    return FOREIGN_STACK, Habit.FOREIGN_STACK if decisive else Habit.FIBER


def _is_goroutine(record: CallOrigin) -> bool:
    return record.sp_area == Area.ANONYMOUS and record.sp in _GO_STACKS and not record.sp_protection & _EXECUTE
