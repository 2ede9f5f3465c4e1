"""Commands that hand out a shell: bare ones as an operand, under another name, or planted in a file."""

from itertools import pairwise
from typing import Final

from pyloader.evidence.catalogue import Finding
from pyloader.evidence.command_kinds import SHELL_AS_OPERAND, SHELL_PLANTED
from pyloader.evidence.commands.rule import line
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import ROLES, Role, names
from pyloader.evidence.shell import Argv, Command, embeds_shell, opens_shell, wraps_shell

NAME_ONLY: Final = names(
    "ls cat echo printf which whereis type chsh usermod useradd adduser chmod chown rm cp mv ln file stat test ["
    " grep egrep fgrep dpkg yum dnf apk pacman update-alternatives alternatives pgrep pkill killall kill ps"
    " readlink realpath basename dirname diff cmp md5sum sha256sum strip ldd man whatis locate touch mkdir install"
    " rpm2cpio dpkg-reconfigure dpkg-divert pidof lsof strings tee cut sort head tail wc getent passwd systemctl"
    " journalctl restorecon chcon setfacl getfacl debsums useradd vipw tr sudo su doas pkexec"
    " objdump nm readelf size patchelf strace-log-merge xxd od hexdump dpkg-query dpkg-deb"
)
"""Programs that take the path of a shell as a name and run nothing."""

_OPTION = pattern(r"-\w{1,2}|--(?:[a-z-]*(?:exec|command|cmd|run|program|start|startas|up|filter|helper|speller))?")
_GLUED = pattern(r"--(?!with-|shell|prefix)[a-z-]+(?<!shell)=/(?:usr/)?bin/(?:ba|da|z|k|a|c|tc|fi)?sh")
_WRITERS: Final = frozenset({"echo", "printf", "cat", "tee"})
_KEEPS_RIGHTS = pattern(r"#!\s*/\S*sh\s+-\w*p")
_SETTING = pattern(r"SHELL\s*=")


def shell_operand(argv: Argv, name: str) -> Finding | None:
    """Judge a bare shell among the operands: at the end of a wrapper, or as the value of an option."""
    roles = ROLES.get(name, 0)
    if name in NAME_ONLY or name == "find" or roles & (Role.TERMINAL | Role.ELEVATOR):
        return None
    if roles & Role.WRAPPER and wraps_shell(argv, name):
        return Finding(SHELL_AS_OPERAND, line(argv))
    for position, (option, word) in enumerate(pairwise(argv[1:]), start=3):
        if word[:1] == "/" and word.endswith("sh") and _OPTION.fullmatch(option) and opens_shell((word,)):
            return None if "-c" in argv[position:] else Finding(SHELL_AS_OPERAND, line(argv))
    return Finding(SHELL_AS_OPERAND, line(argv)) if any(map(_GLUED.fullmatch, argv[1:])) else None


def planted(command: Command, argv: Argv, name: str, *, piped: bool) -> Finding | None:
    """Judge text that opens a shell, where a command of shell code writes it to a file or into another command."""
    if name not in _WRITERS or not (piped or any(not path.startswith("/dev/") for path in command.writes)):
        return None
    for word in argv[1:]:
        if (embeds_shell(word) and not _SETTING.search(word)) or _KEEPS_RIGHTS.search(word):
            return Finding(SHELL_PLANTED, line(argv))
    return None
