"""The memory monitor: an act for every hook, and the records of it with every field that can be known."""

import ctypes
import errno
import mmap
import os
import platform
import signal
import struct
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pyloader.monitors import Rung
from pyloader.records import (
    AccessMethod,
    AnyRecord,
    Area,
    Call,
    CallOrigin,
    Facility,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    MemoryRequest,
    MemoryUsage,
    OomKill,
    OomScope,
    Protection,
    Suspicion,
    Technique,
    UsageReason,
)
from tests.kernel.acts import AS_NOBODY, NOBODY, waiting
from tests.vm.guest.comparing import child, every, own_comm, same, start_ticks, the
from tests.vm.guest.deeds import PROGRAMS, Deed, do
from tests.vm.guest.rungs import Check, Checks

MIB = 1 << 20
PAGE = mmap.PAGESIZE

CGROUPS = Path("/sys/fs/cgroup")
LIMIT = 8 * MIB
"""What the control group may have that a process outgrows."""

TOLD_FROM, GROWN = 64 * MIB, 80 * MIB
"""Resident memory from which usage is told, and more than that."""
MAPS_TO_LOOK, UNMAPPED, BROKEN = 64, 5, 3
"""How often memory is mapped until the size of a copy is looked at, given back, and the break moved."""

R, RW, RX = Protection.READ, Protection.READ | Protection.WRITE, Protection.READ | Protection.EXECUTE
RWX, SHARED, NEW = RW | RX, Protection.SHARED, Protection(0)

_MEANWHILE = 0.1
"""Seconds that a process rests, so that it leaves the CPU."""
_USERFAULTFD = {"x86_64": 323, "aarch64": 282}[platform.machine()]
_STACK_HEADER = 0x6474E551
"""PT_GNU_STACK (include/uapi/linux/elf.h)."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.sbrk.restype = _libc.mmap.restype = ctypes.c_void_p


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
    "by_key": Way(Technique.WRITTEN, Area.ANONYMOUS, RW, RX),
    "spanning": Way(Technique.WRITTEN, Area.ANONYMOUS, RW, RX, alone=False),
    "thread_stack": Way(Technique.STACK, Area.THREAD_STACK, RW, RX, alone=False),
    "heap": Way(Technique.HEAP, Area.HEAP, RW, RX, alone=False),
    "text_relocation": Way(Technique.TEXT_RELOCATION, Area.FILE, RW, RX, file=b"/opt/programs/executable"),
}
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


def check_end(_rung: Rung) -> Check:
    """End a process that used much memory."""
    spender = _spend()
    records = yield

    told = _usage_of(spender, records)
    assert [one for one in told if UsageReason.EXIT & one.reasons] == told[-1:], f"{told}"
    assert told[-1].peak >= GROWN, f"peak is {told[-1].peak}"
    assert told[-1].duration >= _MEANWHILE * 1e9, f"duration is {told[-1].duration}"


def check_usage(_rung: Rung) -> Check:
    """Let a process take much memory by one call and leave the CPU."""
    spender = _spend()
    records = yield

    first = _usage_of(spender, records)[0]
    same(first, {"reasons": UsageReason.RESIDENT, "unmaps": 0, "unmapped": 0, "breaks": 0})
    assert TOLD_FROM <= first.resident <= first.peak, f"{first}"
    assert first.resident <= first.virtual, f"{first}"
    assert first.minor_faults > 0, f"{first}"


def check_map(_rung: Rung) -> Check:
    """Map executable memory in several ways, also from a strange place, and count mappings."""
    deeds, origin, spender = _do_all(MAPPED), do("origin", "anonymous", "own", "map"), _spend()
    records = yield

    _same_ways(MAPPED, deeds, records)
    _same_origin(origin, Call.MAP, Suspicion.CODE, records)
    end = _usage_of(spender, records)[-1]
    assert end.maps >= MAPS_TO_LOOK + 1 + UNMAPPED, f"maps is {end.maps}"
    assert end.mapped >= GROWN + UNMAPPED * MIB, f"mapped is {end.mapped}"


def check_unmap(_rung: Rung) -> Check:
    """Give memory back."""
    spender = _spend()
    records = yield

    end = _usage_of(spender, records)[-1]
    assert end.unmaps >= UNMAPPED, f"unmaps is {end.unmaps}"
    assert UNMAPPED * MIB <= end.unmapped < GROWN, f"unmapped is {end.unmapped}"


def check_break(_rung: Rung) -> Check:
    """Move the break."""
    spender = _spend()
    records = yield

    end = _usage_of(spender, records)[-1]
    assert end.breaks >= BROKEN, f"breaks is {end.breaks}"


def check_protect(_rung: Rung) -> Check:
    """Make memory executable in several ways, also from a strange place."""
    deeds, origin = _do_all(PROTECTED), do("origin", "anonymous", "own", "protect")
    records = yield

    _same_ways(PROTECTED, deeds, records)
    _same_origin(origin, Call.PROTECT, Suspicion.CODE, records)


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


def check_fault(rung: Rung) -> Check:
    """Commit faults that end the process and one that it handles."""
    wild, jump, handled, illegal, aborted = (
        do("fault", *words) for words in (["wild"], ["jump_to_heap"], ["wild", "handled"], ["illegal"], ["double_free"])
    )
    records = yield

    program = bytes(PROGRAMS / "fault")
    common = {"parent_start": start_ticks(os.getpid()), "uid": 0, "exposure": 0, "count": 1, "cgroup": _cgroup()}
    by_file = common | {"ip_area": Area.FILE, "ip_protection": RX, "sp_area": Area.STACK, "file": program}
    nowhere = {"address_area": Area.NONE, "address_protection": NEW}
    for deed, is_handled in ((wild, 0), (handled, 1)):
        expected = _only(deed, "address", "ip") | {"signal": signal.SIGSEGV, "code": 1, "handled": is_handled}
        record = deed.the(MemoryFault, records)
        same(record, by_file | nowhere | expected | {"tid": deed.act.pid, "message": b""})
        assert record.sp > record.ip, f"{record}"
    same(
        jump.the(MemoryFault, records),
        common
        | _only(jump, "address", "ip")
        | {"signal": signal.SIGSEGV, "code": 2, "file": b"", "ip_area": Area.HEAP, "ip_protection": RW}
        | {"address_area": Area.HEAP, "address_protection": RW},
    )
    blind = "other than page faults" in rung.blind_to
    place = {"address": 0} | nowhere if blind else {"address_area": Area.FILE} | _only(illegal, "address")
    same(illegal.the(MemoryFault, records), by_file | place | _only(illegal, "ip") | {"signal": signal.SIGILL})
    abort = aborted.the(MemoryFault, records)
    same(abort, common | {"signal": signal.SIGABRT, "handled": 0, "address": 0, "ip_area": Area.FILE})
    assert b"free(): double free" in abort.message, f"{abort}"
    assert b"libc" in abort.file, f"{abort}"


def check_oom(_rung: Rung) -> Check:
    """Let a process outgrow its control group."""
    (CGROUPS / "cgroup.subtree_control").write_text("+memory")
    group = CGROUPS / "small"
    group.mkdir()
    (group / "memory.max").write_text(str(LIMIT))
    cgroup = group.stat().st_ino

    def outgrow() -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()))
        _take(GROWN)

    begin = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    pid = child(outgrow)
    _, status = os.waitpid(pid, 0)
    while (group / "cgroup.procs").read_text():
        time.sleep(_MEANWHILE)
    group.rmdir()
    records = yield

    assert os.WTERMSIG(status) == signal.SIGKILL, f"status is {status}"
    record = the(OomKill, records, pid)
    same(
        record,
        {"uid": 0, "scope": OomScope.CGROUP, "cgroup": cgroup, "limit": LIMIT, "score_adjustment": 1_000}
        | {"cause_pid": pid, "comm": own_comm(), "cause_comm": own_comm()},
    )
    assert begin <= record.start <= record.timestamp, f"{record}"
    assert LIMIT - MIB <= record.usage <= LIMIT, f"usage is {record.usage}"
    assert LIMIT * 3 // 4 <= record.anonymous < GROWN <= record.virtual, f"{record}"
    # The libraries lie in memory here, as files of an initramfs.
    assert 0 < record.file + record.shared < GROWN, f"{record}"


def check_connect(_rung: Rung) -> Check:
    """Connect from code and from a stack that lie in anonymous memory."""
    deed = do("origin", "anonymous", "anonymous", "connect")
    records = yield

    record = _same_origin(deed, Call.CONNECT, Suspicion.CODE | Suspicion.STACK | Suspicion.FRESH_CODE, records)
    same(record, {"sp_area": Area.ANONYMOUS, "sp_protection": RW})


def check_exec(_rung: Rung) -> Check:
    """Execute from code in the heap, and by both calls for it from a stack in the heap."""
    code, stack = do("origin", "heap", "own", "exec"), do("origin", "own", "heap", "exec")
    records = yield

    _same_origin(code, Call.EXEC, Suspicion.CODE | Suspicion.FRESH_CODE, records, Area.HEAP)
    record = stack.the(CallOrigin, records)
    same(record, _only(stack, "ip") | {"call": Call.EXEC, "suspicions": Suspicion.STACK, "since_written": 0})
    same(record, {"ip_area": Area.FILE, "ip_protection": RX, "file": bytes(PROGRAMS / "origin")})
    same(record, {"sp_area": Area.HEAP, "sp_protection": RW})
    assert stack.told["stack"] <= record.sp <= stack.told["stack_end"], f"{record}"


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


def check_userfaultfd(_rung: Rung) -> Check:
    """Ask for userfaultfd."""
    pid = child(lambda: os._exit(_libc.syscall(_USERFAULTFD, os.O_CLOEXEC | os.O_NONBLOCK) < 0))
    _, status = os.waitpid(pid, 0)
    records = yield

    assert status == 0, f"status is {status}"
    expected = {"facility": Facility.USERFAULTFD, "flags": os.O_CLOEXEC | os.O_NONBLOCK, "name": b"", "privileged": 1}
    same(the(MemoryRequest, records, pid), _copy() | expected)


def check_memfd(_rung: Rung) -> Check:
    """Ask for an anonymous memory file, with and without privileges."""
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING

    def as_nobody() -> None:
        os.setuid(NOBODY)
        os.memfd_create("two words", flags)

    pids = [child(lambda: os.close(os.memfd_create("a name", flags))), child(as_nobody)]
    for pid in pids:
        os.waitpid(pid, 0)
    records = yield

    common = _copy() | {"facility": Facility.MEMFD, "flags": flags}
    same(the(MemoryRequest, records, pids[0]), common | {"name": b"a name", "privileged": 1})
    expected = {"name": b"two words", "privileged": 0, "uid": NOBODY}
    same(the(MemoryRequest, records, pids[1]), common | expected)


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
        same(record, expected | {"uid": 0, "cgroup": _cgroup()})
        assert (record.tid == record.pid) == (name != "thread_stack"), f"{name}: thread {record.tid} of {record}"
        assert record.area_start <= start < end <= record.area_end, f"{name}: {start:x} is outside of {record}"
        assert (start, end) == (record.area_start, record.area_end) or not way.alone, f"{name}: {record}"
        assert record.address <= start, f"{name}: {start:x} is outside of {record}"
        assert record.address + record.length >= end or name in ATTACHED, f"{name}: {end:x} is outside of {record}"
        assert way.file in record.file, f"{name}: {record}"
        assert bool(way.file) == bool(record.file), f"{name}: {record}"


def _same_origin(
    deed: Deed, call: Call, suspicions: Suspicion, records: list[AnyRecord], area: Area = Area.ANONYMOUS
) -> CallOrigin:
    """Fail unless the record tells that a call came from an area; return the record."""
    (record,) = [one for one in deed.every(CallOrigin, records) if one.call == call]
    same(record, _only(deed, "ip") | {"suspicions": suspicions, "exposure": 0, "count": 1, "uid": 0, "file": b""})
    same(record, {"tid": deed.act.pid, "ip_area": area, "ip_protection": RX})
    if suspicions & Suspicion.STACK:
        assert deed.told["stack"] <= record.sp <= deed.told["stack_end"], f"{record}"
    else:
        same(record, {"sp_area": Area.STACK, "sp_protection": RW})
    if suspicions & Suspicion.FRESH_CODE:
        assert 0 < record.since_written <= deed.end - deed.begin, f"{record}"
    else:
        same(record, {"since_written": 0})
    return record


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


def _only(deed: Deed, *names: str) -> dict[str, object]:
    return {name: deed.told[name] for name in names}


def _copy() -> dict[str, object]:
    """Return what a record of a copy of this process must say."""
    return {"ppid": os.getpid(), "uid": 0, "count": 1, "comm": own_comm()}


def _cgroup() -> int:
    return CGROUPS.stat().st_ino


class _Spender(NamedTuple):
    """A process that used much memory."""

    pid: int
    start: int
    """In ticks."""


def _spend() -> _Spender:
    """Let a process map so often that it is looked at, take memory, rest, give memory back, move its break, and end."""

    def action() -> None:
        for _ in range(MAPS_TO_LOOK):
            _map(RW, PAGE)
        _take(GROWN)
        time.sleep(_MEANWHILE)
        for _ in range(UNMAPPED):
            _libc.munmap(ctypes.c_void_p(_map(RW, MIB)), ctypes.c_size_t(MIB))
        for _ in range(BROKEN):
            _libc.sbrk(ctypes.c_ssize_t(PAGE))

    pid = child(action)
    spender = _Spender(pid, start_ticks(pid))
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"status is {status}"
    return spender


def _usage_of(spender: _Spender, records: list[AnyRecord]) -> list[MemoryUsage]:
    """Return the records of usage of a process, of which there must be two; who it is must be right in all."""
    found = every(MemoryUsage, records, spender.pid)
    assert len(found) > 1, f"{found} are too few records of usage"
    for one in found:
        expected = {"ppid": os.getpid(), "uid": 0, "comm": own_comm(), "cgroup": _cgroup()}
        same(one, expected | {"start": spender.start})
    return found


def _map(protection: Protection, size: int, more: int = 0) -> int:
    """Return the address of new memory."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | more
    address: int = _libc.mmap(None, ctypes.c_size_t(size), int(protection), flags, -1, ctypes.c_long(0))
    return address


def _take(size: int) -> None:
    """Take memory, and use all of it."""
    _map(RW, size, mmap.MAP_POPULATE)


def _make_executable() -> None:
    """Make memory executable to which nothing was written."""
    _libc.mprotect(ctypes.c_void_p(_map(R, PAGE)), ctypes.c_size_t(PAGE), int(RX))


def _with_executable_stack(program: bytes) -> bytes:
    """Return an ELF file that asks for an executable stack."""
    changed = bytearray(program)
    (headers,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    for header in range(headers, headers + size * count, size):
        if struct.unpack_from("<I", program, header) == (_STACK_HEADER,):
            struct.pack_into("<I", changed, header + 4, 7)
    return bytes(changed)


HOOKS: Checks = {
    "image": check_image,
    "fork": check_fork,
    "end": check_end,
    "usage": check_usage,
    "fault": check_fault,
    "oom": check_oom,
    "connect": check_connect,
    "exec": check_exec,
    "protect": check_protect,
    "map": check_map,
    "attach": check_attach,
    "unmap": check_unmap,
    "break": check_break,
    "move": check_move,
    "remap": check_remap,
    "ptrace": check_ptrace,
    "transfer": check_transfer,
    "memory file": check_memory_file,
    "userfaultfd": check_userfaultfd,
    "memfd": check_memfd,
}
