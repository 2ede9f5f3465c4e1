"""The host as the kernel's own files tell of it."""

import os
from functools import cached_property
from pathlib import Path
from typing import Self


class Host:
    """Where the answers are looked up: `/proc` and `/sys` below `root`, which is another folder in tests."""

    def __init__(self, root: Path, *, release: str, machine: str, uid: int) -> None:
        self.root = root
        self.release = release
        self.machine = machine
        self.uid = uid

    @classmethod
    def this(cls) -> Self:
        """Return the host and the user of this process."""
        system = os.uname()
        return cls(Path("/"), release=system.release, machine=system.machine, uid=os.geteuid())

    def path(self, absolute: Path | str) -> Path:
        """Return where a file of the host is."""
        return self.root / str(absolute).removeprefix("/")

    def text(self, absolute: Path | str) -> str | None:
        """Return what a file of the kernel says, without its line end, or `None` if it cannot be read."""
        try:
            return self.path(absolute).read_text(errors="replace").strip()
        except OSError:
            return None

    @cached_property
    def status(self) -> dict[str, str]:
        """What the kernel says of this process (/proc/self/status)."""
        lines = (self.text("/proc/self/status") or "").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def mounts(self, kind: str) -> list[str]:
        """Return where file systems of this type are mounted."""
        fields = [line.split() for line in (self.text("/proc/self/mounts") or "").splitlines()]
        return [field[1] for field in fields if len(field) > 2 and field[2] == kind]  # noqa: PLR2004 -- fs_spec, fs_file, fs_vfstype of fstab(5).
