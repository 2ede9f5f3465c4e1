"""Memory that a process made executable.

Drepper's tests for SELinux (execmem, execmod, execheap, execstack) name the ways; how common each is among the
instances of a program decides its weight (`habits`). A process that makes its first code when it already faces the
network is what a loader of injected code looks like: compilers begin before.
"""

from typing import Final, NamedTuple

from pyloader.evidence.areas import place, size
from pyloader.evidence.catalogue import (
    DUAL_MAPPING,
    FACING_CODE,
    MEMORY_FILE_CODE,
    RUN_TIME_CODE,
    STACK_CODE,
    TEXT_RELOCATION,
    Kind,
)
from pyloader.evidence.files import is_temporary
from pyloader.evidence.habits import Habits, instance_of
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.priors import Habit
from pyloader.evidence.programs import Programs, Role
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import MemoryProtection, Technique, text


class _Way(NamedTuple):
    habit: Habit
    kind: Kind
    words: str
    compiles: bool
    """Whether compilers work so, so that it explains the code that comes later."""
    injects: bool
    """Whether it gives a network-facing process code that no file holds."""


_WAYS: Final[dict[int, _Way]] = {
    Technique.WRITABLE: _Way(
        Habit.WRITABLE_CODE, RUN_TIME_CODE, "writable and executable at once", compiles=True, injects=True
    ),
    Technique.WRITTEN: _Way(
        Habit.WRITTEN_CODE, RUN_TIME_CODE, "written before it became executable", compiles=True, injects=True
    ),
    Technique.ANONYMOUS: _Way(
        Habit.ANONYMOUS_CODE, RUN_TIME_CODE, "executable without a file", compiles=True, injects=False
    ),
    Technique.STACK: _Way(Habit.STACK_CODE, STACK_CODE, "executable stack", compiles=False, injects=True),
    Technique.HEAP: _Way(Habit.HEAP_CODE, STACK_CODE, "executable heap", compiles=False, injects=True),
    Technique.TEXT_RELOCATION: _Way(
        Habit.TEXT_RELOCATION, TEXT_RELOCATION, "changed in memory", compiles=False, injects=False
    ),
    Technique.MEMFD: _Way(
        Habit.MEMORY_FILE_CODE, MEMORY_FILE_CODE, "executable without a name", compiles=True, injects=True
    ),
    Technique.DUAL_MAPPING: _Way(
        Habit.DUAL_MAPPING, DUAL_MAPPING, "executable here and writable elsewhere", compiles=True, injects=True
    ),
    Technique.MOVED: _Way(Habit.MOVED_CODE, RUN_TIME_CODE, "moved to another address", compiles=False, injects=False),
}


def compiles(process: Process, programs: Programs) -> bool:
    """Return whether a process runs a program that is known to compile code; what lies in /tmp has no known name."""
    image = process.exe or process.comm
    return programs.named(image).roles & Role.COMPILER != 0 and not is_temporary(image)


def judge_protection(
    record: MemoryProtection, process: Process, habits: Habits, programs: Programs
) -> tuple[Evidence, ...]:
    """Judge memory that became executable, once for every way in which an instance does so."""
    way = _WAYS.get(record.technique)
    if way is None:
        return NOTHING
    traits = process.traits
    facing = record.exposure != 0 or traits & Trait.FACED != 0
    first = facing and way.injects and not traits & Trait.COMPILED
    if record.exposure:
        process.traits |= Trait.FACED
    elif way.compiles and not facing:
        process.traits |= Trait.COMPILED

    made_for_it = compiles(process, programs)
    habit, kind = way.habit, way.kind
    if first:
        habit, kind = Habit.FACING_CODE, FACING_CODE
        # Of what ran before the sensor nobody knows whether this is the first; servers that compile have other names.
        made_for_it = made_for_it or (traits & Trait.EARLIER != 0 and not traits & Trait.SERVER)
    nats = habits.judge(process, habit, record.timestamp, made_for_it=made_for_it)
    if not nats:
        return NOTHING
    instance = instance_of(process)
    if instance is not None:
        instance.voiced = record.timestamp
    behind = f" of {text(record.file)}" if record.file else ""
    what = f"{size(record.length)} of {place(record.address, record.area, record.now)}{behind}, {way.words}"
    return (habits.about(kind, process, habit, what, nats=nats, now=record.timestamp),)
