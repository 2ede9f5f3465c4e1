"""Get a monitor's programs into the kernel, each on the best rung that holds."""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from pyloader.binding import BpfObject, Link
from pyloader.errors import LoadError, UnsupportedError
from pyloader.monitors.ladder import Hook, Monitor, Rung

OBJECTS = Path(__file__).parents[1] / "objects"


class Climbed(NamedTuple):
    """A loaded object, the attachments of its programs by hook, the rungs that hold, and what closes it all."""

    object: BpfObject
    links: dict[str, Link]
    rungs: dict[str, Rung]
    held: ExitStack


def object_file(monitor: Monitor) -> bytes:
    """Return the object file of a monitor. Raises `UnsupportedError` if it cannot be read."""
    file = OBJECTS / monitor.object
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"the object file {file} cannot be read: {error.strerror}; reinstall pyloader-ebpf"
        raise UnsupportedError(message) from error


def digest(data: bytes) -> bytes:
    """Return what tells one object file from another."""
    return hashlib.sha256(data).digest()


def climb(monitor: Monitor, prepare: Callable[[BpfObject], None]) -> Climbed:
    """Load and attach a monitor's programs, one rung lower after each refusal.

    `prepare` sets up the maps of the object before each attempt. Raises the `LoadError` of the last rung if none holds;
    nothing stays behind then.
    """
    data = object_file(monitor)
    rungs = {hook.name: _possible(hook)[0] for hook in monitor.hooks}
    while True:
        with ExitStack() as held:
            loaded = held.enter_context(BpfObject.open(data, monitor.object.removesuffix(".bpf.o")))
            loaded.select(rung.program for rung in rungs.values())
            prepare(loaded)
            try:
                loaded.load()
                links = {hook: held.enter_context(loaded.attach(rung.program)) for hook, rung in rungs.items()}
            except LoadError as error:
                _step_down(monitor, rungs, error)
                continue
            return Climbed(loaded, links, rungs, held.pop_all())


def _possible(hook: Hook) -> list[Rung]:
    """Return the rungs that may hold; the last one is tried in any case, for the sake of its error."""
    return [rung for rung in hook.rungs[:-1] if rung.needs is None or rung.needs.exists()] + [hook.rungs[-1]]


def _step_down(monitor: Monitor, rungs: dict[str, Rung], error: LoadError) -> None:
    """Take the next rung for the hook whose program was refused, or give up."""
    for hook in monitor.hooks:
        possible = _possible(hook)
        position = possible.index(rungs[hook.name]) + 1
        if rungs[hook.name].program == error.program and position < len(possible):
            rungs[hook.name] = possible[position]
            return
    raise error
