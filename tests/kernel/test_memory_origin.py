"""Where system calls come from: told of injected code and of made-up stacks, not of what compiled programs do."""

import os
from pathlib import Path
from socket import create_server

import pytest

from pyloader.records import Area, Call, CallOrigin, Protection, Suspicion, text
from tests.kernel.acts import act
from tests.kernel.watching import Acts, Seen, Watch

CALLS = {"exec": Call.EXEC, "connect": Call.CONNECT, "protect": Call.PROTECT, "map": Call.MAP}

CODE = {"anonymous": Area.ANONYMOUS, "heap": Area.HEAP, "memory_file": Area.MEMFD}
"""Memory that no program is loaded to."""

PIVOTS = {"heap": Area.HEAP, "anonymous": Area.ANONYMOUS, "executable": Area.ANONYMOUS, "coroutine": Area.ANONYMOUS}
"""Memory that is no stack of the thread, as far as the kernel knows."""

STACKS = ("own", "thread", "given", "signal")
"""Where the stack pointer may be: also on a thread's own stack, one that was made for it, and that of a handler."""

WRITE, EXECUTE = Protection.READ | Protection.WRITE, Protection.READ | Protection.EXECUTE


@pytest.fixture(name="seen", scope="module")
def _seen(watch: Watch, programs: Path) -> Seen:
    """Return what is told of each call from each kind of code and on each kind of stack."""
    origin = programs / "origin"
    pairs = [*((code, "own") for code in CODE), *(("file", stack) for stack in (*PIVOTS, *STACKS))]

    def perform() -> Acts:
        with create_server(("127.0.0.1", 0), backlog=128) as server:
            port = str(server.getsockname()[1])
            acts = {
                f"{code}-{stack}-{call}": act([origin, code, stack, call, port])
                for code, stack in pairs
                for call in CALLS
            }
        acts["spawn"] = act([programs / "spawn"])
        return acts

    seen = watch(perform)
    assert {name: one.status for name, one in seen.acts.items() if one.status} == {}
    return seen


def of_call(seen: Seen, name: str, call: str) -> CallOrigin:
    """Return the one record of an act about a call; code must be put in place by other calls before."""
    (record,) = [one for one in seen.told(CallOrigin, name) if CALLS[call] == one.call]
    return record


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", CODE)
def test_a_call_from_written_memory_is_told(seen: Seen, code: str, call: str) -> None:
    """A call by code in memory that the process wrote is told with the instruction and the kind of memory."""
    name = f"{code}-own-{call}"
    record = of_call(seen, name, call)

    assert Suspicion(record.suspicions) & ~Suspicion.FRESH_CODE == Suspicion.CODE
    assert seen.acts[name].told["ip"] == record.ip
    assert (CODE[code], EXECUTE) == (record.ip_area, Protection(record.ip_protection) & ~Protection.SHARED)
    assert (record.sp_area, record.sp_protection) == (Area.STACK, WRITE)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("stack", PIVOTS)
def test_a_call_on_a_made_up_stack_is_told(seen: Seen, programs: Path, stack: str, call: str) -> None:
    """A call with the stack pointer in memory that is no stack is told with the pointer and the kind of memory."""
    name = f"file-{stack}-{call}"
    record, told = of_call(seen, name, call), seen.acts[name].told

    assert Suspicion(record.suspicions) & ~Suspicion.FRESH_CODE == Suspicion.STACK
    assert told["stack"] <= record.sp < told["stack_end"]
    expected = WRITE | EXECUTE if stack == "executable" else WRITE
    assert (PIVOTS[stack], expected) == (record.sp_area, record.sp_protection)
    assert (told["ip"], Area.FILE, EXECUTE) == (record.ip, record.ip_area, record.ip_protection)
    assert os.fsencode(programs / "origin") == record.file


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("stack", STACKS)
def test_a_call_on_a_stack_of_the_thread_is_not_told(seen: Seen, stack: str, call: str) -> None:
    """A call on the main stack, a thread's, or the alternate one of a signal handler has nothing odd about it."""
    assert seen.told(CallOrigin, f"file-{stack}-{call}") == []


@pytest.mark.parametrize("call", ["exec", "connect"])
def test_fresh_code_is_told(seen: Seen, call: str) -> None:
    """An execution or a connection soon after written memory became executable tells how long ago that was."""
    record = of_call(seen, f"anonymous-own-{call}", call)

    assert Suspicion.FRESH_CODE & record.suspicions
    assert 0 < record.since_written < 60_000_000_000
    assert of_call(seen, f"file-heap-{call}", call).since_written == 0


def test_who_calls_is_told(seen: Seen) -> None:
    """The record names process, thread, parent and user."""
    record = of_call(seen, "anonymous-own-exec", "exec")

    assert (os.getpid(), os.getuid(), "origin") == (record.ppid, record.uid, text(record.comm))
    assert record.pid == record.tid
    assert (record.count, record.exposure) == (1, 0)


def test_children_on_borrowed_stacks_are_not_told(seen: Seen) -> None:
    """posix_spawn, system, popen and vfork, whose children execute on stacks made for them, have nothing odd."""
    pid = seen.acts["spawn"].pid

    assert [one for one in seen.every(CallOrigin) if pid in {one.pid, one.ppid}] == []
