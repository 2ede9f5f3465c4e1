"""The rules of all programs in one table, and how they are asked."""

from typing import Final

from pyloader.evidence.catalogue import (
    CONTAINER_ESCAPE,
    HISTORY_CLEARED,
    LIBRARY_PRELOADED,
    LIBRARY_PRELOADED_TEMPORARY,
    SHELL_ESCAPE,
    Finding,
)
from pyloader.evidence.commands import access, containers, evasion, network, persistence
from pyloader.evidence.commands.rule import Rule, line
from pyloader.evidence.files import destroyed, is_temporary, mentioned, written
from pyloader.evidence.item import Evidence
from pyloader.evidence.programs import Program
from pyloader.evidence.shell import Argv, opens_shell
from pyloader.host import Process

_NO_HISTORY: Final = frozenset({"HISTFILE=/dev/null", "HISTFILE=", "HISTSIZE=0", "HISTFILESIZE=0"})


def judge_command(process: Process, program: Program, argv: Argv, container: str) -> list[Evidence]:
    """Judge the command that a process is; `container` is where it runs, or empty."""
    found = [kind.about(process, what) for kind, what in judge_words(argv, program.name)]
    if container and containers.leaves_container(argv, program.name):
        found.append(CONTAINER_ESCAPE.about(process, f"{container}: {line(argv)}"))
    return found


def judge_words(argv: Argv, name: str) -> list[Finding]:
    """Return what the words of a command say: the rules of its program, and the secrets that it names."""
    found = [finding for rule in RULES.get(name, ()) if (finding := rule(argv)) is not None]
    secret = mentioned(argv, name)
    if secret is not None:
        found.append(secret)
    return found


def judge_redirection(path: str, command: str, *, empties: bool) -> list[Finding]:
    """Judge the redirection of a command's output into a file; `empties` if the command has none worth keeping."""
    kind = written(path) or (destroyed(path) if empties else None)
    return [Finding(kind, f"{command} > {path}")] if kind is not None else []


def assignment(words: Argv) -> list[Finding]:
    """Judge the variables that a command is given: preloaded libraries, history that goes nowhere, hooks."""
    for word in words:
        name, _, value = word.partition("=")
        if name in ("LD_PRELOAD", "LD_AUDIT") and value:
            kind = LIBRARY_PRELOADED_TEMPORARY if is_temporary(value) else LIBRARY_PRELOADED
            return [Finding(kind, line(words))]
        if word in _NO_HISTORY:
            return [Finding(HISTORY_CLEARED, line(words))]
        if value.startswith("/") and not name.endswith("SHELL") and opens_shell(tuple(value.split())):
            return [Finding(SHELL_ESCAPE, line(words))]
    return []


def _environment(argv: Argv) -> Finding | None:
    return next(iter(assignment(argv[1:])), None)


_TABLES: Final = (
    network.RULES,
    persistence.RULES,
    evasion.RULES,
    access.RULES,
    containers.RULES,
    {"env": (_environment,), "export": (_environment,), "declare": (_environment,)},
)

RULES: Final[dict[str, tuple[Rule, ...]]] = {
    name: tuple(rule for table in _TABLES for rule in table.get(name, ()))
    for name in sorted(name for table in _TABLES for name in table)
}
"""The rules of every program that has some."""
