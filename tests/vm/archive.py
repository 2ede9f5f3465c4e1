"""Debian packages of any suite and architecture, from the mirrors that this machine's apt already uses.

Nothing is installed. Everything apt writes goes to a folder of ours, so neither the machine's package lists change nor
are privileges needed.
"""

import os
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from tests.vm.kernels import DEBIAN_NAMES

USERLAND_SUITE = "bookworm"
"""Where everything but the kernels comes from."""

SUITES = ("bullseye", USERLAND_SUITE, "bookworm-backports", "trixie", "trixie-backports", "sid")
SECURITY_SUITES = ("bullseye-security", "bookworm-security", "trixie-security")

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_LIST_AGE = 7 * 24 * 3600
"""Seconds after which the package lists are fetched anew."""
_FAILED_LIST_AGE = 3600
"""The same, when a download fails."""


class ArchiveError(Exception):
    """A package cannot be had; the message says why."""


class Archive:
    """Debian packages, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._packages = folder / "packages"
        self._names = folder / "names.txt"
        self._packages.mkdir(parents=True, exist_ok=True)

    def names(self, max_age: float = _LIST_AGE) -> list[str]:
        """Return the names of all kernel packages in all suites and architectures, from lists up to this old."""
        if not self._names.exists() or time.time() - self._names.stat().st_mtime > max_age:
            complaint = self._update()
            names = self._apt("apt-cache", "pkgnames", "linux-")
            if not names and not self._names.exists():
                message = f"no Debian mirror could be read: {complaint}"
                raise ArchiveError(message)
            if names:
                self._names.write_text(names)
        return self._names.read_text().split()

    def fetch(self, packages: Sequence[str], architecture: str) -> list[Path]:
        """Return the files of some packages, downloaded once."""
        debian = DEBIAN_NAMES[architecture]
        files = {name: self._packages / f"{name}_{debian}.deb" for name in packages}
        if missing := [name for name, file in files.items() if not file.exists()]:
            self.names()
            self._download(missing, debian, files)
        return list(files.values())

    def forget(self, file: Path) -> None:
        """Remove the file of a package of which everything useful was taken."""
        file.unlink()

    def _download(self, names: Sequence[str], architecture: str, files: dict[str, Path]) -> None:
        fresh = self._packages / "partial"
        fresh.mkdir(exist_ok=True)
        wanted = [f"{name}:{architecture}" for name in names]
        try:
            self._apt("apt-get", "download", *wanted, folder=fresh)
        except ArchiveError:
            # What has been replaced since the lists were fetched is no longer there.
            self.names(max_age=_FAILED_LIST_AGE)
            self._apt("apt-get", "download", *wanted, folder=fresh)
        for downloaded in fresh.glob(f"*_{architecture}.deb"):
            downloaded.rename(files[downloaded.name.partition("_")[0]])

    def _update(self) -> str:
        """Fetch the package lists; return apt's complaint. A suite that has gone does not spoil the others."""
        for name in ("lists/partial", "cache/archives/partial"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        options = f"arch={','.join(DEBIAN_NAMES.values())}"
        if _KEYRING.exists():
            options += f" signed-by={_KEYRING}"
        mirrors = _mirrors()
        lines = [f"deb [{options}] {mirrors['']} {suite} main" for suite in SUITES]
        if "-security" in mirrors:
            lines += [f"deb [{options}] {mirrors['-security']} {suite} main" for suite in SECURITY_SUITES]
        (self._folder / "sources.list").write_text("\n".join(lines) + "\n")
        try:
            self._apt("apt-get", "update")
        except ArchiveError as error:
            return str(error)
        return ""

    def _apt(self, program: str, *arguments: str, folder: Path | None = None) -> str:
        options = {
            "Dir::Etc::sourcelist": self._folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State::Lists": self._folder / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": self._folder / "cache",
            # As root apt would drop to a user that may not enter the checkout.
            "APT::Sandbox::User": "",
            "APT::Default-Release": USERLAND_SUITE,
            "Acquire::Languages": "none",
            "Acquire::PDiffs": "false",
        }
        foreign = [f"-oAPT::Architectures::={name}" for name in DEBIAN_NAMES.values()]
        return _run(
            [program, "-qq", *foreign, *(f"-o{key}={value}" for key, value in options.items()), *arguments], folder
        )


@contextmanager
def contents(package: Path) -> Iterator[Iterator[tuple[tarfile.TarInfo, bytes]]]:
    """Give the files of a package with their contents, in the order of the package."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpacker:
        stream = cast("IO[bytes]", unpacker.stdout)
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            yield ((member, _data(tar, member)) for member in tar)
        stream.close()


def _data(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member) if member.isreg() else None
    return file.read() if file else b""


def _mirrors() -> dict[str, str]:
    """Return the addresses of Debian's main archive (under "") and of its security archive, if apt knows it."""
    rows = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"])
    release = next(
        line.partition("=")[2].strip('"')
        for line in Path("/etc/os-release").read_text().splitlines()
        if line.startswith("VERSION_CODENAME=")
    )
    known = {row.split()[1]: row.split()[0] for row in rows.splitlines()}
    mirrors = {suffix: known[release + suffix] for suffix in ("", "-security") if release + suffix in known}
    if "" not in mirrors:
        message = f"apt knows no mirror of Debian's main archive for {release}: the VM tests need Debian"
        raise ArchiveError(message)
    return mirrors


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"LC_ALL": "C"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        message = f"{command[0]} failed: {done.stderr.strip()}"
        raise ArchiveError(message)
    return done.stdout
