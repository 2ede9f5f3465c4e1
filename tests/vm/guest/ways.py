"""The ways to use a monitor: loaded by its reader, or pinned and read later."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pyloader.monitors import ON_INTERFACES, LoadedMonitor, Monitor, PinnedMonitor, Pins, Rung, Transport
from pyloader.monitors.pinned import BPFFS
from pyloader.records import KERNEL_RECORDS, AnyRecord, EventLoss
from pyloader.sources import KernelSource
from tests.vm.guest import verdicts
from tests.vm.guest.verdicts import Verdict
from tests.vm.report import Way

RING_BYTES = 1 << 22
_INSTANCE = "guest"

LOOPBACK = "lo"
"""The interface that every machine has."""


class Standing(NamedTuple):
    """Where a monitor stands: the rung of each hook, and how many instructions of each program were verified."""

    rungs: Mapping[str, Rung]
    instructions: Mapping[str, int]


Action = Callable[[Standing], None]
"""What provokes events, while the monitor stands so."""


class Loaded:
    """Loaded by the process that reads."""

    def __init__(self, name: Way, transport: Transport, btf: Path | None = None) -> None:
        self.name = name
        self._transport = transport
        self._btf = btf

    def verdicts(self, monitor: Monitor, programs: Sequence[str]) -> dict[str, Verdict]:
        """Return what the kernel says of each program."""
        return verdicts.load(monitor, programs, self._transport, self._btf, None)

    def observe(self, monitor: Monitor, action: Action) -> list[AnyRecord]:
        """Return what a monitor observes while an action runs."""
        source = KernelSource(
            [monitor],
            interfaces=[LOOPBACK] if monitor.name in ON_INTERFACES else [],
            ring_bytes=RING_BYTES,
            transport=self._transport,
            btf=self._btf,
        )
        return _read(source, lambda: action(_standing(source)))


class Pinned:
    """Pinned, and read after the events by somebody who loaded nothing."""

    def __init__(self, name: Way, btf: Path | None = None) -> None:
        self.name = name
        self._btf = btf

    def verdicts(self, monitor: Monitor, programs: Sequence[str]) -> dict[str, Verdict]:
        """Return what the kernel says of each program, and of pinning its link."""
        return verdicts.load(monitor, programs, Transport.RING, self._btf, BPFFS / "trial")

    def observe(self, monitor: Monitor, action: Action) -> list[AnyRecord]:
        """Return what a monitor observed while an action ran and nobody read; the next reader must not get it again."""
        pins = Pins(monitor, _INSTANCE)
        try:
            pins.load(ring_bytes=RING_BYTES, btf=self._btf)
            pinned = pins.find()
            assert pinned is not None, "what was pinned is not found"
            with pinned:
                standing = _of(pinned)
            action(standing)
            records = _read(KernelSource([monitor], instance=_INSTANCE, btf=self._btf))
            again = _read(KernelSource([monitor], instance=_INSTANCE, btf=self._btf))
        finally:
            _unload(pins)
        # Nothing else runs in here.
        repeated = [one for one in again if isinstance(one, KERNEL_RECORDS)]
        assert not repeated, f"the next reader gets again what was read: {repeated}"
        return records


def _standing(source: KernelSource) -> Standing:
    """Return where the only monitor of a source stands."""
    (active,) = source.monitors
    assert isinstance(active, LoadedMonitor)
    return _of(active)


def _of(active: LoadedMonitor | PinnedMonitor) -> Standing:
    return Standing(active.rungs, {name: info.verified_insns for name, info in active.programs.items()})


def _read(source: KernelSource, action: Callable[[], None] = lambda: None) -> list[AnyRecord]:
    """Return everything that a source tells while an action runs, none of it lost."""
    records: list[AnyRecord] = []
    try:
        source.start()
        action()
        source.stop()
        while True:
            records += source.read(None)
    except EOFError:
        losses = [one for one in records if isinstance(one, EventLoss)]
        assert not losses, f"there are losses: {losses}"
        return records
    finally:
        source.close()


def _unload(pins: Pins) -> None:
    pins.unload()
    left = list(BPFFS.iterdir())
    assert not left, f"unloading leaves {left}"
