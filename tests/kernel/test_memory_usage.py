"""How much memory processes use: told at doubling thresholds, at the end, and when the kernel kills for want of it."""

import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from pyloader.records import MemoryUsage, OomKill, OomScope, UsageReason, text
from tests.kernel.acts import act
from tests.kernel.groups import limited
from tests.kernel.watching import Acts, Seen, Watch

MIB = 1 << 20
LIMIT = 32 * MIB

RESIDENT_FROM, FAULTS_FROM, CALLS_FROM, MAPPED_FROM = 64 * MIB, 65_536, 16_384, 1 << 30
"""Where each measure is first told."""

GROWN = 300
PROCESSES, TIMES = 30, 16_000
LONG = 70_000
PIECE = 65_536


@pytest.fixture(name="seen", scope="module")
def _seen(watch: Watch, programs: Path) -> Seen:
    """Return what is told of processes that take much memory, take it often, take all of it, and take none."""

    def perform() -> Acts:
        acts = {
            "grown": act([programs / "grow", str(GROWN), "map"]),
            "heap": act([programs / "grow", "100", "heap"]),
            "quick": act([programs / "grow", "100", "heap", "quick"]),
            "small": act([programs / "nothing"]),
            "long": act([programs / "burst", "1", str(LONG)]),
            "burst": act([programs / "burst", str(PROCESSES), str(TIMES)]),
        }
        assert {name: one.status for name, one in acts.items() if one.status} == {}
        with limited(LIMIT) as group:
            killed = act(group.command([programs / "grow", "64", "map"]))
        return acts | {"killed": killed._replace(told={"cgroup": group.id})}

    return watch(perform)


def children(seen: Seen, name: str) -> list[MemoryUsage]:
    """Return what is told of the processes that an act started."""
    return [one for one in seen.every(MemoryUsage) if one.ppid == seen.acts[name].pid]


def levels(values: list[int], begin: int) -> list[int]:
    """Return how often the first threshold had doubled at each value."""
    return [(value // begin).bit_length() for value in values]


def test_resident_memory_is_told_whenever_it_has_doubled(seen: Seen) -> None:
    """A process that takes 300 MiB is told at 64, 128 and 256 MiB, and at its end with what it had."""
    *before, end = seen.told(MemoryUsage, "grown")

    assert levels([one.resident for one in before if UsageReason.RESIDENT & one.reasons], RESIDENT_FROM) == [1, 2, 3]
    assert UsageReason.EXIT & end.reasons
    assert end.resident >= GROWN * MIB
    assert end.peak >= end.resident
    assert end.virtual >= end.resident
    assert end.minor_faults >= GROWN * MIB // os.sysconf("SC_PAGESIZE")
    assert end.maps >= GROWN
    assert end.mapped >= GROWN * MIB
    assert (os.getpid(), os.getuid(), "grow") == (end.ppid, end.uid, text(end.comm))


def test_a_process_that_grows_quickly_is_told(seen: Seen) -> None:
    """A process that takes 100 MiB at once and ends is told with all of it, even if it never left the CPU before."""
    end = seen.told(MemoryUsage, "quick")[-1]

    assert UsageReason.EXIT & end.reasons
    assert end.resident >= 100 * MIB


def test_the_heap_is_told(seen: Seen) -> None:
    """A process that takes 100 MiB by moving its break has them in its heap, and each move is counted."""
    end = seen.told(MemoryUsage, "heap")[-1]

    assert UsageReason.EXIT & end.reasons
    assert end.heap >= 100 * MIB
    assert end.breaks >= 100


def test_calls_and_bytes_are_told_whenever_they_have_doubled(seen: Seen) -> None:
    """140,000 calls that map and unmap 4 GiB are told at each doubling of calls, faults and bytes, and at the end."""
    *before, end = children(seen, "long")

    calls = [one.maps + one.unmaps + one.breaks for one in before if UsageReason.CALLS & one.reasons]
    mapped = [one.mapped for one in before if UsageReason.MAPPED & one.reasons]
    assert levels(calls, CALLS_FROM) == [1, 2, 3, 4]
    assert levels(mapped, MAPPED_FROM) == [1, 2, 3]
    assert any(UsageReason.FAULTS & one.reasons for one in before)
    assert all(one.minor_faults >= FAULTS_FROM for one in before if UsageReason.FAULTS & one.reasons)
    assert UsageReason.EXIT & end.reasons
    assert (end.maps, end.unmaps, end.mapped) == (LONG, LONG, LONG * PIECE)
    assert end.mapped == end.unmapped
    assert end.duration > 0


def test_a_burst_of_processes_is_told_of_each_and_briefly(seen: Seen) -> None:
    """Thirty processes that make 32,000 calls each are all told, with two records each and not one for each call."""
    told = Counter(one.pid for one in children(seen, "burst"))

    assert len(told) == PROCESSES
    assert set(told.values()) == {2}


def test_small_processes_are_not_told(seen: Seen) -> None:
    """A program that only starts and ends is in no record of usage."""
    assert seen.told(MemoryUsage, "small") == []


def test_a_kill_for_want_of_memory_is_told(seen: Seen) -> None:
    """A process that outgrows its control group is told with the limit, the usage and what it had."""
    pid, _, told = seen.acts["killed"]
    (record,) = seen.told(OomKill, "killed")

    assert seen.acts["killed"].status == -signal.SIGKILL
    assert (record.scope, record.limit) == (OomScope.CGROUP, LIMIT)
    assert LIMIT - MIB <= record.usage <= LIMIT
    assert LIMIT // 2 < record.anonymous <= LIMIT
    assert record.virtual > record.anonymous
    assert (pid, "grow", "grow") == (record.cause_pid, text(record.comm), text(record.cause_comm))
    assert int(Path("/proc/self/oom_score_adj").read_text()) + 1_000 == record.score_adjustment
    assert (os.getuid(), told["cgroup"]) == (record.uid, record.cgroup)
