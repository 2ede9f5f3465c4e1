"""Get a monitor's programs into the kernel, each on the best rung that holds."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from pyloader import kernel
from pyloader.binding import BpfObject, Link
from pyloader.errors import LoadError, PyloaderError, UnsupportedError
from pyloader.monitors.ladder import Hook, Monitor, Rung
from pyloader.monitors.objects import digest, read_object

__all__ = ["Climbed", "Refusal", "climb", "digest", "object_file"]


class Refusal(NamedTuple):
    """A rung that did not hold, and why."""

    rung: Rung
    reason: PyloaderError


class Climbed(NamedTuple):
    """A loaded object, the attachments of its programs by hook, the rungs that hold, and what closes it all.

    `refusals` are the better rungs that do not hold, by hook.
    """

    object: BpfObject
    links: dict[str, Link]
    rungs: dict[str, Rung]
    held: ExitStack
    refusals: dict[str, list[Refusal]]


def object_file(monitor: Monitor) -> bytes:
    """Return the object file of a monitor for this kernel. Raises `ObjectError` if it is missing or damaged."""
    return read_object(monitor.object if kernel.BTF_PATH.exists() else monitor.untyped_object or monitor.object)


def climb(monitor: Monitor, prepare: Callable[[BpfObject], None], *, btf: Path | None = None) -> Climbed:
    """Load and attach a monitor's programs, one rung lower after each refusal.

    `prepare` sets up the maps of the object before each attempt, `btf` is a file that describes the kernel's types in
    its place. If the last rung of a hook does not hold, nothing stays behind and the reason is raised: `LoadError`, or
    what `kernel.explained` makes of it.
    """
    data = object_file(monitor)
    rungs = {hook.name: _possible(hook)[0] for hook in monitor.hooks}
    refusals = {hook.name: _impossible(hook) for hook in monitor.hooks}
    while True:
        with ExitStack() as held:
            loaded = held.enter_context(BpfObject.open(data, monitor.object.removesuffix(".bpf.o"), btf=btf))
            loaded.select(rung.program for rung in rungs.values())
            prepare(loaded)
            for section, values in (monitor.constants or dict)().items():
                loaded.set_constants(section, values)
            try:
                loaded.load()
                links = {
                    hook: held.enter_context(loaded.attach(rung.program))
                    for hook, rung in rungs.items()
                    if not rung.is_on_interfaces
                }
            except LoadError as error:
                stepped = _step_down(monitor, rungs, error)
                if stepped is None:
                    raise kernel.explained(error, btf=btf) from error
                hook, refusal = stepped
                refusals[hook].append(refusal)
                continue
            better = {hook.name: _better(hook, rungs[hook.name], refusals[hook.name]) for hook in monitor.hooks}
            return Climbed(loaded, links, rungs, held.pop_all(), better)


def _possible(hook: Hook) -> list[Rung]:
    """Return the rungs that may hold; the last one is tried in any case, for the sake of its error."""
    return [rung for rung in hook.rungs[:-1] if rung.missing() is None] + [hook.rungs[-1]]


def _impossible(hook: Hook) -> list[Refusal]:
    """Return the rungs that need not be tried."""
    missing = ((rung, rung.missing()) for rung in hook.rungs[:-1])
    return [Refusal(rung, UnsupportedError(f"this kernel has no {file}")) for rung, file in missing if file is not None]


def _better(hook: Hook, held: Rung, refusals: list[Refusal]) -> list[Refusal]:
    """Return the refusals of rungs above the one that holds, the best rung first."""
    above = hook.rungs[: hook.rungs.index(held)]
    return sorted((one for one in refusals if one.rung in above), key=lambda one: above.index(one.rung))


def _step_down(monitor: Monitor, rungs: dict[str, Rung], error: LoadError) -> tuple[str, Refusal] | None:
    """Take the next rung for the hook whose program was refused; return that hook's name and the rung, if any."""
    for hook in monitor.hooks:
        possible = _possible(hook)
        refused = rungs[hook.name]
        position = possible.index(refused) + 1
        if refused.program == error.program and position < len(possible):
            rungs[hook.name] = possible[position]
            return hook.name, Refusal(refused, error)
    return None
