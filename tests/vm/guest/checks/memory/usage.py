"""How much memory a process uses: one process that spends, by which several hooks are checked."""

import ctypes
import os
import time
from functools import cached_property
from typing import NamedTuple

from pyloader.monitors import Rung
from pyloader.records import AnyRecord, MemoryUsage, UsageReason
from tests.vm.guest.checks.memory.ground import GROWN, LIBC, MEANWHILE, MIB, PAGE, RW, cgroup, map_memory, take
from tests.vm.guest.comparing import child, every, own_comm, same, start_ticks
from tests.vm.guest.rungs import Check

TOLD_FROM = 64 * MIB
"""Resident memory from which usage is told."""
MAPS_TO_LOOK, UNMAPPED, BROKEN = 64, 5, 3
"""How often memory is mapped until the size of a copy is looked at, given back, and the break moved."""


class Spender(NamedTuple):
    """A process that used much memory."""

    pid: int
    start: int
    """In ticks."""


class Round:
    """What the checks of one round share."""

    @cached_property
    def spender(self) -> Spender:
        """A process that used much memory, by which several hooks are checked."""
        return spend()


def check_end(round_: Round, _rung: Rung) -> Check:
    """End a process that used much memory."""
    spender = round_.spender
    records = yield

    told = usage_of(spender, records)
    assert [one for one in told if UsageReason.EXIT & one.reasons] == told[-1:], f"{told}"
    assert told[-1].peak >= GROWN, f"peak is {told[-1].peak}"
    assert told[-1].duration >= MEANWHILE * 1e9, f"duration is {told[-1].duration}"


def check_usage(round_: Round, _rung: Rung) -> Check:
    """Let a process take much memory by one call and leave the CPU."""
    spender = round_.spender
    records = yield

    first = usage_of(spender, records)[0]
    same(first, {"reasons": UsageReason.RESIDENT, "unmaps": 0, "unmapped": 0, "breaks": 0})
    assert TOLD_FROM <= first.resident <= first.peak, f"{first}"
    assert first.resident <= first.virtual, f"{first}"
    assert first.minor_faults > 0, f"{first}"


def check_unmap(round_: Round, _rung: Rung) -> Check:
    """Give memory back."""
    spender = round_.spender
    records = yield

    end = usage_of(spender, records)[-1]
    assert end.unmaps >= UNMAPPED, f"unmaps is {end.unmaps}"
    assert UNMAPPED * MIB <= end.unmapped < GROWN, f"unmapped is {end.unmapped}"


def check_break(round_: Round, _rung: Rung) -> Check:
    """Move the break."""
    spender = round_.spender
    records = yield

    end = usage_of(spender, records)[-1]
    assert end.breaks >= BROKEN, f"breaks is {end.breaks}"


def usage_of(spender: Spender, records: list[AnyRecord]) -> list[MemoryUsage]:
    """Return the records of usage of a process, of which there must be two; who it is must be right in all."""
    found = every(MemoryUsage, records, spender.pid)
    assert len(found) > 1, f"{found} are too few records of usage"
    for one in found:
        expected = {"ppid": os.getpid(), "uid": 0, "comm": own_comm(), "cgroup": cgroup()}
        same(one, expected | {"start": spender.start})
    return found


def spend() -> Spender:
    """Let a process map so often that it is looked at, take memory, rest, give memory back, move its break, and end."""

    def action() -> None:
        for _ in range(MAPS_TO_LOOK):
            map_memory(RW, PAGE)
        take(GROWN)
        time.sleep(MEANWHILE)
        for _ in range(UNMAPPED):
            LIBC.munmap(ctypes.c_void_p(map_memory(RW, MIB)), ctypes.c_size_t(MIB))
        for _ in range(BROKEN):
            LIBC.sbrk(ctypes.c_ssize_t(PAGE))

    pid = child(action)
    spender = Spender(pid, start_ticks(pid))
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"status is {status}"
    return spender
