"""Programs of the kernel tests (tests/kernel/programs), run in here, and the records of what they did."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from pyloader.records import AnyRecord, CallOrigin, MemoryAccess, MemoryFault, MemoryProtection
from tests.kernel.acts import Act, act
from tests.vm.guest.comparing import every, same

PROGRAMS = Path("/opt/programs")

D = TypeVar("D", MemoryAccess, MemoryFault, MemoryProtection, CallOrigin)


class Deed(NamedTuple):
    """A program that was run, and what the boot-time clock said before and after."""

    program: str
    act: Act
    begin: int
    end: int

    @property
    def told(self) -> dict[str, int]:
        """Return the numbers that the program told."""
        return self.act.told

    def every(self, kind: type[D], records: Sequence[AnyRecord]) -> list[D]:
        """Return the records of a type, which name the process and are of the right time."""
        found = every(kind, records, self.act.pid)
        for one in found:
            times = self.begin, one.start, one.timestamp, self.end
            assert sorted(times) == list(times), f"{kind.__name__}: not in order: {times}"
            same(one, {"ppid": os.getpid(), "comm": self.program})
        return found

    def the(self, kind: type[D], records: Sequence[AnyRecord]) -> D:
        """Return the one record of a type."""
        found = self.every(kind, records)
        assert len(found) == 1, f"{len(found)} records of type {kind.__name__} of {self} instead of one: {found}"
        return found[0]


def do(program: str, *words: str, **options: object) -> Deed:
    """Run a program with some arguments to its end; the options are those of `act`."""
    begin = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    done = act([PROGRAMS / program, *words], **options)
    return Deed(program, done, begin, time.clock_gettime_ns(time.CLOCK_BOOTTIME))
