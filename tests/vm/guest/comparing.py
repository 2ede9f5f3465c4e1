"""Processes to observe, and records compared with what is true of them."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from pyloader.records import AnyRecord, Record, text

TICK_NS = 10_000_000
"""The unit of times in /proc."""

R = TypeVar("R", bound=Record)

_NAMES = {"comm", "parent_comm", "target_comm", "cause_comm"}
_STARTS = {"start", "parent_start", "target_start"}


def start_ticks(pid: int) -> int:
    """Return when a process began, in hundredths of a second since boot, as /proc says."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def child(action: Callable[[], None], status: int = 0) -> int:
    """Return the pid of a copy of this process that performs an action and ends with a status."""
    pid = os.fork()
    if pid == 0:
        action()
        os._exit(status)
    return pid


def own_comm() -> str:
    """Return the name that this process and its copies have in the kernel."""
    return Path("/proc/self/comm").read_text().strip()


def every(kind: type[R], records: Sequence[AnyRecord], pid: int) -> list[R]:
    """Return the records of a type and a process."""
    return [one for one in records if isinstance(one, kind) and getattr(one, "pid", None) == pid]


def the(kind: type[R], records: Sequence[AnyRecord], pid: int) -> R:
    """Return the one record of a type and a process."""
    found = every(kind, records, pid)
    assert len(found) == 1, f"{len(found)} records of type {kind.__name__} instead of one: {found}"
    return found[0]


def same(record: Record, expected: Mapping[str, object]) -> None:
    """Fail with every field that is not as expected; names of programs are text, starts are in ticks, as in /proc."""
    seen = msgspec.structs.asdict(record)
    for name in _NAMES & seen.keys():
        seen[name] = text(seen[name])
    for name in _STARTS & seen.keys():
        seen[name] //= TICK_NS
    wrong = [f"{name} is {seen[name]!r} and not {value!r}" for name, value in expected.items() if seen[name] != value]
    assert not wrong, f"{type(record).__name__}: {'; '.join(wrong)}"
