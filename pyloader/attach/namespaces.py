"""Network namespaces, found by the number that this one has for them.

The kernel opens a namespace only by a file that stands for it: a mount of the kinds that `ip netns` and container
engines make, or one of a process that is in it.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_MOUNTS = ("/run/netns", "/run/docker/netns")

_LIMIT = 65_536
"""As many files are looked at."""


def find_namespace(route: Any, number: int) -> Path | None:  # noqa: ANN401 -- pyroute2 ships no types.
    """Return a file that stands for the namespace with this number, or `None` if nothing keeps it in sight."""
    from pyroute2.netlink.exceptions import NetlinkError  # noqa: PLC0415 -- as in interfaces.

    for path in _files():
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            if route.get_netnsid(fd=descriptor).get("nsid") == number:
                return path
        except NetlinkError:
            continue
        finally:
            os.close(descriptor)
    return None


def _files() -> Iterator[Path]:
    """Yield one file for each namespace in sight."""
    seen = set()
    candidates = [path for folder in map(Path, _MOUNTS) if folder.is_dir() for path in folder.iterdir()]
    candidates += [path / "ns/net" for path in Path("/proc").iterdir() if path.name.isdigit()]
    for path in candidates[:_LIMIT]:
        try:
            found = path.stat()
        except OSError:
            continue
        if (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            yield path
