"""Monitors that stay at work when no process holds them: pinned in bpffs.

    /sys/fs/bpf/pyloader/INSTANCE/MONITOR/{links,maps,programs}/NAME

The folders belong to root alone. Whoever reads next finds in the rings what came while nobody read, and what was read
but not acknowledged.

An upgrade attaches new programs beside the old ones, on the same maps, and then changes the one word that says which of
them speak (bpf/charge.bpf.h); no event is missed and none is told twice.
"""

import errno
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from pyloader.binding import (
    BpfObject,
    Descriptor,
    ProgramInfo,
    RingReader,
    map_info,
    open_pinned,
    pin,
    program_info,
    read_numbers,
    write_numbers,
)
from pyloader.errors import LoadError, UnsupportedError
from pyloader.monitors.active import ActiveMonitor
from pyloader.monitors.climb import Climbed, climb, digest, object_file
from pyloader.monitors.instance import only_one
from pyloader.monitors.ladder import Monitor, Rung
from pyloader.monitors.prepare import LANE_RINGS, RINGS, SAMPLES, SETTINGS, SETTINGS_LAYOUT, prepare
from pyloader.monitors.transport import Transport, best_transport

BPFFS = Path("/sys/fs/bpf")

_PATIENCE = 10.0
"""Seconds to wait for another process that changes the same pins; an upgrade takes less than one."""

_CHARGE_LAYOUT = "=II"
"""`struct charge` in bpf/charge.bpf.h: the generation that speaks, and whether an upgrade is under way."""

_NOT_PINNABLE = "this kernel cannot pin a hook that is in use here (plain tracepoints and kprobes need Linux 5.15)"

_OWN_MAPS = (SETTINGS, SAMPLES, "slots", "workspaces", "blank")
"""Maps that every generation has for itself; it shares all others with the one before."""


class Pins:
    """Where one monitor of one instance is pinned."""

    def __init__(self, monitor: Monitor, instance: str, bpffs: Path = BPFFS) -> None:
        self.monitor = monitor
        self.folder = bpffs / "pyloader" / instance / monitor.name
        self._new = self.folder.with_name(f"{monitor.name}-new")
        self._old = self.folder.with_name(f"{monitor.name}-old")

    def exist(self) -> bool:
        """Return whether the monitor is pinned. Raises `UnsupportedError` if what is there is somebody else's."""
        for folder in (self.folder.parent.parent, self.folder.parent):
            _require_private(folder)
        return self.folder.is_dir() or self._old.is_dir()

    def recover(self) -> None:
        """Finish what an interrupted `load` began, or undo it, by which generation speaks."""
        if self._new.is_dir() and self.exist() and self._speaks(self._new):
            if self.folder.is_dir():
                self.folder.rename(self._old)
            self._new.rename(self.folder)
        elif not self.folder.is_dir() and self._old.is_dir():
            self._old.rename(self.folder)
        _remove(self._new)
        _remove(self._old)
        if self.folder.is_dir() and not _is_complete(self.folder):
            # An `unload` was cut short: nothing is at work, or nobody could read what is.
            _remove(self.folder)
        if self.exist():
            with Generation(self.folder) as generation:
                write_numbers(generation.map_fd("charge"), 0, _CHARGE_LAYOUT, generation.number, 0)

    def load(self, *, ring_bytes: int, btf: Path | None = None) -> bool:
        """Load, attach and pin the monitor, or upgrade what is pinned; return whether there was anything to do.

        Raises `LoadError` or `UnsupportedError`; what was pinned before is then as it was.
        """
        self._require_bpffs()
        with self.alone():
            self.recover()
            if not self.exist():
                self._pin(0, ring_bytes, {}, btf)
                self._new.rename(self.folder)
                return True
            with Generation(self.folder) as running:
                if running.object_digest == digest(object_file(self.monitor)):
                    return False
                self._upgrade(running, ring_bytes, btf)
            return True

    def find(self) -> "PinnedMonitor | None":
        """Return the monitor if it is pinned, whole and ours, to be read and closed."""
        if not self.exist():
            return None
        with self.alone():
            self.recover()
            return PinnedMonitor(self, Generation(self.folder)) if self.exist() else None

    def unload(self) -> bool:
        """Remove exactly what is ours; return whether there was anything."""
        with self.alone():
            existed = self.exist()
            for folder in (self.folder, self._new, self._old):
                _remove(folder)
            for folder in (self.folder.parent, self.folder.parent.parent):
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()
            return existed

    def alone(self) -> AbstractContextManager[None]:
        """Hold off other processes that would change the same pins."""
        return only_one(f"{self.folder.parent.name}/{self.folder.name}/pins", patience=_PATIENCE)

    def _speaks(self, folder: Path) -> bool:
        """Return whether a folder is complete and holds the generation in charge."""
        try:
            with Generation(folder) as generation:
                speaking = read_numbers(generation.map_fd("charge"), 0, _CHARGE_LAYOUT)[0]
                return speaking == generation.number
        except (OSError, KeyError):
            return False

    def _upgrade(self, running: "Generation", ring_bytes: int, btf: Path | None) -> None:
        following = running.number + 1
        charge = running.map_fd("charge")
        # The new programs are attached and silent, then they speak and the old are silent, then the old are gone.
        write_numbers(charge, 0, _CHARGE_LAYOUT, running.number, 1)
        try:
            self._pin(following, ring_bytes, running.shared_maps(), btf)
        except BaseException:
            write_numbers(charge, 0, _CHARGE_LAYOUT, running.number, 0)
            raise
        write_numbers(charge, 0, _CHARGE_LAYOUT, following, 1)
        self.folder.rename(self._old)
        self._new.rename(self.folder)
        _remove(self._old)
        write_numbers(charge, 0, _CHARGE_LAYOUT, following, 0)

    def _pin(self, generation: int, ring_bytes: int, shared: dict[str, Descriptor], btf: Path | None) -> None:
        """Load and attach a generation and pin it in the folder for new ones."""
        mark = digest(object_file(self.monitor))

        def ready(loaded: BpfObject) -> None:
            prepare(
                loaded,
                transport=Transport.RING,
                ring_bytes=ring_bytes,
                generation=generation,
                object_digest=mark,
            )
            for name in shared.keys() & set(loaded.maps()):
                loaded.share_map(name, shared[name].fileno())

        climbed = climb(self.monitor, ready, btf=btf)
        with climbed.held:
            try:
                self._pin_all(climbed)
            except OSError as error:
                _remove(self._new)
                reason = _NOT_PINNABLE if error.errno == errno.EINVAL else error.strerror
                message = f"cannot pin {self.monitor.name} in {self.folder.parent}: {reason}"
                raise LoadError(message) from error
            except BaseException:
                _remove(self._new)
                raise

    def _pin_all(self, climbed: Climbed) -> None:
        _make_private(self.folder.parent)
        for kind in ("maps", "programs", "links"):
            (self._new / kind).mkdir(mode=0o700, parents=True)
        for name in climbed.object.maps():
            if name not in {SAMPLES, *LANE_RINGS}:
                pin(climbed.object.map_fd(name), self._new / "maps" / name.removeprefix(".rodata."))
        for program, link in climbed.links.items():
            pin(climbed.object.program_fd(program), self._new / "programs" / program)
            pin(link.fileno(), self._new / "links" / program)

    def _require_bpffs(self) -> None:
        """Raise `UnsupportedError` where nothing can be pinned."""
        bpffs = self.folder.parents[2]
        if best_transport() is not Transport.RING:
            message = (
                "this kernel has no BPF ring buffer, and nothing else outlives its reader; pinning needs Linux 5.8"
            )
            raise UnsupportedError(message)
        if not os.path.ismount(bpffs):
            message = f"bpffs is not mounted at {bpffs}; mount it: mount -t bpf bpf {bpffs}"
            raise UnsupportedError(message)
        if self.folder.exists() and not self.folder.is_dir():
            message = f"{self.folder} is not ours, and in the way of our pins; remove it, or use another --instance"
            raise UnsupportedError(message)


class Generation:
    """The programs and maps in one folder of pins, opened."""

    def __init__(self, folder: Path) -> None:
        self._held = ExitStack()
        self._maps: dict[str, Descriptor] = {}
        self.folder = folder
        try:
            for path in sorted((folder / "maps").iterdir()):
                self._maps[path.name] = self._held.enter_context(open_pinned(path))
            _, number, mark, *_ = read_numbers(self.map_fd("settings"), 0, SETTINGS_LAYOUT)
            self.number, self.object_digest = cast("int", number), cast("bytes", mark)
        except BaseException:
            self.close()
            raise

    def map_fd(self, name: str) -> int:
        """Return the descriptor of a map; it belongs to this object."""
        return self._maps[name].fileno()

    def shared_maps(self) -> dict[str, Descriptor]:
        """Return the maps that the next generation goes on with."""
        own = {name.removeprefix(".rodata.") for name in _OWN_MAPS}
        return {name: descriptor for name, descriptor in self._maps.items() if name not in own}

    def programs(self) -> dict[str, ProgramInfo]:
        """Return what the kernel tells of each program."""
        infos = {}
        for path in sorted((self.folder / "programs").iterdir()):
            with open_pinned(path) as descriptor:
                infos[path.name] = program_info(descriptor.fileno())
        return infos

    def close(self) -> None:
        """Give the descriptors back. Further calls do nothing."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class PinnedMonitor(ActiveMonitor):
    """A monitor that was found pinned: read by this process, and at work without it."""

    transport = Transport.RING

    def __init__(self, pins: Pins, generation: Generation) -> None:
        self.monitor = pins.monitor
        self.generation = generation
        self._held = ExitStack()
        self._held.callback(generation.close)
        try:
            self.programs = generation.programs()
            self.rungs = _rungs(pins.monitor, self.programs)
            rings = [generation.map_fd(ring) for ring in RINGS]
            self.reader = RingReader(
                [(fd, map_info(fd).max_entries) for fd in rings], positions_fd=generation.map_fd("positions")
            )
            self._held.callback(self.reader.close)
            self._count_with(generation.map_fd("tallies"), generation.map_fd("reported"))
        except BaseException:
            self.close()
            raise

    def map_fd(self, name: str) -> int | None:
        """Return the descriptor of a map, which belongs to the monitor, or `None` if there is no such map."""
        try:
            return self.generation.map_fd(name)
        except KeyError:
            return None

    def is_of_this_version(self) -> bool:
        """Return whether the programs are those of the installed package."""
        return self.generation.object_digest == digest(object_file(self.monitor))

    def close(self) -> None:
        """Stop reading; the monitor stays at work. Further calls do nothing."""
        self._held.close()


def pinned_monitors(instance: str, monitors: Iterable[Monitor], bpffs: Path = BPFFS) -> list[Pins]:
    """Return the pins of those monitors of an instance that are pinned."""
    return [pins for pins in (Pins(monitor, instance, bpffs) for monitor in monitors) if pins.exist()]


def _rungs(monitor: Monitor, programs: Iterable[str]) -> dict[str, Rung]:
    """Return which rung of each hook is in use, by the names of the programs; the last one has none."""
    present = {"", *programs}
    return {
        hook.name: next(rung for rung in hook.rungs if rung.program in present)
        for hook in monitor.hooks
        if any(rung.program in present for rung in hook.rungs)
    }


def _is_complete(folder: Path) -> bool:
    """Return whether a folder holds all that a reader needs, and links."""
    try:
        with Generation(folder) as generation:
            for name in (*RINGS, "positions", "tallies", "reported", "charge"):
                generation.map_fd(name)
        # Links are removed first, so an interruption shows in them.
        return {one.name for one in (folder / "links").iterdir()} == {
            one.name for one in (folder / "programs").iterdir()
        }
    except (OSError, KeyError):
        return False


def _require_private(folder: Path) -> None:
    """Raise `UnsupportedError` if a folder exists and others made it, or may write to it."""
    if folder.is_dir():
        found = folder.lstat()
        if os.geteuid() != 0 == found.st_uid:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            message = f"{folder} belongs to somebody else, or others may write to it; remove it: rm -r {folder}"
            raise UnsupportedError(message)


def _make_private(folder: Path) -> None:
    """Make a folder, and those above it that are ours, for root alone."""
    for one in (folder.parent, folder):
        one.mkdir(mode=0o700, exist_ok=True)


def _remove(folder: Path) -> None:
    """Remove a folder of pins, links first, so that nothing speaks into maps that are going."""
    for kind in ("links", "programs", "maps"):
        if (folder / kind).is_dir():
            for pinned in (folder / kind).iterdir():
                pinned.unlink()
            (folder / kind).rmdir()
    if folder.is_dir():
        folder.rmdir()
