"""Commands that look for secrets and rights, and that read the memory of others."""

import re
from typing import Final

from pyloader.evidence.catalogue import KEY_HUNT, MEMORY_DUMP, SETUID_HUNT, Finding
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


def _debugger(argv: Argv) -> Finding | None:
    attaches = any(re.fullmatch(r"-p|--pid(?:=\S*)?|attach|-p\d+", word) for word in argv[1:])
    return Finding(MEMORY_DUMP, line(argv)) if attaches or base_name(argv[0]) == "gcore" else None


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "find": (_find,),
    "getcap": (_getcap,),
    **dict.fromkeys(("grep", "egrep", "fgrep", "rg", "ag"), (_grep,)),
    **dict.fromkeys(("gdb", "gcore", "lldb", "procdump"), (_debugger,)),
}
