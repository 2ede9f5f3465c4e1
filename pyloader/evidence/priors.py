"""What is expected of each technique before this host has taught anything: the starting values of `habits`.

The values are expert judgement, made so that what ordinary programs do stays below the score of an alert, also when
it is seen for the first time.
"""

from enum import IntEnum
from typing import Final, NamedTuple


class Habit(IntEnum):
    """What an instance of a program has done or has not. The number is the bit that stands for it."""

    WRITABLE_CODE = 0
    WRITTEN_CODE = 1
    ANONYMOUS_CODE = 2
    STACK_CODE = 3
    HEAP_CODE = 4
    TEXT_RELOCATION = 5
    MEMORY_FILE_CODE = 6
    DUAL_MAPPING = 7
    MOVED_CODE = 8
    FACING_CODE = 9
    """It made its first code when it faced the network."""
    CALL_FROM_MEMORY = 10
    CALL_FROM_FRESH_CODE = 11
    FOREIGN_STACK = 12
    FIBER = 13
    """The stack pointer lies outside every stack, at a call that libraries with stacks of their own make as well."""
    EXECUTABLE_STACK = 14
    ATTACH = 15
    TAMPER = 16
    READ = 17
    READ_KEEPER = 18
    WRITE = 19
    OPEN = 20
    REFUSED_WRITE = 21
    REFUSED_READ = 22
    USERFAULTFD = 23
    USERFAULTFD_LIMITED = 24
    CRASH = 25
    CRASH_FACING = 26
    SMASHED = 27
    SMASHED_FACING = 28
    CORRUPTED = 29
    CORRUPTED_FACING = 30
    JUMP_TO_DATA = 31
    JUMP_TO_DATA_FACING = 32
    JUMP_TO_NOTHING = 33
    JUMP_TO_NOTHING_FACING = 34
    MEMORY_BURST = 35
    OUT_OF_MEMORY = 36
    OWN_MEMORY_FILE = 37
    OPEN_TO_READ = 38
    OPEN_KEEPER = 39


class Prior(NamedTuple):
    """What is expected of a technique.

    `attacks` is the share of attacks that show it, `programs` the share of ordinary instances of a program of which
    nothing is known, `made_for_it` that among programs that are made for it (run times that compile, tracers). `cap`
    is the highest weight in nats.
    """

    attacks: float
    programs: float
    cap: float
    made_for_it: float


PRIORS: Final[dict[Habit, Prior]] = {
    # Code that is made at run time. Compilers do so all day; half of all programs with a foreign-function library too.
    Habit.WRITABLE_CODE: Prior(0.30, 2e-2, 4.0, 0.3),
    Habit.WRITTEN_CODE: Prior(0.30, 2e-2, 4.0, 0.3),
    Habit.ANONYMOUS_CODE: Prior(0.20, 2e-2, 3.0, 0.3),
    Habit.STACK_CODE: Prior(0.10, 1e-4, 6.0, 1e-3),
    Habit.HEAP_CODE: Prior(0.10, 1e-4, 6.0, 1e-3),
    Habit.TEXT_RELOCATION: Prior(0.10, 1e-3, 4.0, 1e-2),
    Habit.MEMORY_FILE_CODE: Prior(0.20, 2e-3, 4.0, 0.2),
    Habit.DUAL_MAPPING: Prior(0.20, 1e-3, 6.0, 0.2),
    Habit.MOVED_CODE: Prior(0.15, 2e-3, 4.0, 0.15),
    Habit.FACING_CODE: Prior(0.30, 1e-4, 8.0, 1e-2),
    # Where calls come from. Coroutines have stacks of their own, on which they connect.
    Habit.CALL_FROM_MEMORY: Prior(0.30, 1e-3, 5.0, 1e-2),
    Habit.CALL_FROM_FRESH_CODE: Prior(0.30, 4e-4, 6.5, 1e-2),
    Habit.FOREIGN_STACK: Prior(0.10, 1e-4, 6.0, 1e-3),
    Habit.FIBER: Prior(0.10, 1e-3, 5.0, 1e-2),
    Habit.EXECUTABLE_STACK: Prior(0.30, 1e-4, 8.0, 1e-3),
    # Reaching into a process that does not descend from the one that does so.
    Habit.ATTACH: Prior(0.30, 1e-2, 4.0, 0.15),
    Habit.TAMPER: Prior(0.30, 1e-4, 8.0, 3e-2),
    Habit.READ: Prior(0.10, 1e-2, 3.0, 0.1),
    Habit.READ_KEEPER: Prior(0.30, 1e-4, 8.0, 1e-2),
    Habit.WRITE: Prior(0.30, 1e-4, 8.0, 3e-2),
    # Tracers and collectors of garbage copy memory by calls. The file is for debuggers, and for who has no debugger.
    Habit.OPEN: Prior(0.30, 1.5e-4, 7.6, 0.1),
    Habit.OPEN_TO_READ: Prior(0.30, 1.5e-4, 7.6, 0.1),
    Habit.OPEN_KEEPER: Prior(0.30, 1e-4, 8.0, 3e-4),
    Habit.REFUSED_WRITE: Prior(0.20, 4e-3, 4.0, 5e-2),
    Habit.REFUSED_READ: Prior(0.10, 2e-2, 2.0, 0.1),
    Habit.OWN_MEMORY_FILE: Prior(0.20, 1e-3, 5.0, 0.3),
    # Facilities.
    Habit.USERFAULTFD: Prior(0.05, 1e-4, 5.0, 1e-2),
    Habit.USERFAULTFD_LIMITED: Prior(0.05, 5e-3, 2.5, 5e-2),
    # Fatal faults, by themselves; how often they come is judged in `storms`.
    Habit.CRASH: Prior(0.20, 5e-2, 1.0, 5e-2),
    Habit.CRASH_FACING: Prior(0.20, 1e-2, 2.5, 1e-2),
    Habit.SMASHED: Prior(0.20, 2e-3, 3.5, 2e-3),
    Habit.SMASHED_FACING: Prior(0.30, 1e-3, 5.0, 1e-3),
    Habit.CORRUPTED: Prior(0.20, 5e-3, 2.5, 5e-3),
    Habit.CORRUPTED_FACING: Prior(0.20, 2e-3, 4.0, 2e-3),
    Habit.JUMP_TO_DATA: Prior(0.20, 1e-3, 4.0, 1e-3),
    Habit.JUMP_TO_DATA_FACING: Prior(0.30, 3e-4, 6.0, 3e-4),
    Habit.JUMP_TO_NOTHING: Prior(0.20, 5e-3, 3.0, 5e-3),
    Habit.JUMP_TO_NOTHING_FACING: Prior(0.20, 1e-3, 4.5, 1e-3),
    # What only explains.
    Habit.MEMORY_BURST: Prior(0.05, 2e-2, 2.0, 5e-2),
    Habit.OUT_OF_MEMORY: Prior(0.05, 2e-2, 1.0, 5e-2),
}
