"""A folder of files that stands in for bpffs.

A pin is a file, a map that two generations share is one file with two names, and what a map holds is what the file
holds.
"""

import errno
import os
import struct
from pathlib import Path
from typing import NamedTuple, cast

from pyloader.binding import Descriptor
from pyloader.monitors import Monitor, PinnedMonitor, Pins
from pyloader.monitors.climb import digest
from pyloader.monitors.pinned import Generation
from tests.unit.monitors.kernel import MAP_FD, MONITOR, FakeKernel

RING_BYTES = 65_536
MARK = b"records that nobody has read"

SHARED = {"vital", "common", "positions", "tallies", "reported", "charge", "told"}
"""The maps that generations hand on."""


class Bpffs:
    """The folder of pins."""

    def __init__(self, root: Path, kernel: FakeKernel) -> None:
        self.root = root
        self.kernel = kernel
        self.refused: str | None = None

    def pin(self, fd: int, path: Path) -> None:
        """Make a file for a map, a program or a link; another name of a file that is open."""
        if path.name == self.refused:
            raise OSError(errno.ENOSPC, "No space left on device")
        if fd < MAP_FD:
            os.link(Path(f"/proc/self/fd/{fd}").readlink(), path)
        else:
            path.write_bytes(self.kernel.last.constants[".rodata.settings"] if path.name == "settings" else bytes(64))

    def pins(self, instance: str = "default", monitor: Monitor = MONITOR) -> Pins:
        """Return the pins of a monitor of an instance."""
        return Pins(monitor, instance, self.root)

    def load(self, version: bytes) -> bool:
        """Load a version of the monitor."""
        self.kernel.files["sample.bpf.o"] = version
        return self.pins().load(ring_bytes=RING_BYTES)

    def found(self) -> PinnedMonitor:
        """Return the pinned monitor, which must be there."""
        found = self.pins().find()
        assert found is not None
        return found

    def content(self) -> set[str]:
        """Return all pins."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}


def open_pinned(path: Path) -> Descriptor:
    """Open a pin."""
    return Descriptor(os.open(path, os.O_RDWR | os.O_CLOEXEC))


def read_numbers(fd: int, index: int, layout: str) -> tuple[int | bytes, ...]:
    """Return an entry of a map; what was never written is 0."""
    size = struct.calcsize(layout)
    return struct.unpack(layout, os.pread(fd, size, index * size).ljust(size, b"\0"))


def write_numbers(fd: int, index: int, layout: str, *numbers: int) -> None:
    """Set an entry of a map."""
    packed = struct.pack(layout, *numbers)
    os.pwrite(fd, packed, index * len(packed))


class State(NamedTuple):
    """What is pinned: the version of the programs, their generation, what speaks, and what a ring holds."""

    version: bytes
    generation: int
    speaks: int
    handover: int
    ring: bytes


def state_of(pins: Pins) -> State | None:
    """Return what is pinned, or nothing; whatever it is must be whole and alone."""
    folders = sorted(path.name for path in pins.folder.parent.glob("*")) if pins.folder.parent.is_dir() else []
    if not folders:
        return None
    assert folders == ["sample"]
    with Generation(pins.folder) as generation:
        number, digested = generation.number, generation.object_digest
        speaks, handover = cast("tuple[int, int]", read_numbers(generation.map_fd("charge"), 0, "=II"))
        ring = os.pread(generation.map_fd("vital"), len(MARK), 0)
        assert SHARED - {"told"} <= set(generation.shared_maps())
    names = {kind: {path.name for path in (pins.folder / kind).iterdir()} for kind in ("programs", "links")}
    assert names["programs"] == names["links"] == {"exec_1", "exit_1"}
    [version] = [one for one in (b"one", b"two", b"three") if digest(one) == digested]
    return State(version, number, speaks, handover, ring)


def mark_ring(pins: Pins) -> None:
    """Put records into the ring that nobody has read."""
    (pins.folder / "maps" / "vital").write_bytes(MARK)


class FakeRings:
    """A reader of rings that tells what it was made with."""

    def __init__(self, rings: list[tuple[int, int]], *, positions_fd: int) -> None:
        self.sizes = [size for _, size in rings]
        self.positions_fd = positions_fd
        self.closed = False

    def close(self) -> None:
        """Note it."""
        self.closed = True
