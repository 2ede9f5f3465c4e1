"""What a sensor knows, brought back at its beginning and kept while it runs."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from pyloader.errors import StateError
from pyloader.state.schedule import INTERVAL_NS, Schedule
from pyloader.state.snapshot import Snapshot
from pyloader.state.store import Store

_LOG: Final = logging.getLogger(__name__)
TOO_MANY_FAULTS: Final = 32
"""A crafted record may bring a defect to light; so many are more likely the doing of what another version kept."""

_SECTION: Final = "pipeline"
_SECOND_NS: Final = 1_000_000_000


class Knowing(Protocol):
    """What can be saved as bytes and restored from them."""

    def save(self) -> bytes:
        """Return all that is known."""
        ...

    def restore(self, saved: bytes, *, same_boot: bool) -> dict[str, int]:
        """Bring it back, or only what was learned if it is from another boot; return what could not be used.

        Raises `StateError` if that is impossible; the object is then of no more use.
        """
        ...


Known = TypeVar("Known", bound=Knowing)


class Keeper:
    """Keeps the snapshots of one sensor in a folder, and logs what goes wrong with that.

    What goes wrong never stops the sensor, except for a folder that cannot be used: then the constructor raises
    `StateError`, or `BusyError` if another sensor uses it. `failures` counts the snapshots that could not be taken.
    """

    def __init__(self, path: Path, *, boot_id: str, realtime_offset: int) -> None:
        self._store = Store(path)
        self._boot_id = boot_id
        self._realtime_offset = realtime_offset
        self._schedule = Schedule(time.monotonic_ns())
        self._unfit = 0
        self._brought_back = False

    @property
    def failures(self) -> int:
        """How many snapshots could not be taken."""
        return self._store.failures + self._unfit

    def bring_back(self, make: Callable[[], Known]) -> Known:
        """Return a new object that knows what the last one knew, as far as there is a snapshot of use."""

        def use(snapshot: Snapshot) -> Known:
            known = make()
            saved = snapshot.sections.get(_SECTION, b"")
            unused = known.restore(saved, same_boot=snapshot.boot_id == self._boot_id)
            if unused:
                _LOG.warning("no use for some of what version %s kept: %s", snapshot.version, _listed(unused))
            return known

        known, findings = self._store.load(use)
        self._brought_back = known is not None
        for finding in findings:
            _LOG.warning("%s", finding)
        return known if known is not None else make()

    def begin_anew(self, make: Callable[[], Known]) -> Known:
        """Return a new object that knows nothing, since with what was brought back nothing can be judged."""
        self._brought_back = False
        for finding in self._store.condemn("what it holds makes this version fail"):
            _LOG.warning("%s; learning begins anew", finding)
        return make()

    def fails(self, faults: int) -> bool:
        """Return whether so many faults since the beginning mean that what was brought back is of no use."""
        return self._brought_back and faults >= TOO_MANY_FAULTS

    def look(self, known: Knowing) -> bool:
        """Take a snapshot if it is time for one; return whether it was."""
        begin = time.monotonic_ns()
        due = self._schedule.is_due(begin)
        if due:
            self.keep(known)
            self._schedule.taken(begin, time.monotonic_ns())
        return due

    def patience(self, seconds: float | None) -> float:
        """Return how long to wait for something to happen at most, so that a snapshot is not late."""
        longest = INTERVAL_NS / _SECOND_NS
        return longest if seconds is None else min(seconds, longest)

    def keep(self, known: Knowing) -> None:
        """Take a snapshot."""
        try:
            saved = known.save()
        except StateError as error:
            self._unfit += 1
            if self._unfit == 1:
                _LOG.warning("no snapshot can be taken: %s; please report this", error)
            return
        snapshot = Snapshot(_version(), self._boot_id, self._realtime_offset, time.time_ns(), {_SECTION: saved})
        trouble = self._store.save(snapshot)
        if trouble:
            _LOG.warning("%s", trouble)

    def close(self) -> None:
        """Let others use the folder. Further calls do nothing."""
        self._store.close()


def _version() -> str:
    from importlib import metadata  # noqa: PLC0415 -- it takes longer to import than everything else here.

    try:
        return metadata.version("pyloader-ebpf")
    except metadata.PackageNotFoundError:
        return "unknown"


def _listed(unused: dict[str, int]) -> str:
    names = [f"{name} ({number})" for name, number in list(unused.items())[:5]]
    return ", ".join(names) + (", …" if len(unused) > len(names) else "")
