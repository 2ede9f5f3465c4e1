"""Monitors that stay at work: their pins, upgrades, and what is left when a process is killed in the middle.

A folder of files stands in for bpffs: a pin is a file, a map that two generations share is one file with two names, and
what a map holds is what the file holds.
"""

import errno
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

import pytest

from pyloader.binding import Descriptor, MapInfo, ProgramInfo
from pyloader.errors import LoadError, UnsupportedError
from pyloader.monitors import Monitor, PinnedMonitor, Pins, Transport, pinned_monitors
from pyloader.monitors.climb import digest
from pyloader.monitors.pinned import Generation
from tests.unit.monitors.kernel import MAP_FD, MONITOR, RICH, FakeKernel

RING_BYTES = 65_536
MARK = b"records that nobody has read"

SHARED = {"vital", "common", "positions", "tallies", "reported", "charge", "told"}


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

    def content(self) -> set[str]:
        """Return all pins."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}


def _open_pinned(path: Path) -> Descriptor:
    return Descriptor(os.open(path, os.O_RDWR | os.O_CLOEXEC))


def _read_numbers(fd: int, index: int, layout: str) -> tuple[int | bytes, ...]:
    size = struct.calcsize(layout)
    return struct.unpack(layout, os.pread(fd, size, index * size).ljust(size, b"\0"))


def _write_numbers(fd: int, index: int, layout: str, *numbers: int) -> None:
    packed = struct.pack(layout, *numbers)
    os.pwrite(fd, packed, index * len(packed))


@pytest.fixture(name="bpffs")
def _bpffs(kernel: FakeKernel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bpffs:
    """Put a folder in place of bpffs, for an instance that no other test has."""
    bpffs = Bpffs(tmp_path, kernel)
    for name, value in {
        "pin": bpffs.pin,
        "open_pinned": _open_pinned,
        "read_numbers": _read_numbers,
        "write_numbers": _write_numbers,
        "best_transport": lambda: Transport.RING,
        "program_info": lambda _: ProgramInfo(id=7),
        "map_info": lambda _: MapInfo(max_entries=RING_BYTES),
    }.items():
        monkeypatch.setattr(f"pyloader.monitors.pinned.{name}", value)
    monkeypatch.setattr("pyloader.monitors.pinned.os.path.ismount", tmp_path.__eq__)
    return bpffs


class State(NamedTuple):
    """What is pinned: the version of the programs, their generation, what speaks, and what a ring holds."""

    version: bytes
    generation: int
    speaks: int
    handover: int
    ring: bytes


def _state(pins: Pins) -> State | None:
    """Return what is pinned, or nothing; whatever it is must be whole and alone."""
    folders = sorted(path.name for path in pins.folder.parent.glob("*")) if pins.folder.parent.is_dir() else []
    if not folders:
        return None
    assert folders == ["sample"]
    with Generation(pins.folder) as generation:
        number, digested = generation.number, generation.object_digest
        speaks, handover = cast("tuple[int, int]", _read_numbers(generation.map_fd("charge"), 0, "=II"))
        ring = os.pread(generation.map_fd("vital"), len(MARK), 0)
        assert SHARED - {"told"} <= set(generation.shared_maps())
    names = {kind: {path.name for path in (pins.folder / kind).iterdir()} for kind in ("programs", "links")}
    assert names["programs"] == names["links"] == {"exec_1", "exit_1"}
    [version] = [one for one in (b"one", b"two", b"three") if digest(one) == digested]
    return State(version, number, speaks, handover, ring)


def _mark_ring(pins: Pins) -> None:
    """Put records into the ring that nobody has read."""
    (pins.folder / "maps" / "vital").write_bytes(MARK)


def test_paths(bpffs: Bpffs) -> None:
    """Every link, map and program has its name under the instance and the monitor; sections lose their prefix."""
    assert bpffs.load(b"one")
    folder = "pyloader/default/sample"

    assert bpffs.pins().folder == bpffs.root / folder
    assert bpffs.content() == {
        *(f"{folder}/maps/{name}" for name in (*SHARED, "settings")),
        *(f"{folder}/{kind}/{name}" for kind in ("programs", "links") for name in ("exec_1", "exit_1")),
    }


def test_folders_are_private(bpffs: Bpffs) -> None:
    """Only root may look into the folders, whatever its umask."""
    before = os.umask(0)
    bpffs.load(b"one")
    os.umask(before)
    made = [bpffs.root / "pyloader", bpffs.root / "pyloader" / "default"]
    made += (bpffs.root / "pyloader" / "default" / "sample").iterdir()

    assert {oct(folder.stat().st_mode & 0o777) for folder in made} == {"0o700"}


def test_first_load(bpffs: Bpffs) -> None:
    """What is loaded first is generation 0, speaks, and uses rings of the wanted size."""
    assert not bpffs.pins().exist()
    assert bpffs.load(b"one")

    assert bpffs.pins().exist()
    assert _state(bpffs.pins()) == State(b"one", 0, 0, 0, bytes(len(MARK)))
    assert bpffs.kernel.last.sizes == {"vital": RING_BYTES, "common": RING_BYTES}
    assert bpffs.kernel.last.shared == {}
    assert bpffs.kernel.last.closed


def test_nothing_to_do(bpffs: Bpffs) -> None:
    """What is pinned in this version already is left alone."""
    bpffs.load(b"one")
    made = len(bpffs.kernel.made)

    assert not bpffs.load(b"one")
    assert len(bpffs.kernel.made) == made


def test_upgrade(bpffs: Bpffs) -> None:
    """Another version takes over the maps with all they hold, speaks from then on, and the old one is gone."""
    bpffs.load(b"one")
    _mark_ring(bpffs.pins())

    assert bpffs.load(b"two")
    assert _state(bpffs.pins()) == State(b"two", 1, 1, 0, MARK)
    assert set(bpffs.kernel.last.shared) == SHARED
    assert bpffs.load(b"three")
    assert _state(bpffs.pins()) == State(b"three", 2, 2, 0, MARK)


def test_upgrade_from_shorter_settings(bpffs: Bpffs) -> None:
    """A version whose settings had no size of a page yet is upgraded like any other."""
    bpffs.load(b"one")
    settings = bpffs.pins().folder / "maps" / "settings"
    settings.write_bytes(settings.read_bytes()[:-4])

    assert bpffs.load(b"two")
    assert _state(bpffs.pins()) == State(b"two", 1, 1, 0, bytes(len(MARK)))


def test_upgrade_whose_programs_are_refused(bpffs: Bpffs) -> None:
    """If the kernel refuses the new version, the old one stays and speaks as before."""
    bpffs.load(b"one")
    before = bpffs.content()
    bpffs.kernel.refused = {"exit_1", "exit_2"}

    with pytest.raises(LoadError):
        bpffs.load(b"two")
    assert _state(bpffs.pins()) == State(b"one", 0, 0, 0, bytes(len(MARK)))
    assert bpffs.content() == before


@pytest.mark.parametrize("version", [None, b"one"])
@pytest.mark.parametrize("refused", ["vital", "exec_1", "exit_1"])
def test_pin_that_is_refused(bpffs: Bpffs, version: bytes | None, refused: str) -> None:
    """If a name cannot be given, nothing new stays, what was pinned before is as it was, and the reason is told."""
    if version is not None:
        bpffs.load(version)
    before = bpffs.content()
    bpffs.refused = refused

    with pytest.raises(LoadError, match=r"cannot pin sample in .*/pyloader/default: No space left on device"):
        bpffs.load(b"two")
    assert bpffs.content() == before
    assert bpffs.kernel.last.closed


def test_unload(bpffs: Bpffs) -> None:
    """Unloading removes all that is ours with its folders, and nothing else; there may be nothing to do."""
    bpffs.load(b"one")
    (bpffs.root / "other").mkdir()

    assert bpffs.pins().unload()
    assert list(bpffs.root.iterdir()) == [bpffs.root / "other"]
    assert not bpffs.pins().unload()


def test_instances_are_apart(bpffs: Bpffs) -> None:
    """Two instances have pins of their own; unloading one leaves the other."""
    bpffs.load(b"one")
    bpffs.pins("second").load(ring_bytes=RING_BYTES)
    assert [pins.folder.parent.name for pins in pinned_monitors("second", [MONITOR], bpffs.root)] == ["second"]

    bpffs.pins().unload()
    assert pinned_monitors("default", [MONITOR], bpffs.root) == []
    assert bpffs.pins("second").exist()


def test_no_bpffs(bpffs: Bpffs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where bpffs is not mounted, it is said how to mount it, and nothing is made."""
    monkeypatch.setattr("pyloader.monitors.pinned.os.path.ismount", lambda _: False)

    with pytest.raises(UnsupportedError, match=f"not mounted at {bpffs.root}; mount it: mount -t bpf bpf {bpffs.root}"):
        bpffs.load(b"one")
    assert bpffs.content() == set()


def test_no_ring_buffer(bpffs: Bpffs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without ring buffers can pin nothing, and is told which has them."""
    monkeypatch.setattr("pyloader.monitors.pinned.best_transport", lambda: Transport.PERF)

    with pytest.raises(UnsupportedError, match=r"needs Linux 5\.8"):
        bpffs.load(b"one")


def test_something_in_the_way(bpffs: Bpffs) -> None:
    """A pin of others where our folder belongs is not touched."""
    bpffs.pins().folder.parent.mkdir(parents=True, mode=0o700)
    bpffs.pins().folder.parent.parent.chmod(0o700)
    bpffs.pins().folder.write_bytes(b"theirs")

    with pytest.raises(UnsupportedError, match="is not ours, and in the way"):
        bpffs.load(b"one")
    assert bpffs.pins().folder.read_bytes() == b"theirs"


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
@pytest.mark.parametrize("level", [0, 1])
def test_folder_that_others_may_write_to(bpffs: Bpffs, mode: int, level: int) -> None:
    """Folders that somebody else could have filled are not trusted, neither for reading nor for pinning."""
    bpffs.load(b"one")
    [bpffs.pins().folder.parent, bpffs.pins().folder.parent.parent][level].chmod(mode)

    with pytest.raises(UnsupportedError, match="others may write to it; remove it"):
        bpffs.pins().exist()
    with pytest.raises(UnsupportedError, match="others may write to it; remove it"):
        bpffs.load(b"two")


class _Killed:
    """Counts what changes the pins, and ends the process, as SIGKILL would, before the change with a given number."""

    def __init__(self, bpffs: Bpffs, patch: pytest.MonkeyPatch, number: int | None) -> None:
        self.count = 0
        self._number = number
        patch.setattr("pyloader.monitors.pinned.pin", self._before(bpffs.pin))
        patch.setattr("pyloader.monitors.pinned.write_numbers", self._before(_write_numbers))
        for name in ("rename", "unlink", "rmdir", "mkdir"):
            patch.setattr(Path, name, self._before(getattr(Path, name)))

    def _before(self, change: Callable[..., object]) -> Callable[..., object]:
        def changed(*arguments: object, **options: object) -> object:
            if self.count == self._number:
                os._exit(9)
            self.count += 1
            return change(*arguments, **options)

        return changed


def _changes(bpffs: Bpffs, act: Callable[[], object]) -> int:
    """Return how many changes of the pins something takes."""
    with pytest.MonkeyPatch.context() as patch:
        counted = _Killed(bpffs, patch, None)
        act()
    return counted.count


def _killed_before(bpffs: Bpffs, number: int, act: Callable[[], object]) -> bool:
    """Do something in a process that is killed before the change with this number; return whether it came so far."""
    child = os.fork()
    if not child:
        try:
            with pytest.MonkeyPatch.context() as patch:
                _Killed(bpffs, patch, number)
                act()
            os._exit(0)
        finally:
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, 9}
    return code == 9


@pytest.fixture(name="upgraded")
def _upgraded(bpffs: Bpffs) -> Callable[[], bool]:
    """Return what upgrades to version two."""
    return lambda: bpffs.load(b"two")


def _trials(bpffs: Bpffs, before: Callable[[], object], act: Callable[[], object]) -> Iterator[int]:
    """Yield once for every moment at which `act` can be killed, each time with what `before` made."""
    before()
    for number in range(_changes(bpffs, act)):
        bpffs.pins().unload()
        before()
        assert _killed_before(bpffs, number, act)
        yield number


def test_killed_upgrade(bpffs: Bpffs, upgraded: Callable[[], bool]) -> None:
    """Whenever an upgrade is killed, one whole version is there that speaks, with all records, and can be upgraded."""

    def before() -> None:
        bpffs.load(b"one")
        _mark_ring(bpffs.pins())

    versions = []
    for _ in _trials(bpffs, before, upgraded):
        assert bpffs.pins().exist()
        bpffs.pins().recover()
        state = _state(bpffs.pins())
        assert state is not None
        assert (state.speaks, state.handover, state.ring) == (state.generation, 0, MARK)
        versions.append(state.version)
        assert bpffs.load(b"three")
        assert _state(bpffs.pins()) == State(b"three", state.generation + 1, state.generation + 1, 0, MARK)

    assert sorted(versions) == versions
    assert set(versions) == {b"one", b"two"}


def test_killed_first_load(bpffs: Bpffs, upgraded: Callable[[], bool]) -> None:
    """Whenever a first load is killed, the monitor is pinned whole or not at all, and the next load pins it."""
    for _ in _trials(bpffs, lambda: None, upgraded):
        if bpffs.pins().exist():
            assert _state(bpffs.pins()) is not None
        bpffs.load(b"two")
        assert _state(bpffs.pins()) == State(b"two", 0, 0, 0, bytes(len(MARK)))


def test_killed_unload(bpffs: Bpffs) -> None:
    """Whenever an unload is killed, the next load pins the monitor whole again."""
    for _ in _trials(bpffs, lambda: bpffs.load(b"one"), lambda: bpffs.pins().unload()):
        bpffs.load(b"one")
        assert _state(bpffs.pins()) is not None


def test_killed_recovery(bpffs: Bpffs, upgraded: Callable[[], bool]) -> None:
    """A recovery that is killed, too, is made up for by the next."""
    bpffs.load(b"one")
    for number in range(_changes(bpffs, upgraded)):
        bpffs.pins().unload()
        bpffs.load(b"one")
        _mark_ring(bpffs.pins())
        assert _killed_before(bpffs, number, upgraded)
        again = 0
        while _killed_before(bpffs, again, bpffs.pins().recover):
            again += 1
        state = _state(bpffs.pins())
        assert state is not None
        assert (state.speaks, state.handover, state.ring) == (state.generation, 0, MARK)


class _Rings:
    """A reader of rings that tells what it was made with."""

    def __init__(self, rings: list[tuple[int, int]], *, positions_fd: int) -> None:
        self.sizes = [size for _, size in rings]
        self.positions_fd = positions_fd
        self.closed = False

    def close(self) -> None:
        """Note it."""
        self.closed = True


@pytest.fixture(name="rings")
def _rings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a reader without rings in place."""
    monkeypatch.setattr("pyloader.monitors.pinned.RingReader", _Rings)
    monkeypatch.setattr("pyloader.monitors.active.PerCpuArray", lambda *_, width: width)


def _found(bpffs: Bpffs) -> PinnedMonitor:
    """Return the pinned monitor."""
    found = bpffs.pins().find()
    assert found is not None
    return found


@pytest.mark.usefixtures("rings")
def test_nothing_is_pinned(bpffs: Bpffs) -> None:
    """Where nothing is pinned, nothing is found, and nothing is made by looking."""
    assert bpffs.pins().find() is None
    assert list(bpffs.root.iterdir()) == []


@pytest.mark.usefixtures("rings")
def test_half_removed_monitor_is_none(bpffs: Bpffs) -> None:
    """What an unload that was cut short has left is no pinned monitor, and is cleared away."""
    bpffs.load(b"one")
    (bpffs.pins().folder / "links" / "exec_1").unlink()

    assert bpffs.pins().find() is None
    assert bpffs.content() == set()


@pytest.mark.usefixtures("rings")
def test_upgrade_that_was_cut_short_is_finished(bpffs: Bpffs) -> None:
    """Who finds an upgrade between its two renames finds the new version, which is the one that speaks."""
    bpffs.load(b"one")
    _mark_ring(bpffs.pins())
    folder = bpffs.pins().folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            bpffs.load(b"two")
    folder.rename(folder.with_name("sample-old"))
    _found(bpffs).close()

    assert _state(bpffs.pins()) == State(b"two", 1, 1, 0, MARK)


def _interrupted(_path: Path, _target: Path) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("rings")
def test_counts_that_fail(bpffs: Bpffs, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the counters cannot be read, all that was opened is given back, and the pins stay."""

    def refuse(*_: object, width: int) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory", str(width))

    bpffs.load(b"one")
    before, content = len(list(Path("/proc/self/fd").iterdir())), bpffs.content()
    monkeypatch.setattr("pyloader.monitors.active.PerCpuArray", refuse)

    with pytest.raises(OSError, match="Cannot allocate"):
        bpffs.pins().find()
    assert before == len(list(Path("/proc/self/fd").iterdir()))
    assert content == bpffs.content()


@pytest.mark.usefixtures("rings")
def test_pinned_monitor(bpffs: Bpffs) -> None:
    """A pinned monitor tells the rungs in use by its programs, reads its rings with their sizes, and stays at work."""
    bpffs.kernel.refused = {"exec_1"}
    bpffs.load(b"one")
    before = bpffs.content()
    with _found(bpffs) as pinned:
        reader = cast("_Rings", pinned.reader)
        assert {hook: rung.program for hook, rung in pinned.rungs.items()} == {"exec": "exec_2", "exit": "exit_1"}
        assert set(pinned.programs) == {"exec_2", "exit_1"}
        assert reader.sizes == [RING_BYTES, RING_BYTES]
        assert pinned.transport is Transport.RING
        pinned.detach()
    pinned.close()

    assert reader.closed
    assert bpffs.content() == before


@pytest.mark.usefixtures("rings")
@pytest.mark.parametrize(
    ("refused", "absent", "rung", "programs"),
    [
        (set[str](), set[str](), "fexit/c", {"call_1", "further_1", "file_1"}),
        (set[str](), {"further_1"}, "fexit/c", {"call_1", "file_1"}),
        ({"call_1"}, set[str](), "kretprobe/c", {"call_2", "further_2", "file_1"}),
        ({"call_1", "call_2"}, set[str](), "none", {"file_1"}),
    ],
)
def test_rungs_of_several_programs(
    bpffs: Bpffs, refused: set[str], absent: set[str], rung: str, programs: set[str]
) -> None:
    """All programs of a rung are pinned, and tell the rung to whoever finds them; so does it if there are none."""
    bpffs.kernel.refused, bpffs.kernel.absent = refused, absent
    pins = bpffs.pins(monitor=RICH)
    pins.load(ring_bytes=RING_BYTES)

    assert programs == {path.name for path in (pins.folder / "links").iterdir()}
    with cast("PinnedMonitor", pins.find()) as pinned:
        assert programs == set(pinned.programs)
        assert {hook: rung.name for hook, rung in pinned.rungs.items()} == {"call": rung, "file": "fentry/f"}


@pytest.mark.usefixtures("rings")
def test_version_of_a_pinned_monitor(bpffs: Bpffs) -> None:
    """A pinned monitor tells whether it is of the installed version."""
    bpffs.load(b"one")
    with _found(bpffs) as pinned:
        assert pinned.is_of_this_version()
        bpffs.kernel.files["sample.bpf.o"] = b"two"
        assert not pinned.is_of_this_version()


@pytest.mark.usefixtures("rings")
def test_descriptors_are_given_back(bpffs: Bpffs) -> None:
    """A pinned monitor that is closed holds no descriptor."""
    bpffs.load(b"one")
    before = len(list(Path("/proc/self/fd").iterdir()))
    _found(bpffs).close()
    bpffs.load(b"two")

    assert before == len(list(Path("/proc/self/fd").iterdir()))
