"""Memory that becomes executable, in every way that there is."""

import ctypes
import os
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pyloader.monitors import Rung
from pyloader.records import AnyRecord, Area, Call, CallOrigin, MemoryProtection, Protection, Suspicion, Technique
from tests.vm.guest.checks.memory.ground import GROWN, LIBC, MIB, NEW, PAGE, RW, RWX, RX, SHARED, R, cgroup, map_memory
from tests.vm.guest.checks.memory.origins import same_origin
from tests.vm.guest.checks.memory.usage import MAPS_TO_LOOK, UNMAPPED, Round, usage_of
from tests.vm.guest.comparing import child, every, same, the
from tests.vm.guest.deeds import PROGRAMS, Deed, do
from tests.vm.guest.rungs import Check

_STACK_HEADER = 0x6474E551
"""PT_GNU_STACK (include/uapi/linux/elf.h)."""

_PKEYS = Path("/sys/kernel/tracing/events/syscalls/sys_enter_pkey_mprotect")
"""Is there if the kernel has this call: on arm64 since 6.12."""


class Way(NamedTuple):
    """What the record of a way to executable memory must say."""

    technique: Technique
    area: Area
    was: Protection
    now: Protection
    alone: bool = True
    """Whether the page is all of its area."""
    file: bytes = b""
    """What the name of the file behind it contains."""


PROTECTED = {
    "written": Way(Technique.WRITTEN, Area.ANONYMOUS, RW, RX),
    "made_writable": Way(Technique.WRITABLE, Area.ANONYMOUS, RW, RWX),
    "spanning": Way(Technique.WRITTEN, Area.ANONYMOUS, RW, RX, alone=False),
    "thread_stack": Way(Technique.STACK, Area.THREAD_STACK, RW, RX, alone=False),
    "heap": Way(Technique.HEAP, Area.HEAP, RW, RX, alone=False),
    "text_relocation": Way(Technique.TEXT_RELOCATION, Area.FILE, RW, RX, file=b"/opt/programs/executable"),
}
if _PKEYS.exists():
    PROTECTED["by_key"] = Way(Technique.WRITTEN, Area.ANONYMOUS, RW, RX)
MAPPED = {
    "writable": Way(Technique.WRITABLE, Area.ANONYMOUS, NEW, RWX),
    "memory_file": Way(Technique.MEMFD, Area.MEMFD, NEW, RX, file=b"memfd:code"),
    "mapped_twice": Way(Technique.DUAL_MAPPING, Area.MEMFD, NEW, RX | SHARED, file=b"memfd:code"),
}
ATTACHED = {"system_v": Way(Technique.WRITABLE, Area.SHARED_MEMORY, NEW, RWX | SHARED, file=b"SYSV")}
MOVED = {"moved": Way(Technique.MOVED, Area.ANONYMOUS, RX, RX)}
REMAPPED = {"remapped": Way(Technique.MOVED, Area.MEMFD, RX | SHARED, RX | SHARED, file=b"memfd:code")}


def check_image(_rung: Rung) -> Check:
    """Run a program that was linked for an executable stack."""
    program = PROGRAMS / "stack"
    program.write_bytes(_with_executable_stack((PROGRAMS / "nothing").read_bytes()))
    program.chmod(0o755)
    deed = do("stack")
    records = yield

    assert deed.act.status == 0, f"{deed}"
    record = deed.the(MemoryProtection, records)
    same(record, {"technique": Technique.STACK, "area": Area.STACK, "was": NEW, "count": 1, "file": b""})
    assert record.now & RWX == RWX, f"protection is {record.now}"
    assert record.area_start <= record.address < record.area_end, f"{record}"
    assert record.length == record.area_end - record.area_start, f"{record}"


def check_fork(_rung: Rung) -> Check:
    """Let a thread make a child, whose main thread is then on a thread's stack, and let that make memory executable."""
    pids: list[int] = []
    thread = threading.Thread(target=lambda: pids.append(child(_make_executable)))
    thread.start()
    thread.join()
    os.waitpid(pids[0], 0)
    records = yield

    same(the(MemoryProtection, records, pids[0]), {"technique": Technique.ANONYMOUS, "area": Area.ANONYMOUS})
    assert not every(CallOrigin, records, pids[0]), "its stack counts as none"


def check_map(round_: Round, _rung: Rung) -> Check:
    """Map executable memory in several ways, also from a strange place, and count mappings."""
    deeds, origin, spender = _do_all(MAPPED), do("origin", "anonymous", "own", "map"), round_.spender
    records = yield

    _same_ways(MAPPED, deeds, records)
    same_origin(origin, Call.MAP, Suspicion.CODE, records)
    end = usage_of(spender, records)[-1]
    assert end.maps >= MAPS_TO_LOOK + 1 + UNMAPPED, f"maps is {end.maps}"
    assert end.mapped >= GROWN + UNMAPPED * MIB, f"mapped is {end.mapped}"


def check_protect(_rung: Rung) -> Check:
    """Make memory executable in several ways, also from a strange place."""
    deeds, origin = _do_all(PROTECTED), do("origin", "anonymous", "own", "protect")
    records = yield

    _same_ways(PROTECTED, deeds, records)
    same_origin(origin, Call.PROTECT, Suspicion.CODE, records)


def check_attach(_rung: Rung) -> Check:
    """Attach executable shared memory."""
    deeds = _do_all(ATTACHED)
    records = yield

    _same_ways(ATTACHED, deeds, records)


def check_move(_rung: Rung) -> Check:
    """Move executable memory."""
    deeds = _do_all(MOVED)
    records = yield

    _same_ways(MOVED, deeds, records)


def check_remap(_rung: Rung) -> Check:
    """Give executable memory other pages."""
    deeds = _do_all(REMAPPED)
    records = yield

    _same_ways(REMAPPED, deeds, records)


def _do_all(ways: Mapping[str, Way]) -> dict[str, Deed]:
    return {way: do("executable", way) for way in ways}


def _same_ways(ways: Mapping[str, Way], deeds: Mapping[str, Deed], records: list[AnyRecord]) -> None:
    """Fail unless the record of each way tells the technique, the process, the area and the place of the call."""
    for name, way in ways.items():
        deed = deeds[name]
        assert deed.act.status == 0, f"{deed}"
        found = [one for one in deed.every(MemoryProtection, records) if one.technique == way.technique]
        assert len(found) == 1, f"{name}: {found} instead of one record"
        (record,) = found
        start, end = deed.told["address"], deed.told["address"] + deed.told["length"]
        expected = {"area": way.area, "was": way.was, "now": way.now, "ip": deed.told["ip"], "exposure": 0, "count": 1}
        same(record, expected | {"uid": 0, "cgroup": cgroup()})
        assert (record.tid == record.pid) == (name != "thread_stack"), f"{name}: thread {record.tid} of {record}"
        assert record.area_start <= start < end <= record.area_end, f"{name}: {start:x} is outside of {record}"
        assert (start, end) == (record.area_start, record.area_end) or not way.alone, f"{name}: {record}"
        assert record.address <= start, f"{name}: {start:x} is outside of {record}"
        assert record.address + record.length >= end or name in ATTACHED, f"{name}: {end:x} is outside of {record}"
        assert way.file in record.file, f"{name}: {record}"
        assert bool(way.file) == bool(record.file), f"{name}: {record}"


def _make_executable() -> None:
    """Make memory executable to which nothing was written."""
    LIBC.mprotect(ctypes.c_void_p(map_memory(R, PAGE)), ctypes.c_size_t(PAGE), int(RX))


def _with_executable_stack(program: bytes) -> bytes:
    """Return an ELF file that asks for an executable stack."""
    changed = bytearray(program)
    (headers,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    for header in range(headers, headers + size * count, size):
        if struct.unpack_from("<I", program, header) == (_STACK_HEADER,):
            struct.pack_into("<I", changed, header + 4, 7)
    return bytes(changed)
