"""Commands that look for secrets and rights, and that read the memory of others."""

import re
from typing import Final

from pyloader.evidence.catalogue import DEBUGGER_CALLS, KEY_HUNT, MEMORY_DUMP, SETUID_HUNT, Finding
from pyloader.evidence.commands.rule import Rule, line
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import base_name
from pyloader.evidence.shell import Argv

_KEYS = pattern(r"id_rsa|id_dsa|id_ed25519|\.pem\b|\*\.key\b|\.kdbx|authorized_keys|password|\.git-credentials")


def _find(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    if re.search(r"-perm\s+[-/+]?(?:0?[246][0-7]{3}|[ug]*[+=]?s\b|u=s|g=s)", text) and "-exec" not in text:
        return Finding(SETUID_HUNT, line(argv))
    if _KEYS.search(text.partition(" -exec")[0]):
        return Finding(KEY_HUNT, line(argv))
    return None


def _getcap(argv: Argv) -> Finding | None:
    return Finding(SETUID_HUNT, line(argv)) if "-r" in argv[1:] else None


def _grep(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    hunts = re.search(r"(?:^|\s)-\w*[rR]\w*\s", text) and re.search(
        r"passw|PRIVATE KEY|secret|AKIA|api_?key", text, re.IGNORECASE
    )
    return Finding(KEY_HUNT, line(argv)) if hunts else None


_INJECTS: Final = pattern(
    r"^\s*(?:call\b|jump\b|compile\b|restore\b|set\s+(?:var(?:iable)?\s+)?[$*{(]|(?:p|print|output|inspect|eval)\b[^(]*\w\s*\()"
    r"|\bdlopen|__libc_dlopen|\bsystem\s*\(|\bmprotect\s*\("
)
"""Commands of a debugger that run or change code in the process that it is attached to."""


def _debugger(argv: Argv) -> Finding | None:
    attaches = any(re.fullmatch(r"-p|--pid(?:=\S*)?|attach|-p\d+|(?:process )?attach .*", word) for word in argv[1:])
    if attaches and any(_INJECTS.search(word) for word in argv[2:]):
        return Finding(DEBUGGER_CALLS, line(argv))
    return Finding(MEMORY_DUMP, line(argv)) if attaches or base_name(argv[0]) == "gcore" else None


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "find": (_find,),
    "getcap": (_getcap,),
    **dict.fromkeys(("grep", "egrep", "fgrep", "rg", "ag"), (_grep,)),
    **dict.fromkeys(("gdb", "gcore", "lldb", "procdump"), (_debugger,)),
}
