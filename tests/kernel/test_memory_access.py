"""Every way to reach into another process, from real processes: who reaches whom, how, where, and what is refused."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyloader.records import AccessMethod, MemoryAccess, text
from tests.kernel.acts import AS_NOBODY, NOBODY, Waiting, act, waiting
from tests.kernel.watching import Acts, Seen, Watch

WAYS = {
    "attach": [AccessMethod.ATTACH],
    "seize": [AccessMethod.ATTACH],
    "poke": [AccessMethod.ATTACH, AccessMethod.POKE],
    "set_registers": [AccessMethod.ATTACH, AccessMethod.SET_REGISTERS],
    "read_vm": [AccessMethod.VM_READ],
    "write_vm": [AccessMethod.VM_WRITE],
    "open": [AccessMethod.OPEN],
    "write_file": [AccessMethod.OPEN, AccessMethod.WRITE],
}

WITH_ADDRESS = {AccessMethod.POKE, AccessMethod.VM_READ, AccessMethod.VM_WRITE, AccessMethod.WRITE}

TARGETS = {"child": 1, "grandchild": 2, "stranger": 0}
"""How many generations each descends from who reaches for it."""

REFUSED = {"attach": AccessMethod.ATTACH, "read_vm": AccessMethod.VM_READ, "write_vm": AccessMethod.VM_WRITE}
"""For what is refused in the call itself, and not at a file."""


@pytest.fixture(name="stranger", scope="module")
def _stranger(programs: Path) -> Iterator[Waiting]:
    """Return a process that descends from these tests and not from who reaches for it."""
    with waiting([programs / "target"], lines=2) as stranger:
        yield stranger


@pytest.fixture(name="seen", scope="module")
def _seen(watch: Watch, programs: Path, stranger: Waiting) -> Seen:
    """Return what is told of every way to reach for every target."""
    reach, pid, address = programs / "reach", str(stranger.process.pid), f"{stranger.told['kept']:x}"

    def perform() -> Acts:
        acts = {f"{way}-{kin}": act([reach, way, kin, "0"]) for way in WAYS for kin in ("child", "grandchild")}
        for way in [*WAYS, "seek_and_write_file", "read_vm_often"]:
            acts[f"{way}-stranger"] = act([reach, way, pid, address])
        for way in REFUSED:
            acts[f"{way}-refused"] = act([reach, way, pid, address], **AS_NOBODY)
        return acts

    return watch(perform)


def same_way(seen: Seen, name: str, way: str, generations: int) -> None:
    """Fail unless the steps of a way are told, in order, with the place and the relation of the two processes."""
    told, records = seen.acts[name].told, seen.told(MemoryAccess, name)

    assert [one.method for one in records] == WAYS[way]
    assert {(one.target_pid, one.descent, one.error, one.count) for one in records} == {
        (told["target"], generations, 0, 1)
    }
    for record in records:
        place = (told["address"], 8) if record.method in WITH_ADDRESS else (0, 0)
        assert place == (record.address, record.length)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kin", TARGETS)
def test_every_way_to_reach_is_told(seen: Seen, way: str, kin: str) -> None:
    """Each step is told with its method, its target and where in it, and how the target descends from who reaches."""
    assert seen.acts[f"{way}-{kin}"].told["error"] == 0

    same_way(seen, f"{way}-{kin}", way, TARGETS[kin])


def test_both_sides_are_told(seen: Seen, stranger: Waiting) -> None:
    """The record names who reaches and who is reached: process, parent, user, start and name of both."""
    (record,) = seen.told(MemoryAccess, "read_vm-stranger")
    (into_child,) = seen.told(MemoryAccess, "read_vm-child")

    ticks = int(Path(f"/proc/{stranger.process.pid}/stat").read_text().rpartition(")")[2].split()[19])
    assert (os.getpid(), os.getuid(), "reach") == (record.ppid, record.uid, text(record.comm))
    assert (os.getpid(), os.getuid(), "target") == (record.target_ppid, record.target_uid, text(record.target_comm))
    assert ticks == record.target_start // 10_000_000
    assert record.start > record.target_start
    assert into_child.target_ppid == into_child.pid


@pytest.mark.parametrize("way", REFUSED)
def test_a_refusal_is_told(seen: Seen, way: str) -> None:
    """What the kernel refuses to a user without privileges is told with the errno."""
    name = f"{way}-refused"
    (record,) = seen.told(MemoryAccess, name)

    assert seen.acts[name].told["error"] == errno.EPERM == record.error
    assert (REFUSED[way], NOBODY, os.getuid()) == (record.method, record.uid, record.target_uid)


def test_repetitions_are_counted(seen: Seen) -> None:
    """Twenty readings of one target are the first eight records and one for each doubling."""
    records = seen.told(MemoryAccess, "read_vm_often-stranger")

    assert [one.count for one in records] == [1, 2, 3, 4, 5, 6, 7, 8, 16]


def test_a_write_at_a_position_sought_before_is_told_by_the_opening(seen: Seen) -> None:
    """Writing with lseek and write is told at least by the opening of the file for it."""
    methods = [one.method for one in seen.told(MemoryAccess, "seek_and_write_file-stranger")]

    assert seen.acts["seek_and_write_file-stranger"].told["error"] == 0
    assert methods[0] == AccessMethod.OPEN
