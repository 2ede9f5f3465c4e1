"""The rules of all programs in one table, and how they are asked."""

from collections.abc import Iterable
from typing import Final

from pyloader.evidence.catalogue import (
    CONTAINER_ESCAPE,
    HISTORY_CLEARED,
    LIBRARY_PRELOADED,
    LIBRARY_PRELOADED_TEMPORARY,
    PAYLOAD_PLANTED,
    SHELL_ESCAPE,
    Finding,
)
from pyloader.evidence.command_kinds import PROGRAM_HOOKED, weight
from pyloader.evidence.commands import (
    access,
    containers,
    detours,
    evasion,
    handouts,
    hooks,
    network,
    persistence,
    transfers,
)
from pyloader.evidence.commands.rule import Rule, line
from pyloader.evidence.commands.shells import shell_operand
from pyloader.evidence.contents import is_job_of_dropped_file, sharpened
from pyloader.evidence.files import destroyed, is_temporary, mentioned, written
from pyloader.evidence.item import Evidence
from pyloader.evidence.pattern import pattern
from pyloader.evidence.shell import Argv, embeds_shell, opens_shell
from pyloader.host import Process

_RUN = pattern(r"PAGER|EDITOR|VISUAL|COMMAND|BROWSER|OPEN$|CLOSE$|_SSH|ASKPASS|RSH")
"""Variables whose value is run by the programs that know them."""

_HOOK = pattern(
    r"BASH_ENV|ENV|PERL5DB|PYTHONSTARTUP|\w+_PASSWORD_COMMAND|SYSTEMD_EDITOR|GROFF_BIN_PATH|FACTERLIB"
    r"|GCONV_PATH|GIT_SSH_COMMAND|GIT_EXTERNAL_DIFF|OPENSSL_CONF|BUNDLE_GEMFILE"
)
"""Variables that make a program run code which is not its own."""

_NO_HISTORY: Final = frozenset({"HISTFILE=/dev/null", "HISTFILE=", "HISTSIZE=0", "HISTFILESIZE=0"})


def about(process: Process, findings: Iterable[Finding], *, rights: bool) -> list[Evidence]:
    """Return findings as evidence about a process; `rights` if it has those of another user."""
    return [kind.about(process, what, nats=weight(kind, rights=rights)) for kind, what in findings]


def escape_of(process: Process, argv: Argv, name: str, container: str) -> list[Evidence]:
    """Judge a command that runs in a container, or nowhere if that is empty, by whether it reaches out of it."""
    if container and containers.leaves_container(argv, name):
        return [CONTAINER_ESCAPE.about(process, f"{container}: {line(argv)}")]
    return []


def judge_words(argv: Argv, name: str) -> tuple[Finding, ...]:
    """Return what the words of a command say: the rules of its program, and the shells and secrets that it names."""
    rules = RULES.get(name)
    found = [finding for rule in rules if (finding := rule(argv)) is not None] if rules is not None else []
    text = " ".join(argv[1:])
    if "sh" in text and (shell := shell_operand(argv, name)) is not None:
        found.append(shell)
    if (secret := mentioned(text, name)) is not None:
        found.append(secret)
    return tuple(found)


def judge_redirection(path: str, command: str, *, empties: bool) -> list[Finding]:
    """Judge the redirection of a command's output into a file; `empties` if the command has none worth keeping."""
    kind = written(path) or (destroyed(path) if empties else None)
    text = f"{command} > {path}"
    if kind is not None:
        return [Finding(sharpened(kind, text), text)]
    return [Finding(PAYLOAD_PLANTED, text)] if is_job_of_dropped_file(command) else []


def assignment(words: Argv) -> list[Finding]:
    """Judge the variables that a command is given: preloaded libraries, history that goes nowhere, hooks."""
    for word in words:
        name, _, value = word.partition("=")
        if name in ("LD_PRELOAD", "LD_AUDIT") and value:
            kind = LIBRARY_PRELOADED_TEMPORARY if is_temporary(value) else LIBRARY_PRELOADED
            return [Finding(kind, line(words))]
        if word in _NO_HISTORY:
            return [Finding(HISTORY_CLEARED, line(words))]
        if value and ((_RUN.search(name) and embeds_shell(value)) or _is_shell(name, value)):
            return [Finding(SHELL_ESCAPE, line(words))]
        if value and _HOOK.fullmatch(name):
            return [Finding(PROGRAM_HOOKED, line(words))]
    return []


def _is_shell(name: str, value: str) -> bool:
    return value[0] == "/" and not name.endswith("SHELL") and opens_shell(tuple(value.split()))


def _environment(argv: Argv) -> Finding | None:
    return next(iter(assignment(argv[1:])), None)


_TABLES: Final = (
    network.RULES,
    persistence.RULES,
    evasion.RULES,
    access.RULES,
    containers.RULES,
    hooks.RULES,
    handouts.RULES,
    detours.RULES,
    transfers.RULES,
    {"env": (_environment,), "export": (_environment,), "declare": (_environment,)},
)

RULES: Final[dict[str, tuple[Rule, ...]]] = {
    name: tuple(rule for table in _TABLES for rule in table.get(name, ()))
    for name in sorted(name for table in _TABLES for name in table)
}
"""The rules of every program that has some."""
