"""The writer of the kernel's attention: as few writes as there are differences, and no failure that anybody notices."""

import errno
import os
import struct

import pytest

from pyloader.monitors import ActiveMonitor, AttentionWriter, InterfaceMonitor, attention
from pyloader.monitors.addresses import AddressSet
from pyloader.monitors.network import POLICY
from pyloader.records import Policy

LEVELS_FD, WITHHELD_FD = 3, 4

ONE, TWO = b"1" * 16, b"2" * 16


class Kernel:
    """Maps, and every write to them; `refuses` is an error number, or 0."""

    def __init__(self) -> None:
        self.levels: dict[int, int] = {}
        self.withheld = 0
        self.writes: list[str] = []
        self.refuses = 0

    def put(self, fd: int, key: bytes, value: bytes) -> None:
        """Set the level of a process."""
        assert fd == LEVELS_FD
        self._write("put")
        self.levels[struct.unpack("=I", key)[0]], told = struct.unpack("=IQ", value)
        assert told == 0

    def drop(self, fd: int, key: bytes) -> None:
        """Remove a process."""
        assert fd == LEVELS_FD
        self._write("drop")
        del self.levels[struct.unpack("=I", key)[0]]

    def keys(self, fd: int, size: int) -> list[bytes]:
        """Return the processes."""
        assert (fd, size) == (LEVELS_FD, 4)
        return [struct.pack("=I", pid) for pid in self.levels]

    def numbers(self, fd: int, index: int, layout: str, *numbers: int) -> None:
        """Set what is withheld."""
        assert (fd, index, layout) == (WITHHELD_FD, 0, "=I")
        self._write("withhold")
        (self.withheld,) = numbers

    def _write(self, what: str) -> None:
        if self.refuses:
            raise OSError(self.refuses, os.strerror(self.refuses))
        self.writes.append(what)


class ProcessMonitor(ActiveMonitor):
    """A monitor with the maps of attention."""

    def map_fd(self, name: str) -> int | None:
        """Return the descriptors that the kernel of these tests knows."""
        return {"attention": LEVELS_FD, "withheld": WITHHELD_FD}.get(name)


class PlainMonitor(ActiveMonitor):
    """A monitor without them."""

    def map_fd(self, name: str) -> None:
        """Return nothing."""


class Table:
    """A set of addresses."""

    def __init__(self) -> None:
        self.held: dict[bytes, int] = {}

    def replace(self, entries: dict[bytes, int]) -> None:
        """Hold these."""
        self.held = entries


class PacketMonitor(InterfaceMonitor):
    """A monitor of packets without a kernel."""

    def __init__(self) -> None:
        self.table = Table()
        self.addresses = {AddressSet.FOCUS: self.table}  # type: ignore[dict-item]
        self.steered: list[dict[Policy, int]] = []

    def map_fd(self, name: str) -> None:
        """Return nothing."""

    def steer(self, changes: dict[Policy, int]) -> None:
        """Note them."""
        self.steered.append(dict(changes))


@pytest.fixture(name="kernel")
def _kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    kernel = Kernel()
    monkeypatch.setattr(attention, "put_entry", kernel.put)
    monkeypatch.setattr(attention, "drop_entry", kernel.drop)
    monkeypatch.setattr(attention, "read_keys", kernel.keys)
    monkeypatch.setattr(attention, "write_numbers", kernel.numbers)
    return kernel


def test_only_differences_are_written(kernel: Kernel) -> None:
    """What is already in the map is not written again; what changed, came or went is, once each."""
    writer = AttentionWriter([ProcessMonitor(), PlainMonitor()])
    writer.write({1: 1, 2: 2, 3: 3}, (), 0.5)
    assert (kernel.levels, kernel.withheld) == ({1: 1, 2: 2, 3: 3}, 32_768)

    kernel.writes.clear()
    writer.write({3: 3, 2: 2, 1: 1}, (), 0.5)
    assert kernel.writes == []
    writer.write({1: 1, 2: 3, 4: 1}, (), 0.5)

    assert sorted(kernel.writes) == ["drop", "put", "put"]
    assert kernel.levels == {1: 1, 2: 3, 4: 1}


def test_what_a_reader_left_behind_is_removed(kernel: Kernel) -> None:
    """Entries and a share that somebody before us left in the maps are gone as soon as there is a writer."""
    kernel.levels, kernel.withheld = {7: 3, 8: 1}, 65_536

    AttentionWriter([ProcessMonitor()])

    assert (kernel.levels, kernel.withheld) == ({}, 0)


def test_clear_leaves_nothing(kernel: Kernel) -> None:
    """After `clear` the maps are as they were."""
    watched = PacketMonitor()
    writer = AttentionWriter([ProcessMonitor(), watched])
    writer.write({1: 1}, (ONE,), 0.0)
    assert (kernel.levels, kernel.withheld, watched.table.held) == ({1: 1}, 65_536, {ONE: 0})

    writer.clear()

    assert (kernel.levels, kernel.withheld, watched.table.held) == ({}, 0, {})
    assert watched.steered[-1] == {one: POLICY[one] for one in watched.steered[-1]}


def test_refusals_are_counted_and_made_up_for(kernel: Kernel) -> None:
    """A kernel that refuses harms nobody: it is counted, and the next write brings what was missing."""
    writer = AttentionWriter([ProcessMonitor()])
    writer.write({1: 1}, (), 1.0)
    kernel.refuses = errno.E2BIG
    writer.write({2: 2}, (), 0.25)
    writer.write({2: 2}, (), 0.25)
    assert writer.failures == 2

    kernel.refuses = 0
    writer.write({2: 2}, (), 0.25)

    assert (kernel.levels, kernel.withheld, writer.failures) == ({2: 2}, 49_152, 2)


def test_sources_and_their_share(kernel: Kernel) -> None:
    """Sources in focus go to the set of addresses; all others share less, but never nothing; told once a change."""
    watched = PacketMonitor()
    writer = AttentionWriter([watched])
    watched.steered.clear()

    writer.write({1: 1}, (ONE, TWO), 0.5)
    writer.write({1: 1}, (TWO,), 0.5)
    writer.write({1: 1}, (TWO,), 0.0)

    assert watched.table.held == {TWO: 0}
    assert watched.steered == [
        {Policy.FLOWS_PER_SECOND: 128, Policy.SUMMARIES_PER_SECOND: 128},
        {Policy.FLOWS_PER_SECOND: 1, Policy.SUMMARIES_PER_SECOND: 1},
    ]
    assert kernel.writes == []
