"""Snapshots in a folder: the last two, each whole or not there at all.

A snapshot is written under another name, is waited for until the disk has it, and then takes the place of the last one,
which takes that of the one before. So at every moment there is one that is whole, whatever ends the sensor or the host.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self, TypeVar

from pyloader.errors import NewerStateError, StateError
from pyloader.state.folder import Folder
from pyloader.state.snapshot import Snapshot, pack, unpack

Used = TypeVar("Used")

LAST: Final = "snapshot"
PREVIOUS: Final = "snapshot.previous"
KEPT: Final = 3
"""So many damaged snapshots are kept for whoever wants to know why; those of later versions are never removed."""

_NEW: Final = "snapshot.new"


class Store:
    """The snapshots of one sensor. `failures` counts those that could not be written.

    Usable as a context manager. Raises what `Folder` raises.
    """

    def __init__(self, path: Path) -> None:
        self._folder = Folder(path)
        self._fails = False
        self.failures = 0

    def load(self, use: Callable[[Snapshot], Used]) -> tuple[Used | None, list[str]]:
        """Return what `use` makes of the newest usable snapshot, and in sentences what was wrong on the way to it.

        A snapshot is usable if it is whole and `use` raises no `StateError`. Any other, and one that a later version
        has written, is given another name and so kept from being replaced.
        """
        findings: list[str] = []
        for name in (LAST, PREVIOUS):
            try:
                return use(unpack(self._folder.read(name))), findings
            except FileNotFoundError:
                continue
            except OSError as error:
                findings.append(self._set_aside(name, "damaged", f"{error.strerror}"))
            except NewerStateError as error:
                findings.append(self._set_aside(name, "newer", str(error)))
            except StateError as error:
                findings.append(self._set_aside(name, "damaged", str(error)))
        if findings:
            findings.append("no usable snapshot is left: what was learned is lost, and learning begins anew")
        return None, findings

    def save(self, snapshot: Snapshot) -> str:
        """Write a snapshot, and return a sentence if that has begun to fail; an empty text otherwise.

        What was written before stays, and the next call tries again.
        """
        try:
            self._write(pack(snapshot))
        except OSError as error:
            with suppress(OSError):
                self._folder.remove(_NEW)
            self.failures += 1
            if self._fails:
                return ""
            self._fails = True
            return f"cannot write to {self._folder.path}: {error.strerror}; watching goes on, and it is tried again"
        self._fails = False
        return ""

    def condemn(self, what: str) -> list[str]:
        """Set both snapshots aside, since what is in them is of no use, and return sentences about it."""
        names = self._folder.names()
        return [self._set_aside(name, "damaged", what) for name in (LAST, PREVIOUS) if name in names]

    def close(self) -> None:
        """Let others use the folder. Further calls do nothing."""
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _set_aside(self, name: str, why: str, what: str) -> str:
        """Rename a snapshot to `snapshot.WHY-NUMBER` and return a sentence about it."""
        pattern = re.compile(rf"snapshot\.{why}-(\d+)")
        numbers = sorted(int(match[1]) for one in self._folder.names() if (match := pattern.fullmatch(one)))
        aside = f"snapshot.{why}-{numbers[-1] + 1 if numbers else 1}"
        try:
            self._folder.rename(name, aside)
            for number in numbers[: -KEPT + 1] if why == "damaged" else ():
                self._folder.remove(f"snapshot.{why}-{number}")
        except OSError as error:
            return f"cannot use {self._folder.path / name}: {what}; nor set it aside: {error.strerror}"
        return f"cannot use {self._folder.path / name}: {what}; it is kept as {aside}"

    def _write(self, data: bytes) -> None:
        self._folder.write(_NEW, data)
        with suppress(FileNotFoundError):
            self._folder.rename(LAST, PREVIOUS)
        self._folder.rename(_NEW, LAST)
        self._folder.sync()
