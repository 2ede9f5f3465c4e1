"""The folder that holds the state: where it is by default, whose it must be, and that only one sensor uses it.

All files in it are opened through the folder itself, so that nobody can put another one in its place meanwhile.
"""

import fcntl
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from pyloader.errors import BusyError, StateError

SYSTEM: Final = Path("/var/lib/pyloader")

_HOLDER: Final = "holder"
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def default_folder(uid: int, environment: Mapping[str, str]) -> Path:
    """Return where the state is unless the user says otherwise.

    That is where the service manager says (`StateDirectory=` of systemd), or /var/lib/pyloader for root, or else where
    the XDG base directories are.
    """
    given = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if given.startswith("/"):
        return Path(given)
    if uid == 0:
        return SYSTEM
    base = environment.get("XDG_STATE_HOME", "")
    home = Path(base) if base.startswith("/") else Path(environment.get("HOME", "/")) / ".local" / "state"
    return home / "pyloader"


class Folder:
    """A folder that was opened and locked. Usable as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open a folder; it is made if it is missing.

        Raises `StateError` if it cannot be made or others may write to it, and `BusyError` if another sensor uses it.
        """
        self.path = path
        self._descriptor = -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            message = f"cannot keep state in {path}: {error.strerror}; choose another folder with --state-dir"
            raise StateError(message) from error
        try:
            self._check()
            self._lock()
        except BaseException:
            self.close()
            raise

    def names(self) -> list[str]:
        """Return the names of the files."""
        with os.scandir(self._descriptor) as entries:
            return sorted(entry.name for entry in entries)

    def read(self, name: str) -> bytes:
        """Return the contents of a file."""
        with os.fdopen(self._open(name, os.O_RDONLY), "rb") as file:
            return file.read()

    def write(self, name: str, data: bytes) -> None:
        """Write a file that only its owner can read, and wait until the disk has it."""
        descriptor = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            os.fchmod(descriptor, 0o600)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; what had it is gone."""
        os.rename(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Remove a file."""
        os.unlink(name, dir_fd=self._descriptor)

    def sync(self) -> None:
        """Wait until the disk has the names as they are."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Unlock and close it. Further calls do nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=self._descriptor)

    def _check(self) -> None:
        found = os.fstat(self._descriptor)
        if found.st_uid not in (0, os.geteuid()):
            message = (
                f"{self.path} belongs to user {found.st_uid}, who could change it; choose another with --state-dir"
            )
            raise StateError(message)
        if found.st_mode & _OTHERS:
            message = f"others may write to {self.path} and change what the sensor knows; forbid it with chmod go-w"
            raise StateError(message)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = "another sensor"
            with suppress(OSError, ValueError):
                holder = f"the sensor with pid {int(self.read(_HOLDER))}"
            message = f"{holder} keeps its state in {self.path}; choose another folder with --state-dir"
            raise BusyError(message) from error
        # It only serves the message above: a full disk is no reason to fail.
        with suppress(OSError):
            self.write(_HOLDER, b"%d\n" % os.getpid())
