"""Tools that are given a bare shell to run, or that give one another name."""

from typing import Final

from pyloader.evidence.command_kinds import SHELL_AS_OPERAND, SHELL_RENAMED
from pyloader.evidence.commands.shapes import rules

_SHELL = r"/(?:usr/)?(?:local/)?bin/(?:ba|da|z|k|a|c|tc|fi)?sh"

_OPENED: Final = {
    "socat": rf"(?i:\s['\"]?(?:exec|system|shell):){_SHELL}",
    "bundle bundler npm npx yarn pnpm poetry pipenv cabal": rf"\sexec\s+{_SHELL}\s",
    "perf": rf"\s{_SHELL}\s",
    "chroot": r"^ /\s",
    "nsenter unshare ssh-agent": rf"^ {_SHELL}\s",
    "script": rf"^ (?:-q )?/dev/null $|\s-\w*c\s*['\"]?{_SHELL}\b(?:.{{0,200}}\s)?/dev/null\s",
    "capsh": r"\s--\s(?!-c\s)",
    "service": r"\.\./",
}
"""Beside what `shell_operand` finds in any program."""

_RENAMED: Final = {
    "cp install ln": rf"\s{_SHELL}\s+(?!{_SHELL}\s)\S",
    "mount": rf"\s{_SHELL}\s",
}
"""A shell under another name passes for the program that it is called."""

RULES: Final = rules({SHELL_AS_OPERAND: _OPENED, SHELL_RENAMED: _RENAMED})
