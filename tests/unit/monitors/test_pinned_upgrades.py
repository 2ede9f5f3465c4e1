"""Upgrades of monitors that stay at work, and what is left when a process is killed in the middle of a change."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.monitors.bpffs import MARK, SHARED, Bpffs, State, mark_ring, state_of, write_numbers


def test_upgrade(bpffs: Bpffs) -> None:
    """Another version takes over the maps with all they hold, speaks from then on, and the old one is gone."""
    bpffs.load(b"one")
    mark_ring(bpffs.pins())

    assert bpffs.load(b"two")
    assert state_of(bpffs.pins()) == State(b"two", 1, 1, 0, MARK)
    assert set(bpffs.kernel.last.shared) == SHARED
    assert bpffs.load(b"three")
    assert state_of(bpffs.pins()) == State(b"three", 2, 2, 0, MARK)


def test_upgrade_from_shorter_settings(bpffs: Bpffs) -> None:
    """A version whose settings had no size of a page yet is upgraded like any other."""
    bpffs.load(b"one")
    settings = bpffs.pins().folder / "maps" / "settings"
    settings.write_bytes(settings.read_bytes()[:-4])

    assert bpffs.load(b"two")
    assert state_of(bpffs.pins()) == State(b"two", 1, 1, 0, bytes(len(MARK)))


@pytest.mark.usefixtures("rings")
def test_upgrade_that_was_cut_short_is_finished(bpffs: Bpffs) -> None:
    """Who finds an upgrade between its two renames finds the new version, which is the one that speaks."""
    bpffs.load(b"one")
    mark_ring(bpffs.pins())
    folder = bpffs.pins().folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            bpffs.load(b"two")
    folder.rename(folder.with_name("sample-old"))
    bpffs.found().close()

    assert state_of(bpffs.pins()) == State(b"two", 1, 1, 0, MARK)


def _interrupted(_path: Path, _target: Path) -> None:
    raise KeyboardInterrupt


class _Killed:
    """Counts what changes the pins, and ends the process, as SIGKILL would, before the change with a given number."""

    def __init__(self, bpffs: Bpffs, patch: pytest.MonkeyPatch, number: int | None) -> None:
        self.count = 0
        self._number = number
        patch.setattr("pyloader.monitors.pinned.pin", self._before(bpffs.pin))
        patch.setattr("pyloader.monitors.pinned.write_numbers", self._before(write_numbers))
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
        mark_ring(bpffs.pins())

    versions = []
    for _ in _trials(bpffs, before, upgraded):
        assert bpffs.pins().exist()
        bpffs.pins().recover()
        state = state_of(bpffs.pins())
        assert state is not None
        assert (state.speaks, state.handover, state.ring) == (state.generation, 0, MARK)
        versions.append(state.version)
        assert bpffs.load(b"three")
        assert state_of(bpffs.pins()) == State(b"three", state.generation + 1, state.generation + 1, 0, MARK)

    assert sorted(versions) == versions
    assert set(versions) == {b"one", b"two"}


def test_killed_first_load(bpffs: Bpffs, upgraded: Callable[[], bool]) -> None:
    """Whenever a first load is killed, the monitor is pinned whole or not at all, and the next load pins it."""
    for _ in _trials(bpffs, lambda: None, upgraded):
        if bpffs.pins().exist():
            assert state_of(bpffs.pins()) is not None
        bpffs.load(b"two")
        assert state_of(bpffs.pins()) == State(b"two", 0, 0, 0, bytes(len(MARK)))


def test_killed_unload(bpffs: Bpffs) -> None:
    """Whenever an unload is killed, the next load pins the monitor whole again."""
    for _ in _trials(bpffs, lambda: bpffs.load(b"one"), lambda: bpffs.pins().unload()):
        bpffs.load(b"one")
        assert state_of(bpffs.pins()) is not None


def test_killed_recovery(bpffs: Bpffs, upgraded: Callable[[], bool]) -> None:
    """A recovery that is killed, too, is made up for by the next."""
    bpffs.load(b"one")
    for number in range(_changes(bpffs, upgraded)):
        bpffs.pins().unload()
        bpffs.load(b"one")
        mark_ring(bpffs.pins())
        assert _killed_before(bpffs, number, upgraded)
        again = 0
        while _killed_before(bpffs, again, bpffs.pins().recover):
            again += 1
        state = state_of(bpffs.pins())
        assert state is not None
        assert (state.speaks, state.handover, state.ring) == (state.generation, 0, MARK)
