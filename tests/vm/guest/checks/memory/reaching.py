"""Processes that reach into the memory of others."""

import errno
import os
import struct

from pyloader.monitors import Rung
from pyloader.records import AccessMethod, AnyRecord, MemoryAccess
from tests.kernel.acts import AS_NOBODY, NOBODY, waiting
from tests.vm.guest.comparing import same, start_ticks
from tests.vm.guest.deeds import PROGRAMS, Deed, do
from tests.vm.guest.rungs import Check


def check_ptrace(_rung: Rung) -> Check:
    """Take over a child, a grandchild and a stranger, and be refused."""
    deeds = _reach("attach", "child"), _reach("poke", "grandchild")
    with waiting([PROGRAMS / "target"], lines=2) as stranger:
        ticks = start_ticks(stranger.process.pid)
        place = str(stranger.process.pid), f"{stranger.told['kept']:x}"
        foreign = _reach("set_registers", *place)
        refused = do("reach", "attach", *place, **AS_NOBODY)
    records = yield

    attach, set_registers = AccessMethod.ATTACH, AccessMethod.SET_REGISTERS
    _same_reach(deeds[0], [attach], 1, records)
    _same_reach(deeds[1], [attach, AccessMethod.POKE], 2, records)
    for one in _same_reach(foreign, [attach, set_registers], 0, records):
        same(one, {"target_ppid": os.getpid(), "target_start": ticks, "target_comm": "target"})
    same(
        refused.the(MemoryAccess, records),
        {"method": attach, "error": errno.EPERM, "uid": NOBODY, "target_uid": 0, "target_pid": stranger.process.pid},
    )


def check_transfer(_rung: Rung) -> Check:
    """Read and write the memory of descendants, and be refused."""
    deeds = _reach("read_vm", "child"), _reach("write_vm", "grandchild")
    with waiting([PROGRAMS / "target"], lines=2) as stranger:
        place = str(stranger.process.pid), f"{stranger.told['kept']:x}"
        refused = do("reach", "write_vm", *place, **AS_NOBODY)
    records = yield

    _same_reach(deeds[0], [AccessMethod.VM_READ], 1, records)
    _same_reach(deeds[1], [AccessMethod.VM_WRITE], 2, records)
    same(
        refused.the(MemoryAccess, records),
        {"method": AccessMethod.VM_WRITE, "error": errno.EPERM, "uid": NOBODY, "target_uid": 0},
    )


def check_memory_file(rung: Rung) -> Check:
    """Open the memory of descendants as files, and write there."""
    opened, written, at_position = (
        _reach("open", "child"),
        _reach("write_file", "grandchild"),
        _reach("seek_and_write_file", "child"),
    )
    records = yield

    both = [AccessMethod.OPEN, AccessMethod.WRITE]
    _same_reach(opened, [AccessMethod.OPEN], 1, records)
    _same_reach(written, both, 2, records)
    _same_reach(at_position, both[:1] if "write(2)" in rung.blind_to else both, 1, records)


def _reach(way: str, target: str, address: str = "0") -> Deed:
    return do("reach", way, target, address)


def _same_reach(deed: Deed, methods: list[AccessMethod], descent: int, records: list[AnyRecord]) -> list[MemoryAccess]:
    """Fail unless these methods are told, in order, with target and place; return the records."""
    assert deed.act.status == deed.told["error"] == 0, f"{deed}"
    found = deed.every(MemoryAccess, records)
    assert [one.method for one in found] == methods, f"{found}"
    without_place = {AccessMethod.ATTACH, AccessMethod.SET_REGISTERS, AccessMethod.OPEN}
    for one in found:
        address, length = (0, 0) if one.method in without_place else (deed.told["address"], struct.calcsize("l"))
        expected = {"target_pid": deed.told["target"], "target_uid": 0, "descent": descent, "error": 0, "count": 1}
        same(one, expected | {"address": address, "length": length, "uid": 0})
        if descent:
            same(one, {"target_comm": "reach"})
            assert one.target_start >= one.start, f"{one}"
            assert (one.target_ppid == one.pid) == (descent == 1), f"{one}"
    return found
