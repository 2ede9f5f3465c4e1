"""Calls that come from memory where no program lies, and from stacks that are none."""

from pyloader.monitors import Rung
from pyloader.records import AnyRecord, Area, Call, CallOrigin, Suspicion
from tests.vm.guest.checks.memory.ground import RW, RX, only
from tests.vm.guest.comparing import same
from tests.vm.guest.deeds import PROGRAMS, Deed, do
from tests.vm.guest.rungs import Check


def check_connect(_rung: Rung) -> Check:
    """Connect from code and from a stack that lie in anonymous memory."""
    deed = do("origin", "anonymous", "anonymous", "connect")
    records = yield

    record = same_origin(deed, Call.CONNECT, Suspicion.CODE | Suspicion.STACK | Suspicion.FRESH_CODE, records)
    same(record, {"sp_area": Area.ANONYMOUS, "sp_protection": RW})


def check_exec(_rung: Rung) -> Check:
    """Execute from code in the heap, and by both calls for it from a stack in the heap."""
    code, stack = do("origin", "heap", "own", "exec"), do("origin", "own", "heap", "exec")
    records = yield

    same_origin(code, Call.EXEC, Suspicion.CODE | Suspicion.FRESH_CODE, records, Area.HEAP)
    record = stack.the(CallOrigin, records)
    same(record, only(stack, "ip") | {"call": Call.EXEC, "suspicions": Suspicion.STACK, "since_written": 0})
    same(record, {"ip_area": Area.FILE, "ip_protection": RX, "file": bytes(PROGRAMS / "origin")})
    same(record, {"sp_area": Area.HEAP, "sp_protection": RW})
    assert stack.told["stack"] <= record.sp <= stack.told["stack_end"], f"{record}"


def same_origin(
    deed: Deed, call: Call, suspicions: Suspicion, records: list[AnyRecord], area: Area = Area.ANONYMOUS
) -> CallOrigin:
    """Fail unless the record tells that a call came from an area; return the record."""
    (record,) = [one for one in deed.every(CallOrigin, records) if one.call == call]
    same(record, only(deed, "ip") | {"suspicions": suspicions, "exposure": 0, "count": 1, "uid": 0, "file": b""})
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
