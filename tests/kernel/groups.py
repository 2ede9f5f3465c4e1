"""Control groups that limit memory, in whichever hierarchy this machine has the controller."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_NEW, _OLD = "cgroup2", "cgroup"


class Group(NamedTuple):
    """A control group that limits memory; `id` is that of the group in the unified hierarchy, where records look."""

    folder: Path
    id: int

    def command(self, words: Sequence[str | Path]) -> list[str]:
        """Return a command that runs another one within the group, in the same process."""
        return ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh", *map(str, words)]


@contextmanager
def limited(limit: int) -> Iterator[Group]:
    """Make a control group that may have so many bytes, and remove it in the end, when its processes are gone."""
    kind, parent = _memory_hierarchy()
    folder = parent / f"pyloader-test-{os.getpid()}"
    if kind == _NEW:
        (parent / "cgroup.subtree_control").write_text("+memory")
    folder.mkdir()
    try:
        (folder / ("memory.max" if kind == _NEW else "memory.limit_in_bytes")).write_text(str(limit))
        swap = folder / ("memory.swap.max" if kind == _NEW else "memory.memsw.limit_in_bytes")
        if swap.exists():
            swap.write_text("0" if kind == _NEW else str(limit))
        yield Group(folder, (folder if kind == _NEW else _own_unified_group()).stat().st_ino)
    finally:
        folder.rmdir()


def _memory_hierarchy() -> tuple[str, Path]:
    """Return the kind and the root of the hierarchy with the memory controller."""
    for kind, root, options in _mounts():
        if kind == _NEW and "memory" in (root / "cgroup.controllers").read_text().split():
            return kind, root
        if kind == _OLD and "memory" in options:
            return kind, root
    message = "no hierarchy of control groups has the memory controller"
    raise FileNotFoundError(message)


def _own_unified_group() -> Path:
    """Return the folder of this process' group in the unified hierarchy."""
    (root,) = [root for kind, root, _ in _mounts() if kind == _NEW]
    (path,) = [line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")]
    return root / path.lstrip("/")


def _mounts() -> list[tuple[str, Path, list[str]]]:
    """Return kind, root and options of each mounted hierarchy."""
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [(kind, Path(root), options.split(",")) for _, root, kind, options, *_ in lines if kind in {_NEW, _OLD}]
