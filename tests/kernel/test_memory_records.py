"""Every way in which memory becomes executable, and every facility that is asked for, from real processes."""

import os
import platform
from pathlib import Path
from typing import NamedTuple

import pytest

from pyloader.records import Area, Facility, MemoryProtection, MemoryRequest, Protection, Technique, text
from tests.kernel.acts import AS_NOBODY, NOBODY, act
from tests.kernel.watching import Acts, Seen, Watch

R, RW, RX = Protection.READ, Protection.READ | Protection.WRITE, Protection.READ | Protection.EXECUTE
RWX, SHARED, NEW = RW | RX, Protection.SHARED, Protection(0)


class Expected(NamedTuple):
    """What the record of a way must say."""

    technique: Technique
    area: Area
    was: Protection
    now: Protection


WAYS = {
    "written": Expected(Technique.WRITTEN, Area.ANONYMOUS, RW, RX),
    "made_writable": Expected(Technique.WRITABLE, Area.ANONYMOUS, RW, RWX),
    "read_only_first": Expected(Technique.WRITTEN, Area.ANONYMOUS, R, RX),
    "writable": Expected(Technique.WRITABLE, Area.ANONYMOUS, NEW, RWX),
    "implied": Expected(Technique.WRITABLE, Area.ANONYMOUS, NEW, RWX),
    "anonymous": Expected(Technique.ANONYMOUS, Area.ANONYMOUS, NEW, RX),
    "untouched": Expected(Technique.ANONYMOUS, Area.ANONYMOUS, R, RX),
    "stack": Expected(Technique.STACK, Area.STACK, RW, RX),
    "thread_stack": Expected(Technique.STACK, Area.THREAD_STACK, RW, RX),
    "heap": Expected(Technique.HEAP, Area.HEAP, RW, RX),
    "text_relocation": Expected(Technique.TEXT_RELOCATION, Area.FILE, RW, RX),
    "shared": Expected(Technique.WRITTEN, Area.SHARED_MEMORY, RW | SHARED, RX | SHARED),
    "system_v": Expected(Technique.WRITABLE, Area.SHARED_MEMORY, NEW, RWX | SHARED),
    "memory_file": Expected(Technique.MEMFD, Area.MEMFD, NEW, RX),
    "mapped_twice": Expected(Technique.DUAL_MAPPING, Area.MEMFD, NEW, RX | SHARED),
    "moved": Expected(Technique.MOVED, Area.ANONYMOUS, RX, RX),
    "remapped": Expected(Technique.MOVED, Area.MEMFD, RX | SHARED, RX | SHARED),
    "by_key": Expected(Technique.WRITTEN, Area.ANONYMOUS, RW, RX),
    "spanning": Expected(Technique.WRITTEN, Area.ANONYMOUS, RW, RX),
}
if platform.machine() == "x86_64":
    WAYS["compatible"] = Expected(Technique.WRITTEN, Area.ANONYMOUS, RW, RX)

BLIND = {"compatible": "calls of another word size are not understood"}
"""Ways that the rungs which hold here do not see."""

EVERY_WAY = [pytest.param(way, marks=[pytest.mark.xfail(reason=BLIND[way])] if way in BLIND else []) for way in WAYS]

PART_OF_MORE = {"stack", "thread_stack", "heap"}
"""Where the page is a part of a larger area."""

TOLD_OF_TWENTY = [1, 2, 3, 4, 5, 6, 7, 8, 16]
"""The first eight, and then whenever the number has doubled."""


@pytest.fixture(name="seen", scope="module")
def _seen(watch: Watch, programs: Path) -> Seen:
    """Return what is told of every way, of many areas of one process, and of the facilities."""

    def perform() -> Acts:
        executable, ask = programs / "executable", programs / "ask"
        acts = {way: act([executable, way]) for way in WAYS}
        acts["twenty"] = act([executable, "written", "20"])
        acts["toggled"] = act([executable, "toggled"])
        acts["executable_stack"] = act([programs / "executable_stack"])
        acts["nothing"] = act([programs / "nothing"])
        for who, options in {"root": {}, "nobody": AS_NOBODY}.items():
            acts[f"memory_file_{who}"] = act([ask, "memory_file"], **options)
            acts[f"userfaultfd_{who}"] = act([ask, "userfaultfd"], **options)
        return acts

    seen = watch(perform)
    assert {name: one.status for name, one in seen.acts.items() if one.status} == {}
    return seen


def the_record(seen: Seen, way: str) -> MemoryProtection:
    """Return the one record that tells of a way; a moved area was told before as what it was."""
    found = seen.told(MemoryProtection, way)
    if way in {"moved", "remapped"}:
        found = [one for one in found if one.technique == Technique.MOVED]
    (record,) = found
    return record


@pytest.mark.parametrize("way", EVERY_WAY)
def test_every_way_to_executable_memory_is_told(seen: Seen, way: str) -> None:
    """Each technique is told once, by its name, with the kind of the area and its protection before and after."""
    record = the_record(seen, way)

    told = Expected(Technique(record.technique), Area(record.area), Protection(record.was), Protection(record.now))
    assert WAYS[way] == told
    assert (record.count, record.exposure) == (1, 0)


@pytest.mark.parametrize("way", EVERY_WAY)
def test_the_place_is_told(seen: Seen, way: str) -> None:
    """The record holds the page that became executable, the area around it, and the instruction behind the call."""
    record, told = the_record(seen, way), seen.acts[way].told

    start, end = told["address"], told["address"] + told["length"]
    assert record.address <= start
    assert record.address + record.length >= end
    assert record.area_start <= start
    assert record.area_end >= end
    if way not in PART_OF_MORE:
        assert (start, end) == (record.area_start, record.area_end)
    assert told["ip"] == record.ip


def test_who_did_it_is_told(seen: Seen, programs: Path) -> None:
    """The record names process, thread, parent and user, and the file behind the area if there is one."""
    record = the_record(seen, "text_relocation")

    assert (os.getpid(), os.getuid()) == (record.ppid, record.uid)
    assert record.pid == record.tid
    assert text(record.comm) == "executable"
    assert os.fsencode(programs / "executable") == record.file
    assert the_record(seen, "written").file == b""
    in_thread = the_record(seen, "thread_stack")
    assert in_thread.pid != in_thread.tid


def test_an_area_is_told_once(seen: Seen) -> None:
    """Memory that is writable and executable by turns, fifty times, is one record."""
    assert [one.count for one in seen.told(MemoryProtection, "toggled")] == [1]


def test_many_areas_are_counted(seen: Seen) -> None:
    """Twenty areas of a process are the first eight records and one for each doubling."""
    assert [one.count for one in seen.told(MemoryProtection, "twenty")] == TOLD_OF_TWENTY


def test_a_stack_that_is_executable_from_the_start(seen: Seen) -> None:
    """A program that was linked for an executable stack is told as it starts."""
    (record,) = seen.told(MemoryProtection, "executable_stack")

    assert (record.technique, record.area) == (Technique.STACK, Area.STACK)
    assert Protection.EXECUTE & record.now
    assert record.area_start <= seen.acts["executable_stack"].told["stack"] < record.area_end


def test_loading_a_program_is_not_told(seen: Seen) -> None:
    """A program that only starts and ends is in no record of memory protection."""
    assert seen.told(MemoryProtection, "nothing") == []


@pytest.mark.parametrize("who", ["root", "nobody"])
@pytest.mark.parametrize(
    ("what", "facility", "name"),
    [("memory_file", Facility.MEMFD, b"a name"), ("userfaultfd", Facility.USERFAULTFD, b"")],
)
def test_facilities_are_told(seen: Seen, who: str, what: str, facility: Facility, name: bytes) -> None:
    """A request for an anonymous memory file or for userfaultfd is told with its flags and the caller's privilege."""
    done = seen.acts[f"{what}_{who}"]
    (record,) = seen.told(MemoryRequest, f"{what}_{who}")

    assert "error" not in done.told
    assert (facility, done.told["flags"], name) == (record.facility, record.flags, record.name)
    assert (record.uid, record.privileged) == ((0, 1) if who == "root" else (NOBODY, 0))
    assert (os.getpid(), 1, "ask") == (record.ppid, record.count, text(record.comm))
