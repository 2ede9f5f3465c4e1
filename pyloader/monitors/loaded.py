"""A monitor in the kernel."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from pyloader.binding import BpfObject, PerCpuArray, PerfReader, Reader, RingReader, can_create_map
from pyloader.binding.probe import MAP_RINGBUF
from pyloader.errors import LoadError, UnsupportedError
from pyloader.monitors.ladder import Hook, Monitor, Rung
from pyloader.records import KERNEL_RECORDS, tag_of

OBJECTS = Path(__file__).parents[1] / "objects"

_RINGS = ("vital", "common")
"""In the order in which they are read: the rare and valuable records first."""

_PERF_SHARE = 16
"""A perf buffer is made for every CPU, so each gets this part of the size of a ring."""


class Transport(StrEnum):
    """How records come from the kernel."""

    RING = "ring"
    """BPF ring buffers: one order per ring, whatever the CPU; Linux 5.8 and newer."""
    PERF = "perf"
    """A perf buffer per CPU, for older kernels."""


class LoadedMonitor:
    """The programs of one monitor, loaded, attached and at work until `detach` or `close`.

    Each hook starts on its best rung and steps down when the kernel refuses to load or attach the program; `rungs`
    tells which rungs hold. If the last one of a hook is refused, nothing stays behind and `LoadError` is raised.
    """

    def __init__(self, monitor: Monitor, *, ring_bytes: int, transport: Transport | None = None) -> None:
        self.monitor = monitor
        self.transport = transport or _best_transport()
        self.rungs: dict[str, Rung] = {hook.name: _climbable(hook)[0] for hook in monitor.hooks}
        self._ring_bytes = ring_bytes
        self._held = ExitStack()
        self._links = ExitStack()
        try:
            self._object = self._load()
            self.reader = self._held.enter_context(self._open_reader())
            self._lost = PerCpuArray(self._object.map_fd("lost"), width=2)
        except BaseException:
            self.close()
            raise

    def lost(self) -> Iterator[tuple[int, list[tuple[int, ...]]]]:
        """Yield for each record type its tag and, per CPU, how many were lost so far and when last (ns, boot time)."""
        for tag in map(tag_of, KERNEL_RECORDS):
            yield tag, self._lost.read(tag)

    def detach(self) -> None:
        """Observe no more; what is in the rings can still be read."""
        self._links.close()

    def close(self) -> None:
        """Detach and unload everything. Further calls do nothing."""
        self.detach()
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _load(self) -> BpfObject:
        """Load and attach, one rung lower after each refusal."""
        data = _object_file(self.monitor)
        while True:
            with ExitStack() as attempt:
                loaded = attempt.enter_context(BpfObject.open(data, self.monitor.object.removesuffix(".bpf.o")))
                loaded.select(rung.program for rung in self.rungs.values())
                self._prepare_transport(loaded)
                try:
                    loaded.load()
                    links = attempt.enter_context(ExitStack())
                    for rung in self.rungs.values():
                        links.enter_context(loaded.attach(rung.program))
                except LoadError as error:
                    self._step_down(error)
                    continue
                self._links = links
                self._held = attempt.pop_all()
                return loaded

    def _prepare_transport(self, attempt: BpfObject) -> None:
        perf = self.transport is Transport.PERF
        attempt.set_constants(".rodata.settings", int(perf).to_bytes(4, sys.byteorder))
        for ring in _RINGS:
            if perf:
                attempt.leave_out_map(ring)
            else:
                attempt.resize_map(ring, self._ring_bytes)
        if not perf:
            attempt.leave_out_map("samples")

    def _open_reader(self) -> Reader:
        if self.transport is Transport.PERF:
            return PerfReader(self._object.map_fd("samples"), bytes_per_cpu=self._ring_bytes // _PERF_SHARE)
        return RingReader([self._object.map_fd(ring) for ring in _RINGS])

    def _step_down(self, error: LoadError) -> None:
        """Take the next rung for the hook whose program was refused, or give up."""
        for hook in self.monitor.hooks:
            if self.rungs[hook.name].program == error.program:
                self.rungs[hook.name] = _next_rung(hook, self.rungs[hook.name], error)
                return
        raise error


def _climbable(hook: Hook) -> list[Rung]:
    """Return the rungs that may hold; the last one is tried in any case, for the sake of its error."""
    return [rung for rung in hook.rungs[:-1] if rung.needs is None or rung.needs.exists()] + [hook.rungs[-1]]


def _next_rung(hook: Hook, refused: Rung, error: LoadError) -> Rung:
    rungs = _climbable(hook)
    position = rungs.index(refused) + 1
    if position == len(rungs):
        raise error
    return rungs[position]


def _best_transport() -> Transport:
    return Transport.PERF if can_create_map(MAP_RINGBUF) is False else Transport.RING


def _object_file(monitor: Monitor) -> bytes:
    file = OBJECTS / monitor.object
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"the object file {file} cannot be read: {error.strerror}; reinstall pyloader-ebpf"
        raise UnsupportedError(message) from error
