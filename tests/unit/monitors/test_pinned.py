"""Monitors that stay at work: what is pinned, and what whoever looks for it finds."""

import os
from pathlib import Path
from typing import cast

import pytest

from pyloader.monitors import PinnedMonitor, Transport, pinned_monitors
from tests.unit.monitors.bpffs import MARK, RING_BYTES, SHARED, Bpffs, FakeRings, State, state_of
from tests.unit.monitors.kernel import MONITOR, RICH


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
    assert state_of(bpffs.pins()) == State(b"one", 0, 0, 0, bytes(len(MARK)))
    assert bpffs.kernel.last.sizes == {"vital": RING_BYTES, "common": RING_BYTES}
    assert bpffs.kernel.last.shared == {}
    assert bpffs.kernel.last.closed


def test_nothing_to_do(bpffs: Bpffs) -> None:
    """What is pinned in this version already is left alone."""
    bpffs.load(b"one")
    made = len(bpffs.kernel.made)

    assert not bpffs.load(b"one")
    assert len(bpffs.kernel.made) == made


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


@pytest.mark.usefixtures("rings")
def test_nothing_is_pinned(bpffs: Bpffs) -> None:
    """Where nothing is pinned, nothing is found, and nothing is made by looking."""
    assert bpffs.pins().find() is None
    assert list(bpffs.root.iterdir()) == []


@pytest.mark.usefixtures("rings")
def test_pinned_monitor(bpffs: Bpffs) -> None:
    """A pinned monitor tells the rungs in use by its programs, reads its rings with their sizes, and stays at work."""
    bpffs.kernel.refused = {"exec_1"}
    bpffs.load(b"one")
    before = bpffs.content()
    with bpffs.found() as pinned:
        reader = cast("FakeRings", pinned.reader)
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
    with bpffs.found() as pinned:
        assert pinned.is_of_this_version()
        bpffs.kernel.files["sample.bpf.o"] = b"two"
        assert not pinned.is_of_this_version()


@pytest.mark.usefixtures("rings")
def test_descriptors_are_given_back(bpffs: Bpffs) -> None:
    """A pinned monitor that is closed holds no descriptor."""
    bpffs.load(b"one")
    before = len(list(Path("/proc/self/fd").iterdir()))
    bpffs.found().close()
    bpffs.load(b"two")

    assert before == len(list(Path("/proc/self/fd").iterdir()))
