"""The pinned sources: only the pinned bytes are ever unpacked, and every failure says what to do."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bpf.build import debian, sources
from bpf.build.failure import BuildError

Pin = Callable[[bytes], None]

CONTENT = b"int answer = 42;\n"


def _archive(name: str = "thing-1.0/src/thing.c") -> bytes:
    """Return an archive with one file in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(CONTENT)
        tar.addfile(member, io.BytesIO(CONTENT))
    return buffer.getvalue()


@pytest.fixture(name="pin")
def _pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pin:
    """Return a function that pins the given bytes as the only source, in a work folder of its own."""
    monkeypatch.setattr(sources, "WORK", tmp_path / "work")
    monkeypatch.setattr(sources, "PINS", tmp_path / "sources.toml")
    monkeypatch.setenv("PYLOADER_SOURCES", str(tmp_path))

    def pin(archive: bytes) -> None:
        (tmp_path / "sources.toml").write_text(
            'suite = "any"\n[thing]\npackage = "thing"\nversion = "1.0"\narchive = "thing.tar.gz"\n'
            f'sha256 = "{hashlib.sha256(archive).hexdigest()}"\nkeep = ["src/*"]\nlicences = ["LICENSE"]\n'
        )

    return pin


def test_pinned_archive_is_unpacked(tmp_path: Path, pin: Pin) -> None:
    """An archive with the pinned checksum is unpacked without its top folder."""
    (tmp_path / "thing.tar.gz").write_bytes(_archive())
    pin(_archive())

    assert (sources.unpacked()["thing"].folder / "src/thing.c").read_bytes() == CONTENT


def test_other_bytes_are_refused(tmp_path: Path, pin: Pin) -> None:
    """An archive with another checksum is not unpacked, and the error names both checksums."""
    (tmp_path / "thing.tar.gz").write_bytes(_archive() + b"more")
    pin(_archive())

    with pytest.raises(BuildError, match=r"has sha256 [0-9a-f]{64}, but sources\.toml pins [0-9a-f]{64}: delete"):
        sources.unpacked()
    assert not sources.pinned()["thing"].folder.exists()


def test_missing_archive_is_named(pin: Pin) -> None:
    """An archive that is not in the folder of `PYLOADER_SOURCES` is named in the error."""
    pin(_archive())

    with pytest.raises(BuildError, match=r"thing\.tar\.gz is not in .*: put it there"):
        sources.unpacked()


def test_path_out_of_the_folder_is_refused(tmp_path: Path, pin: Pin) -> None:
    """An archive cannot write outside the folder it is unpacked in."""
    hostile = _archive("thing-1.0/src/../../../escaped.c")
    (tmp_path / "thing.tar.gz").write_bytes(hostile)
    pin(hostile)

    with pytest.raises(BuildError, match="leads out of its folder"):
        sources.unpacked()
    assert not list(tmp_path.rglob("escaped.c"))


def test_absent_archives_are_fetched_once(pin: Pin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `PYLOADER_SOURCES` an archive is downloaded, and the second time nothing is."""
    fetched: list[tuple[str, ...]] = []

    def fetch(packages: list[str], suite: str, folder: Path) -> None:
        fetched.append((suite, *packages))
        folder.mkdir(parents=True)
        (folder / "thing.tar.gz").write_bytes(_archive())

    monkeypatch.delenv("PYLOADER_SOURCES")
    monkeypatch.setattr(debian, "fetch", fetch)
    pin(_archive())
    sources.unpacked()
    sources.unpacked()

    assert fetched == [("any", "thing")]


def test_every_licence_is_in_its_archive() -> None:
    """The licence texts named beside the pins are all in the pinned archives."""
    texts = [path for source in sources.unpacked().values() for path in source.licence_files]

    assert texts
    assert all(path.stat().st_size for path in texts)
