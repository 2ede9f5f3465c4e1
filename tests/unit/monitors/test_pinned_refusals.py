"""Monitors that cannot be pinned or found: what the kernel refuses, what others have in the way, what is half gone."""

import errno
from pathlib import Path

import pytest

from pyloader.errors import LoadError, UnsupportedError
from pyloader.monitors import Transport
from tests.unit.monitors.bpffs import MARK, Bpffs, State, state_of


def test_upgrade_whose_programs_are_refused(bpffs: Bpffs) -> None:
    """If the kernel refuses the new version, the old one stays and speaks as before."""
    bpffs.load(b"one")
    before = bpffs.content()
    bpffs.kernel.refused = {"exit_1", "exit_2"}

    with pytest.raises(LoadError):
        bpffs.load(b"two")
    assert state_of(bpffs.pins()) == State(b"one", 0, 0, 0, bytes(len(MARK)))
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


@pytest.mark.usefixtures("rings")
def test_half_removed_monitor_is_none(bpffs: Bpffs) -> None:
    """What an unload that was cut short has left is no pinned monitor, and is cleared away."""
    bpffs.load(b"one")
    (bpffs.pins().folder / "links" / "exec_1").unlink()

    assert bpffs.pins().find() is None
    assert bpffs.content() == set()


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
