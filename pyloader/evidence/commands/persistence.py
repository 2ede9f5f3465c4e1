"""Commands that make code run again or let their user come back: jobs, units, accounts, bits, modules."""

import re
from typing import Final

from pyloader.evidence.catalogue import (
    ACCOUNT_CREATED,
    FILE_CAPABILITY,
    FILE_CAPABILITY_HANDED,
    FILE_CAPABILITY_ROOT,
    MODULE_LOADED,
    MODULE_LOADED_TEMPORARY,
    ROOT_ACCOUNT,
    ROOT_GROUP,
    SCHEDULED,
    SETGID_BIT_TEMPORARY,
    SETUID_BIT,
    SETUID_BIT_TEMPORARY,
    TRANSIENT_UNIT,
    UNIT_ENABLED,
    Finding,
)
from pyloader.evidence.command_kinds import SETGID_BIT
from pyloader.evidence.commands.rule import Rule, line
from pyloader.evidence.contents import sharpened
from pyloader.evidence.files import destinations, is_temporary, written
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Role, base_name
from pyloader.evidence.shell import SHELLS, Argv, operands
from pyloader.evidence.streams import roles_of


def _crontab(argv: Argv) -> Finding | None:
    words = argv[1:]
    if any(word.startswith("-") and len(word) > 1 and word[-1] in "leri" for word in words):
        return None
    return Finding(SCHEDULED, line(argv))


def _at(argv: Argv) -> Finding | None:
    return Finding(SCHEDULED, line(argv)) if len(argv) > 1 and argv[1] not in ("-l", "-V", "-c", "-d", "-r") else None


def _enable(argv: Argv) -> Finding | None:
    verb = next((word for word in argv[1:] if not word.startswith("-")), "")
    return Finding(UNIT_ENABLED, line(argv)) if verb in ("enable", "link", "reenable") else None


def _systemd_run(argv: Argv) -> Finding | None:
    timed = any(word.startswith(("--on-", "--timer")) for word in argv)
    return Finding(TRANSIENT_UNIT, line(argv)) if timed else None


def _chmod(argv: Argv) -> Finding | None:
    mode = next((word for word in argv[1:] if not word.startswith("--") and not re.fullmatch(r"-[Rvcf]+", word)), "")
    if not re.fullmatch(r"0?[2467][0-7]{3}|.*[+=][rwxXt]*s[rwxXst]*.*", mode) or mode.startswith(("o", "/")):
        return None
    if re.fullmatch(r"0?2[0-7]{3}|g[+=]\w*", mode):
        recursive = any(re.fullmatch(r"-\w*R\w*", word) for word in argv[1:])
        # With an x it is a program; folders, which share their group so, have theirs already.
        if "x" in mode and not recursive and any(is_temporary(path) for path in operands(argv)[1:]):
            return Finding(SETGID_BIT_TEMPORARY, line(argv))
        return Finding(SETGID_BIT, line(argv)) if mode.startswith("g") and not recursive else None
    files = operands(argv)[1:]
    if any(is_temporary(path) or base_name(path) in SHELLS for path in files):
        return Finding(SETUID_BIT_TEMPORARY, line(argv))
    return Finding(SETUID_BIT, line(argv))


def _install(argv: Argv) -> Finding | None:
    sets = re.search(r"\s(?:-\w*m\s*|--mode[= ])(?:[ugoa]*[=+]\w*s|0?[4267][0-7]{3}\b)", line(argv))
    if not sets:
        return None
    files = operands(argv)
    shell = is_temporary(files[-1]) or any(base_name(path) in SHELLS for path in files) if files else False
    return Finding(SETUID_BIT_TEMPORARY if shell else SETUID_BIT, line(argv))


_BECOMES_ROOT = pattern(
    r"cap_(?:setuid|setgid|sys_admin|sys_ptrace|dac_override|sys_module|chown|fowner|setfcap)|\ball\b"
)


def _setcap(argv: Argv) -> Finding | None:
    text = line(argv[1:]).lower()
    runs_code = roles_of(argv[-1:]) & (Role.SHELL | Role.INTERPRETER)
    if (runs_code or is_temporary(argv[-1])) and "-r" not in argv and _BECOMES_ROOT.search(text):
        return Finding(FILE_CAPABILITY_HANDED, line(argv))
    if re.search(
        r"cap_(?:setuid|setgid|sys_admin|sys_ptrace|dac_override|dac_read_search|sys_module|chown|fowner|setfcap)|\ball\b",
        text,
    ):
        return Finding(FILE_CAPABILITY_ROOT, line(argv))
    return Finding(FILE_CAPABILITY, line(argv)) if "cap_" in text else None


def _account(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    if re.search(r"(?:-u|--uid)[= ]?0\b", text) and re.search(r"(?:-o\b|--non-unique|-\w*o\w* )", text + " "):
        return Finding(ROOT_ACCOUNT, line(argv))
    if re.search(r"(?:-\w*g|--gid)[= ]?(?:0|root)\b", text):
        home = re.search(r"(?:-\w*d|--home(?:-dir)?)[= ]/root\b", text)
        return Finding(ROOT_ACCOUNT if home else ROOT_GROUP, line(argv))
    return (
        Finding(ACCOUNT_CREATED, line(argv)) if len(argv) > 1 and base_name(argv[0]) in ("useradd", "adduser") else None
    )


def _module(argv: Argv) -> Finding | None:
    files = [word for word in argv[1:] if ".ko" in word]
    if not files:
        return None
    return Finding(MODULE_LOADED_TEMPORARY if any(is_temporary(path) for path in files) else MODULE_LOADED, line(argv))


def _writes(argv: Argv) -> Finding | None:
    for path in destinations(argv):
        if kind := written(path):
            return Finding(sharpened(kind, line(argv)), line(argv))
    return None


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "crontab": (_crontab,),
    **dict.fromkeys(("at", "batch"), (_at,)),
    "systemctl": (_enable,),
    "systemd-run": (_systemd_run,),
    "chmod": (_chmod,),
    "setcap": (_setcap,),
    "install": (_install, _writes),
    **dict.fromkeys(("useradd", "adduser", "usermod"), (_account,)),
    **dict.fromkeys(("insmod", "modprobe", "kmod"), (_module,)),
    **dict.fromkeys(("tee", "cp", "mv", "ln", "rsync", "scp", "sed", "perl", "dd"), (_writes,)),
}
