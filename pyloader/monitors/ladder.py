"""How a monitor says what it hooks.

A monitor needs several hooks. For each it declares a ladder of rungs, the best first: the program that stands on the
rung, what it cannot see and what it costs. Which rung holds is found out by trying, never from the kernel's version.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pyloader import kernel
from pyloader.errors import UsageError

_BY_KERNEL_TYPES = {"tp_btf", "fentry", "lsm"}
"""Kinds of hooks that the kernel finds by its own types, which no file can stand in for."""

_FAMILIES = {"fexit": "fentry", "kretprobe": "kprobe"}
"""Kinds that belong to another one, as the two ends of one way to hook."""

NONE = "none"
"""The name of the rung on which nothing is observed."""


class Rung(NamedTuple):
    """One way to hook: programs of the monitor's object, or none, where a host can do without the hook."""

    name: str
    program: str
    blind_to: str = ""
    """What this rung cannot see and the one above can."""
    cost: str = ""
    """What this rung costs beyond the events themselves."""
    needs: Path | None = None
    """A file that is there when the kernel can do it: spares a vain attempt, which costs a tenth of a second."""
    beside: tuple[str, ...] = ()
    """Further programs that belong to this way; not every architecture has all of them."""

    @property
    def programs(self) -> tuple[str, ...]:
        """All programs of the rung."""
        return (self.program, *self.beside) if self.program else ()

    @property
    def kind(self) -> str:
        """How the programs are attached, by the first part of their section's name: `fentry` stands for `fexit` too."""
        return _family(self.name.split("/")[0])

    @property
    def is_on_interfaces(self) -> bool:
        """Whether the program is attached to interfaces, by who chose them, and not to a hook of the kernel."""
        return self.kind == "xdp"

    def missing(self) -> Path | None:
        """Return a file without which the kernel cannot do it and that is not there."""
        needed = (self.needs, kernel.BTF_PATH if self.kind in _BY_KERNEL_TYPES else None)
        return next((file for file in needed if file is not None and not file.exists()), None)


class Hook(NamedTuple):
    """One thing to observe and the ways to do so, the best first."""

    name: str
    rungs: tuple[Rung, ...]


class Monitor(NamedTuple):
    """A monitor: its public name, its object files in `pyloader/objects`, and its hooks."""

    name: str
    object: str
    hooks: tuple[Hook, ...]
    untyped_object: str = ""
    """The object for kernels without BTF of their own, if that is another one."""
    constants: Callable[[], dict[str, bytes]] | None = None
    """What else is decided before the load: the values of sections of constants, anew for each attempt."""

    def forced(self, kind: str) -> "Monitor":
        """Return the monitor with only the rungs of one kind, such as `tp_btf` or `kprobe`.

        A hook that has no such rung keeps its ladder. Raises `UsageError` if no hook has one.
        """
        hooks = [hook._replace(rungs=_of_kind(hook, kind) or hook.rungs) for hook in self.hooks]
        if not any(_of_kind(hook, kind) for hook in self.hooks):
            kinds = sorted({rung.kind for hook in self.hooks for rung in hook.rungs if rung.program})
            message = f"monitor {self.name} has no hook of kind {kind!r}; there are: {', '.join(kinds)}"
            raise UsageError(message)
        return self._replace(hooks=tuple(hooks))


def none(blind_to: str) -> Rung:
    """Return the end of a ladder for a hook that a host can do without: there nobody sees what it is there for."""
    return Rung(NONE, "", blind_to=blind_to)


def _of_kind(hook: Hook, kind: str) -> tuple[Rung, ...]:
    return tuple(rung for rung in hook.rungs if rung.program and rung.kind == _family(kind))


def _family(kind: str) -> str:
    """Return what a kind of hook is called together with its other end."""
    return _FAMILIES.get(kind, kind)
