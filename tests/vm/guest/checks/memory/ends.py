"""Processes that do not end of their own will: faults, and a control group without room."""

import os
import signal
import time

from pyloader.monitors import Rung
from pyloader.records import Area, MemoryFault, OomKill, OomScope
from tests.vm.guest.checks.memory.ground import CGROUPS, GROWN, MEANWHILE, MIB, NEW, RW, RX, cgroup, only, take
from tests.vm.guest.comparing import child, own_comm, same, start_ticks, the
from tests.vm.guest.deeds import PROGRAMS, do
from tests.vm.guest.rungs import Check

LIMIT = 8 * MIB
"""What the control group may have that a process outgrows."""


def check_fault(rung: Rung) -> Check:
    """Commit faults that end the process and one that it handles."""
    wild, jump, handled, illegal, aborted = (
        do("fault", *words) for words in (["wild"], ["jump_to_heap"], ["wild", "handled"], ["illegal"], ["double_free"])
    )
    records = yield

    program = bytes(PROGRAMS / "fault")
    common = {"parent_start": start_ticks(os.getpid()), "uid": 0, "exposure": 0, "count": 1, "cgroup": cgroup()}
    by_file = common | {"ip_area": Area.FILE, "ip_protection": RX, "sp_area": Area.STACK, "file": program}
    nowhere = {"address_area": Area.NONE, "address_protection": NEW}
    for deed, is_handled in ((wild, 0), (handled, 1)):
        expected = only(deed, "address", "ip") | {"signal": signal.SIGSEGV, "code": 1, "handled": is_handled}
        record = deed.the(MemoryFault, records)
        same(record, by_file | nowhere | expected | {"tid": deed.act.pid, "message": b""})
        assert record.sp > record.ip, f"{record}"
    same(
        jump.the(MemoryFault, records),
        common
        | only(jump, "address", "ip")
        | {"signal": signal.SIGSEGV, "code": 2, "file": b"", "ip_area": Area.HEAP, "ip_protection": RW}
        | {"address_area": Area.HEAP, "address_protection": RW},
    )
    blind = "other than page faults" in rung.blind_to
    place = {"address": 0} | nowhere if blind else {"address_area": Area.FILE} | only(illegal, "address")
    same(illegal.the(MemoryFault, records), by_file | place | only(illegal, "ip") | {"signal": signal.SIGILL})
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
        take(GROWN)

    begin = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    pid = child(outgrow)
    _, status = os.waitpid(pid, 0)
    while (group / "cgroup.procs").read_text():
        time.sleep(MEANWHILE)
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
