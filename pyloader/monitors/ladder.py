"""How a monitor says what it hooks.

A monitor needs several hooks. For each it declares a ladder of rungs, the best first: the program that stands on the
rung, what it cannot see and what it costs. Which rung holds is found out by trying, never from the kernel's version.
"""

from typing import NamedTuple


class Rung(NamedTuple):
    """One way to hook: a program of the monitor's object."""

    name: str
    program: str
    blind_to: str = ""
    """What this rung cannot see and the one above can."""
    cost: str = ""
    """What this rung costs beyond the events themselves."""


class Hook(NamedTuple):
    """One thing to observe and the ways to do so, the best first."""

    name: str
    rungs: tuple[Rung, ...]


class Monitor(NamedTuple):
    """A monitor: its public name, its object file in `pyloader/objects`, and its hooks."""

    name: str
    object: str
    hooks: tuple[Hook, ...]
