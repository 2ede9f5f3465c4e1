"""The pinned third-party sources: found or downloaded, checked, unpacked."""

import fnmatch
import hashlib
import os
import shutil
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from bpf.build import debian
from bpf.build.failure import BuildError
from bpf.build.layout import WORK

ENVIRONMENT_VARIABLE = "PYLOADER_SOURCES"
PINS = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True)
class Source:
    """One pinned archive of `sources.toml`."""

    name: str
    package: str
    version: str
    archive: str
    sha256: str
    keep: list[str]
    licences: list[str]

    @property
    def folder(self) -> Path:
        """Where the archive is unpacked; the name changes with the content."""
        return WORK / "sources" / f"{self.name}-{self.version}-{self.sha256[:8]}"

    @property
    def licence_files(self) -> list[Path]:
        """The licence texts that must travel with a binary."""
        return [self.folder / name for name in self.licences]


def pinned() -> dict[str, Source]:
    """Return every pinned source by its name."""
    table = tomllib.loads(PINS.read_text(encoding="utf-8"))
    return {name: Source(name=name, **pin) for name, pin in table.items() if isinstance(pin, dict)}


def unpacked() -> dict[str, Source]:
    """Return the pinned sources after making sure that each is unpacked in its folder."""
    sources = pinned()
    missing = [source for source in sources.values() if not source.folder.exists()]
    if missing:
        archives = _archives(missing)
        for source in missing:
            _check(archives / source.archive, source.sha256)
            _unpack(archives / source.archive, source)
    return sources


def _archives(missing: list[Source]) -> Path:
    """Return a folder that holds the archives of all `missing` sources."""
    if named := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(named)
    folder = WORK / "sources"
    absent = [source.package for source in missing if not (folder / source.archive).exists()]
    if absent:
        suite = tomllib.loads(PINS.read_text(encoding="utf-8"))["suite"]
        debian.fetch(absent, suite, folder)
    return folder


def _check(archive: Path, sha256: str) -> None:
    """Raise BuildError unless `archive` exists and has exactly the pinned content."""
    if not archive.exists():
        message = f"{archive.name} is not in {archive.parent}: put it there, or change {PINS.name} with its checksum"
        raise BuildError(message)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != sha256:
        message = (
            f"{archive} has sha256 {found}, but {PINS.name} pins {sha256}: delete the file and build again; "
            "if it stays different, do not use it"
        )
        raise BuildError(message)


def _unpack(archive: Path, source: Source) -> None:
    """Write the wanted regular files of `archive`, without its top folder, into the source's folder.

    The files are written by name instead of with `extractall`: the `filter` argument that makes that safe
    is missing from Python 3.11.2, the one of Debian 12.
    """
    partial = source.folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with tarfile.open(archive) as tar:
        for member in tar:
            _, _, path = member.name.partition("/")
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or not any(fnmatch.fnmatchcase(path, pattern) for pattern in source.keep):
                continue
            if ".." in Path(path).parts:
                message = f"{archive} holds the path {member.name!r}, which leads out of its folder"
                raise BuildError(message)
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            (partial / path).write_bytes(content.read())
    partial.rename(source.folder)
