"""Where workers keep what they know: a folder for each below that of the sensor, `worker-0` and so on.

A sensor may start with another number of workers than the last one, or with none beside itself. Whoever has no snapshot
that is newer begins with a copy of one that is: worker i of N with that of worker i modulo M, or of the sensor alone,
and a sensor alone with that of worker 0. Snapshots say whose they are, so of a copy only what was learned is taken.
"""

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from pyloader.state.store import LAST

_NAME: Final = re.compile(r"worker-([0-9]{1,3})")


def of_worker(state: Path, worker: int) -> Path:
    """Return the folder of a worker."""
    return state / f"worker-{worker}"


def prepare(state: Path, workers: int) -> None:
    """Let each of so many workers find what the last sensor with this folder has learned. The caller holds the folder.

    What cannot be copied is not there: its worker begins anew.
    """
    alone = _age(state)
    before = sorted(
        int(match[1]) for one in state.iterdir() if (match := _NAME.fullmatch(one.name)) and _age(one) is not None
    )
    together = max((age for one in before if (age := _age(of_worker(state, one))) is not None), default=None)
    if alone is not None and (together is None or alone > together):
        for worker in range(workers):
            _copy(state, of_worker(state, worker))
    elif before:
        for worker in set(range(workers)) - set(before):
            _copy(of_worker(state, before[worker % len(before)]), of_worker(state, worker))


def prepare_alone(state: Path) -> None:
    """Let a sensor without workers find what the last one with this folder has learned, if that had some."""
    first, alone = _age(of_worker(state, 0)), _age(state)
    if first is not None and (alone is None or first > alone):
        _copy(of_worker(state, 0), state)


def _age(folder: Path) -> int | None:
    """Return when the snapshot in a folder was written (ns since 1970), `None` if there is none."""
    try:
        return (folder / LAST).stat().st_mtime_ns
    except OSError:
        return None


def _copy(source: Path, target: Path) -> None:
    with suppress(OSError):
        target.mkdir(mode=0o700, exist_ok=True)
        shutil.copy2(source / LAST, target / LAST)
