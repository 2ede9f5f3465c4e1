"""Tables of what ordinary tools can be made to do, and how they become rules.

The idea of such a table is that of GTFOBins: a tool that reads, writes, sends or runs something may be used for it by
who is not allowed to do it otherwise. The name of a tool says little, so each entry asks for the arguments: those that
the job of the tool does not need, or seldom. What many scripts do every day is left out, though it can be abused.
"""

from collections.abc import Mapping
from typing import Final

from pyloader.evidence.catalogue import Finding, Kind
from pyloader.evidence.commands.rule import Rule, line
from pyloader.evidence.pattern import pattern
from pyloader.evidence.shell import Argv

Shapes = Mapping[str, str]
"""From programs, whose names are written as one text, to a pattern for their arguments with a space around each.

Repetitions of whatever there is have a bound, and so has what is looked at: no arguments, however they are written,
make the search take long.
"""

READ: Final = 2_048
"""How many characters of the arguments are looked at."""


def rules(tables: Mapping[Kind, Shapes]) -> dict[str, tuple[Rule, ...]]:
    """Return the rules of every program that the tables name."""
    found: dict[str, tuple[Rule, ...]] = {}
    for kind, shapes in tables.items():
        for programs, shape in shapes.items():
            rule = _rule(kind, shape)
            for name in programs.split():
                found[name] = (*found.get(name, ()), rule)
    return found


def _rule(kind: Kind, shape: str) -> Rule:
    asked = pattern(shape)

    def rule(argv: Argv) -> Finding | None:
        return Finding(kind, line(argv)) if asked.search(f" {' '.join(argv[1:])} "[:READ]) else None

    return rule
