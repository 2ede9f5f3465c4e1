"""Every kind of fault, by real processes that commit it: which signal, where, in what memory, and who catches it."""

import os
import platform
import signal
from pathlib import Path
from typing import NamedTuple

import pytest

from pyloader.records import Area, MemoryFault, Protection, text
from tests.kernel.acts import act
from tests.kernel.watching import Acts, Seen, Watch

N, R, RW, RX = Protection(0), Protection.READ, Protection.READ | Protection.WRITE, Protection.READ | Protection.EXECUTE
SHARED = Protection.SHARED

# include/uapi/asm-generic/siginfo.h
MAPERR, ACCERR, ADRERR, ILLOPC, ILLOPN, INTDIV, SECCOMP, SI_KERNEL, SI_TKILL = 1, 2, 2, 1, 2, 1, 1, 0x80, 2**32 - 6


class Expected(NamedTuple):
    """What the record of a fault must say."""

    signal: int
    code: int
    address_area: Area
    address_protection: Protection
    ip_area: Area = Area.FILE
    ip_protection: Protection = RX


FAULTS = {
    "wild": Expected(signal.SIGSEGV, MAPERR, Area.NONE, N),
    "null": Expected(signal.SIGSEGV, MAPERR, Area.NONE, N),
    "read_only": Expected(signal.SIGSEGV, ACCERR, Area.ANONYMOUS, R),
    "read_only_file": Expected(signal.SIGSEGV, ACCERR, Area.FILE, RX),
    "jump": Expected(signal.SIGSEGV, ACCERR, Area.ANONYMOUS, RW, Area.ANONYMOUS, RW),
    "jump_to_stack": Expected(signal.SIGSEGV, ACCERR, Area.STACK, RW, Area.STACK, RW),
    "jump_to_heap": Expected(signal.SIGSEGV, ACCERR, Area.HEAP, RW, Area.HEAP, RW),
    "jump_wild": Expected(signal.SIGSEGV, MAPERR, Area.NONE, N, Area.NONE, N),
    "beyond_file": Expected(signal.SIGBUS, ADRERR, Area.MEMFD, R | SHARED),
}
if platform.machine() == "x86_64":
    FAULTS |= {
        "noncanonical": Expected(signal.SIGSEGV, SI_KERNEL, Area.NONE, N),
        "illegal": Expected(signal.SIGILL, ILLOPN, Area.FILE, RX),
        "division": Expected(signal.SIGFPE, INTDIV, Area.FILE, RX),
        "trap": Expected(signal.SIGTRAP, SI_KERNEL, Area.NONE, N),
        "forbidden": Expected(signal.SIGSYS, SECCOMP, Area.FILE, RX),
    }

ONLY_PAGE_FAULTS = {"illegal", "division", "forbidden"}
"""Whose address the plain tracepoint does not tell."""

MESSAGES = {
    "smash": "*** stack smashing detected ***: terminated",
    "double_free": "free(): double free detected in tcache 2",
    "assertion": "Assertion `getpid() == 0' failed.",
    "abort": "",
}
"""What the C library says before it ends a process by SIGABRT."""

EVERY_FAULT = [*FAULTS, *MESSAGES, "overflow"]

HANDLED_STATUS = 3


@pytest.fixture(name="seen", scope="module")
def _seen(watch: Watch, programs: Path) -> Seen:
    """Return what is told of every fault, once fatal and once caught."""
    fault = programs / "fault"

    def perform() -> Acts:
        acts = {name: act([fault, name]) for name in EVERY_FAULT}
        acts |= {f"{name}-handled": act([fault, name, "handled"]) for name in EVERY_FAULT}
        acts["nothing"] = act([programs / "nothing"])
        return acts

    return watch(perform)


def the_fault(seen: Seen, name: str) -> MemoryFault:
    """Return the one record of a fault."""
    (record,) = seen.told(MemoryFault, name)
    return record


@pytest.mark.parametrize("fault", EVERY_FAULT)
def test_a_fault_is_told_as_it_ended(seen: Seen, fault: str) -> None:
    """A fatal fault is one record with the signal that ended the process; if it is caught, the record says so."""
    fatal, handled = the_fault(seen, fault), the_fault(seen, f"{fault}-handled")

    assert -seen.acts[fault].status == fatal.signal == handled.signal
    assert seen.acts[f"{fault}-handled"].status == HANDLED_STATUS
    assert (fatal.handled, handled.handled) == (0, 1)
    assert fatal.code == handled.code
    assert (fatal.count, handled.count) == (1, 1)
    assert fatal.exposure == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_where_a_fault_was_is_told(seen: Seen, fault: str, request: pytest.FixtureRequest) -> None:
    """The record holds the address, the instruction and the stack of the fault, and what memory each lies in."""
    record, told, expected = the_fault(seen, fault), seen.acts[fault].told, FAULTS[fault]

    assert (expected.signal, expected.code) == (record.signal, record.code)
    assert told["ip"] == record.ip
    assert (expected.ip_area, expected.ip_protection) == (record.ip_area, record.ip_protection)
    assert record.sp_area == Area.STACK
    if fault in ONLY_PAGE_FAULTS and "[tp-" in request.node.name:
        assert record.address == 0
        return
    assert told["address"] == record.address
    assert (expected.address_area, expected.address_protection) == (record.address_area, record.address_protection)


def test_a_stack_that_overflows(seen: Seen) -> None:
    """An endless recursion is told as a fault at its own stack pointer, below the stack, where nothing is mapped."""
    record = the_fault(seen, "overflow")

    assert (record.signal, record.code) == (signal.SIGSEGV, MAPERR)
    assert abs(record.address - record.sp) < 65536
    assert record.address_area == Area.NONE


@pytest.mark.parametrize("fault", MESSAGES)
def test_what_the_c_library_says_is_told(seen: Seen, fault: str) -> None:
    """The message of the C library before it aborts, such as that of the stack protector, is in the record."""
    record = the_fault(seen, fault)

    assert (record.signal, record.code, record.address) == (signal.SIGABRT, SI_TKILL, 0)
    assert text(record.message).rstrip().endswith(MESSAGES[fault])
    assert bool(record.message) == bool(MESSAGES[fault])


def test_who_committed_a_fault_is_told(seen: Seen, programs: Path) -> None:
    """The record names process, thread, parent with its start, user, and the file of the instruction."""
    record = the_fault(seen, "wild")

    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    assert (os.getpid(), os.getuid(), "fault") == (record.ppid, record.uid, text(record.comm))
    assert record.pid == record.tid
    assert ticks == record.parent_start // 10_000_000
    assert os.fsencode(programs / "fault") == record.file


def test_no_fault_is_told_of_a_process_that_commits_none(seen: Seen) -> None:
    """A program that only starts and ends is in no record of faults."""
    assert seen.told(MemoryFault, "nothing") == []
