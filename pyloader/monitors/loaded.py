"""A monitor in the kernel."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from pyloader.binding import BpfObject, PerCpuCounters, RingReader
from pyloader.errors import LoadError, UnsupportedError
from pyloader.monitors.ladder import Hook, Monitor, Rung
from pyloader.records import KERNEL_RECORDS, tag_of

OBJECTS = Path(__file__).parents[1] / "objects"


class LoadedMonitor:
    """The programs of one monitor, loaded and, after `attach`, at work until `close`.

    `rungs` tells for each hook which rung holds. Each hook starts on its best rung and steps down when the kernel
    refuses the program; if it refuses the last one, nothing stays behind and `LoadError` is raised.
    """

    def __init__(self, monitor: Monitor, *, ring_bytes: int) -> None:
        self.monitor = monitor
        self.rungs: dict[str, Rung] = {hook.name: hook.rungs[0] for hook in monitor.hooks}
        self._ring_bytes = ring_bytes
        self._held = ExitStack()
        self._links = ExitStack()
        try:
            self._object = self._load()
            self.ring = self._held.enter_context(RingReader(self._object.map_fd("ring")))
            self._lost = PerCpuCounters(self._object.map_fd("lost"))
        except BaseException:
            self._held.close()
            raise

    def attach(self) -> None:
        """Begin to observe. Raises `LoadError` if a hook cannot be attached on any rung that is loaded."""
        for rung in self.rungs.values():
            self._links.enter_context(self._object.attach(rung.program))

    def detach(self) -> None:
        """Observe no more; what is in the ring can still be read."""
        self._links.close()

    def lost(self) -> Iterator[tuple[int, list[int]]]:
        """Yield for each record type its tag and how many records were lost so far on each CPU."""
        for tag in map(tag_of, KERNEL_RECORDS):
            yield tag, self._lost.read(tag)

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
        data = _object_file(self.monitor)
        while True:
            attempt = BpfObject.open(data, self.monitor.object.removesuffix(".bpf.o"))
            try:
                attempt.select(rung.program for rung in self.rungs.values())
                attempt.resize_map("ring", self._ring_bytes)
                attempt.load()
            except LoadError as error:
                attempt.close()
                self._step_down(error)
            except BaseException:
                attempt.close()
                raise
            else:
                return self._held.enter_context(attempt)

    def _step_down(self, error: LoadError) -> None:
        """Take the next rung for the hook whose program was refused, or give up."""
        refused = set(re.findall(r"prog '(\w+)': (?:failed to load|BPF program load failed)", error.log))
        for hook in self.monitor.hooks:
            if self.rungs[hook.name].program in refused:
                self.rungs[hook.name] = _next_rung(hook, self.rungs[hook.name], error)
                return
        raise error


def _next_rung(hook: Hook, refused: Rung, error: LoadError) -> Rung:
    position = hook.rungs.index(refused) + 1
    if position == len(hook.rungs):
        raise error
    return hook.rungs[position]


def _object_file(monitor: Monitor) -> bytes:
    file = OBJECTS / monitor.object
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"the object file {file} cannot be read: {error.strerror}; reinstall pyloader-ebpf"
        raise UnsupportedError(message) from error
