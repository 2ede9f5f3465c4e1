"""Get a monitor's programs into the kernel, each on the best rung that holds."""

import errno
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from pyloader import kernel
from pyloader.binding import BpfObject, Link
from pyloader.errors import LoadError, PyloaderError, UnsupportedError, VerifierError
from pyloader.monitors.ladder import Hook, Monitor, Rung
from pyloader.monitors.objects import digest, read_object

__all__ = ["Climbed", "Refusal", "climb", "digest", "object_file"]

_NOTHING_TO_HOOK = {errno.ENOENT, errno.ESRCH}
"""This kernel has no such function or tracepoint."""


class Refusal(NamedTuple):
    """A rung that did not hold, and why."""

    rung: Rung
    reason: PyloaderError


class Climbed(NamedTuple):
    """A loaded object, the attachments of its programs by their names, the rungs that hold, and what closes it all.

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


def _ready(_loaded: BpfObject, _held: ExitStack) -> None:
    """Need nothing before programs are attached."""


def climb(
    monitor: Monitor,
    prepare: Callable[[BpfObject], None],
    *,
    btf: Path | None = None,
    ready: Callable[[BpfObject, ExitStack], None] = _ready,
) -> Climbed:
    """Load and attach a monitor's programs, one rung lower after each refusal.

    `prepare` sets up the maps of the object before each attempt, `btf` is a file that describes the kernel's types in
    its place. `ready` opens what must be there when the first program is attached, and leaves it to the stack that ends
    with the attempt or with the monitor. If the last rung of a hook does not hold, nothing stays behind and the reason
    is raised: `LoadError`, or what `kernel.explained` makes of it.
    """
    data = object_file(monitor)
    rungs = {hook.name: _possible(hook)[0] for hook in monitor.hooks}
    refusals = {hook.name: _impossible(hook) for hook in monitor.hooks}
    while True:
        with ExitStack() as held:
            loaded = held.enter_context(BpfObject.open(data, monitor.object.removesuffix(".bpf.o"), btf=btf))
            existing = set(loaded.programs())
            programs = [name for rung in rungs.values() for name in rung.programs if name in existing]
            loaded.select(programs)
            prepare(loaded)
            for section, values in (monitor.constants or dict)().items():
                loaded.set_constants(section, values)
            try:
                loaded.load()
                ready(loaded, held)
                hooked = [name for rung in rungs.values() if not rung.is_on_interfaces for name in rung.programs]
                links = {name: held.enter_context(loaded.attach(name)) for name in hooked if name in existing}
            except LoadError as error:
                stepped = _step_down(monitor, rungs, error)
                if not stepped:
                    raise kernel.explained(error, btf=btf) from error
                for hook, refusal in stepped.items():
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


def _step_down(monitor: Monitor, rungs: dict[str, Rung], error: LoadError) -> dict[str, Refusal]:
    """Take the next rung for the hook whose program was refused; return what was refused, by hook.

    What is refused neither by the verifier nor for want of the thing to hook is refused for its kind: then every hook
    on a rung of that kind steps down at once, as each attempt costs a tenth of a second. The result is empty if there
    is no way down.
    """
    refused = next((hook for hook in monitor.hooks if error.program in rungs[hook.name].programs), None)
    if refused is None:
        return {}
    kind = rungs[refused.name].kind
    of_this_program = isinstance(error, VerifierError) or error.errno in _NOTHING_TO_HOOK
    affected = [refused] if of_this_program else [hook for hook in monitor.hooks if rungs[hook.name].kind == kind]
    stepped: dict[str, Refusal] = {}
    for hook in affected:
        lower = _below(hook, rungs[hook.name], None if of_this_program else kind)
        if lower is not None:
            stepped[hook.name] = Refusal(rungs[hook.name], error)
            rungs[hook.name] = lower
    return stepped if refused.name in stepped else {}


def _below(hook: Hook, rung: Rung, kind: str | None) -> Rung | None:
    """Return the next rung that may hold and is not of a kind, or `None`."""
    possible = _possible(hook)
    return next((one for one in possible[possible.index(rung) + 1 :] if one.kind != kind), None)
