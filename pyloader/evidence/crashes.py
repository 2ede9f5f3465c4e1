"""Fatal faults: one by itself, and many as a storm.

A single crash is a bug until shown otherwise. It says more when a check of the C library stopped the process, when
the processor was sent to where no code is, and when whoever caused it sits at the other end of a network.
"""

from typing import Final, NamedTuple

from pyloader.evidence.areas import place
from pyloader.evidence.catalogue import (
    CRASH_LOOP,
    CRASH_STORM,
    CRASHED,
    HEAP_CORRUPTED,
    JUMP_TO_DATA,
    JUMP_TO_NOTHING,
    PRIVILEGED_CRASH_STORM,
    STACK_SMASHED,
    Kind,
)
from pyloader.evidence.habits import Habits
from pyloader.evidence.item import NOTHING, Evidence
from pyloader.evidence.priors import Habit
from pyloader.evidence.storms import Spot, Storm, StormTable
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import Area, ExecFlag, MemoryFault, Protection, text

FAULTS: Final[dict[int, str]] = {
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    11: "SIGSEGV",
    31: "SIGSYS",
}
"""The signals of faults, as Linux numbers them on x86 and ARM."""

_STACK_MESSAGES: Final = ("*** stack smashing detected", "*** buffer overflow detected")
_HEAP_MESSAGES: Final = ("double free", "malloc(): ", "free(): ", "realloc(): ", "corrupted")

_NULL_PAGES: Final = 65_536
"""Nothing can be mapped below (vm.mmap_min_addr): a call through a null pointer ends here."""

_SETUID: Final = int(ExecFlag.SETUID)
_EXECUTE: Final = int(Protection.EXECUTE)
_MEMORY_FAULTS: Final = frozenset({7, 11})


class _Fault(NamedTuple):
    kind: Kind
    habit: Habit
    facing: Habit


_CRASHED: Final = _Fault(CRASHED, Habit.CRASH, Habit.CRASH_FACING)
_SMASHED: Final = _Fault(STACK_SMASHED, Habit.SMASHED, Habit.SMASHED_FACING)
_CORRUPTED: Final = _Fault(HEAP_CORRUPTED, Habit.CORRUPTED, Habit.CORRUPTED_FACING)
_TO_DATA: Final = _Fault(JUMP_TO_DATA, Habit.JUMP_TO_DATA, Habit.JUMP_TO_DATA_FACING)
_TO_NOTHING: Final = _Fault(JUMP_TO_NOTHING, Habit.JUMP_TO_NOTHING, Habit.JUMP_TO_NOTHING_FACING)


class Crashes:
    """Judges fatal faults. Storms are counted by executable and control group, and by whose children crash."""

    def __init__(self, habits: Habits, capacity: int = 4_096) -> None:
        self._habits = habits
        self._images = StormTable(capacity)
        self._origins = StormTable(capacity)

    @property
    def evicted(self) -> int:
        """How many storms were forgotten for want of room."""
        return self._images.evicted + self._origins.evicted

    def judge(self, record: MemoryFault, process: Process) -> tuple[Evidence, ...]:
        """Judge a fault. One that the process handles is its own affair."""
        if record.exposure:
            process.traits |= Trait.FACED
        if record.handled:
            return NOTHING
        now = record.timestamp
        parent = process.parent
        facing = process.traits & Trait.FACED != 0 or (parent is not None and parent.traits & Trait.FACED != 0)
        origin = _origin(process)
        spot = Spot(record.file, record.ip)
        storm = self._count(process, origin, spot, now)
        privileged = process.flags & _SETUID != 0
        nats = storm.nats(facing=facing, bounded=facing or privileged)
        if storm.tell(nats, now):
            kind = CRASH_STORM if facing else PRIVILEGED_CRASH_STORM if privileged else CRASH_LOOP
            about = origin if origin is not None and _same_image(process, origin) else process
            return (kind.about(about, _described(storm, record), nats),)
        if storm.told:
            return NOTHING
        fault = _classified(record)
        habit = fault.facing if facing else fault.habit
        weight = self._habits.judge(process, habit, now)
        if not weight:
            return NOTHING
        return (self._habits.about(fault.kind, process, habit, _what(record, fault.kind), nats=weight, now=now),)

    def _count(self, process: Process, origin: Process | None, spot: Spot, now: int) -> Storm:
        """Count a crash under both keys, and return the storm that is worse."""
        image = process.exe or process.comm
        forked = origin is not None and _same_image(process, origin)
        storm = self._images.at((image, process.cgroup, 0))
        storm.crashed(spot, now, one_layout=forked)
        if origin is None:
            return storm
        other = self._origins.at((image, origin.pid, origin.start))
        other.crashed(spot, now, one_layout=forked)
        return other if other.level > storm.level else storm


def _origin(process: Process) -> Process | None:
    """Return the first process of a line that runs one image by forking, or else the parent."""
    origin = process.parent
    if origin is None or not _same_image(process, origin):
        return origin
    while origin.parent is not None and _same_image(process, origin.parent):
        origin = origin.parent
    return origin


def _same_image(process: Process, other: Process) -> bool:
    return process.exe == other.exe if process.exe else process.comm == other.comm


def _classified(record: MemoryFault) -> _Fault:
    message = text(record.message)
    if message.startswith(_STACK_MESSAGES):
        return _SMASHED
    if any(part in message for part in _HEAP_MESSAGES):
        return _CORRUPTED
    if record.signal in _MEMORY_FAULTS and record.ip == record.address and record.ip >= _NULL_PAGES:
        if record.address_area == Area.NONE:
            return _TO_NOTHING
        if not record.address_protection & _EXECUTE:
            return _TO_DATA
    return _CRASHED


def _what(record: MemoryFault, kind: Kind) -> str:
    if kind is STACK_SMASHED or kind is HEAP_CORRUPTED:
        return text(record.message)
    if kind is JUMP_TO_DATA:
        return place(record.address, record.address_area, record.address_protection)
    if kind is JUMP_TO_NOTHING:
        return f"{record.address:#x}"
    behind = f" in {text(record.file)}" if record.file else ""
    return f"{_signal(record)} at {record.ip:#x}{behind}"


def _described(storm: Storm, record: MemoryFault) -> str:
    """Describe a storm: how many crashes, how fast they come, and whether they are at one spot."""
    spots = "at varying places" if storm.searches else "at one place"
    return f"{storm.count} times, every {_period(storm.period)} of late, {spots}, last by {_signal(record)}"


def _signal(record: MemoryFault) -> str:
    return FAULTS.get(record.signal, f"signal {record.signal}")


def _period(nanoseconds: float) -> str:
    seconds = nanoseconds / 1e9
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 -- reads better above.
