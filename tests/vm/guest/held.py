"""What the kernel holds: the ids of all programs, maps and links, asked of the kernel itself."""

import ctypes
import time

from pyloader.binding.library import library_path

_PATIENCE = 100
_PAUSE = 0.1


def ids() -> dict[str, set[int]]:
    """Return the ids that the kernel knows now (`BPF_*_GET_NEXT_ID`)."""
    return {kind: _walk(kind) for kind in ("prog", "map", "link")}


def since(before: dict[str, set[int]]) -> dict[str, list[int]]:
    """Return what is held now and was not before. The kernel frees a moment after the last user has gone."""
    new: dict[str, list[int]] = {}
    for _ in range(_PATIENCE):
        new = {kind: sorted(now - before[kind]) for kind, now in ids().items()}
        if not any(new.values()):
            break
        time.sleep(_PAUSE)
    return new


def _walk(kind: str) -> set[int]:
    following = getattr(ctypes.CDLL(str(library_path())), f"bpf_{kind}_get_next_id")
    found: set[int] = set()
    current = ctypes.c_uint32(0)
    while following(current, ctypes.byref(current)) == 0:
        found.add(current.value)
    return found
