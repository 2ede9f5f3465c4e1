"""Only undamaged object files are handed on."""

import hashlib
from pathlib import Path

import pytest

from pyloader.errors import ObjectError
from pyloader.monitors import MONITORS, Monitor
from pyloader.monitors.objects import MANIFEST, read_object

NAME = "sample.bpf.o"
CONTENT = b"an object"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Return a folder with one object and its manifest."""
    (tmp_path / NAME).write_bytes(CONTENT)
    (tmp_path / MANIFEST).write_text(f"{hashlib.sha256(CONTENT).hexdigest()}  {NAME}\n")
    return tmp_path


@pytest.mark.parametrize("monitor", MONITORS.values(), ids=MONITORS)
def test_objects_that_ship(monitor: Monitor) -> None:
    """Every object of every monitor is undamaged."""
    for name in (monitor.object, monitor.untyped_object):
        assert not name or read_object(name).startswith(b"\x7fELF")


def test_undamaged_object(folder: Path) -> None:
    """What the manifest lists with its checksum is returned."""
    assert read_object(NAME, folder) == CONTENT


def test_damaged_object(folder: Path) -> None:
    """What has another checksum is refused by name."""
    (folder / NAME).write_bytes(b"an Object")

    with pytest.raises(ObjectError) as caught:
        read_object(NAME, folder)

    assert str(caught.value) == (
        f"the BPF object {folder / NAME} is damaged: its checksum is not the manifest's; reinstall pyloader-ebpf"
    )


@pytest.mark.parametrize("name", [NAME, MANIFEST])
def test_missing_file(folder: Path, name: str) -> None:
    """Without the object or without the manifest nothing is handed on."""
    (folder / name).unlink()

    with pytest.raises(ObjectError) as caught:
        read_object(NAME, folder)

    assert str(caught.value) == f"{folder / name} is missing; reinstall pyloader-ebpf"


def test_file_that_cannot_be_read(folder: Path) -> None:
    """Any other reason is told as the system gives it."""
    (folder / NAME).unlink()
    (folder / NAME).mkdir()

    with pytest.raises(ObjectError, match=r"cannot be read: Is a directory; reinstall pyloader-ebpf"):
        read_object(NAME, folder)


@pytest.mark.parametrize("manifest", [b"", b"\xff\xfe\n\n", b"0123  other.bpf.o\n"])
def test_manifest_that_does_not_list_it(folder: Path, manifest: bytes) -> None:
    """A damaged manifest, or one of other objects, vouches for nothing."""
    (folder / MANIFEST).write_bytes(manifest)

    with pytest.raises(ObjectError, match=r"SHA256SUMS does not list sample\.bpf\.o; reinstall pyloader-ebpf"):
        read_object(NAME, folder)
