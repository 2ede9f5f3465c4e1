"""Abuse of programs that run with more rights than their caller.

Two ways to see it: the arguments of a privileged tool that contain a way to a shell, as GTFOBins collects them, and the
shell itself, whose parent is such a tool and whose lineage went through `sudo` or a set-uid bit.
"""

import re
from typing import Final

from pyloader.evidence.catalogue import (
    CAPABILITY_TO_ROOT,
    CAPABLE_INTERPRETER,
    CREDENTIALS_UNEXPLAINED,
    ESCAPED_SHELL,
    EXPLOIT_ARGUMENTS,
    PRIVILEGED_ESCAPE,
    PRIVILEGED_HOOK,
    PRIVILEGED_WRAPPER,
    SETUID_TEMPORARY,
    SETUID_TOOL,
    SETUID_UNUSUAL,
    SHELL_ESCAPE,
    Kind,
    named,
)
from pyloader.evidence.files import is_temporary
from pyloader.evidence.item import Evidence
from pyloader.evidence.programs import Program, Role
from pyloader.evidence.shell import Argv, is_interactive, opens_shell
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import CredentialChange, ExecFlag, Explanation, ProcessExec

_SETUID: Final = int(ExecFlag.SETUID)
_FILE_CAPABILITIES: Final = int(ExecFlag.FILE_CAPABILITIES)
SPECIAL: Final = _SETUID | _FILE_CAPABILITIES

_TO_ROOT: Final = 1 << 1 | 1 << 7 | 1 << 16 | 1 << 19 | 1 << 21
"""CAP_DAC_OVERRIDE, CAP_SETUID, CAP_SYS_MODULE, CAP_SYS_PTRACE, CAP_SYS_ADMIN: each of them leads to root."""

_SHELL = r"(?:/(?:usr/)?(?:local/)?bin/)?(?:ba|da|z|k|a|c|tc|fi)?sh"
_END = r"(?:\s+-[a-z]+)*(?:\s*\d?[<>|]+&?\s*\S*)*\s*(?:$|[\"'`)\]};,#&\\]|\s#|\s+-s\b)"
_EMBEDDED = re.compile(rf"(?:[!(\"'`{{;|%]\s*|:\s?|=[\"']?|exec\s+|system\s+|spawn\s+){_SHELL}{_END}", re.IGNORECASE)
"""A bare shell inside an argument: `:!/bin/sh`, `system("/bin/sh")`, `--hook=/bin/sh`, `; /bin/sh #`."""

_HOOK = re.compile(
    r"^--(?:checkpoint-action=exec|to-command|use-compress-program|rsh|compress-program|filter|unzip-command|pre-hook"
    r"|post-hook|on-download|on-\w+=|exec|eval|shell-escape|password-command|up|use-askpass|interactive|wrapper"
    r"|proxy-command|engine|exec-path)\b|ProxyCommand|LocalCommand|Pre-Invoke|Post-Invoke|core\.pager|core\.fsmonitor"
    r"|shell-escape|write18|os\.execute|os\.system|pty\.spawn|BEGIN\s*\{\s*system|/inet/tcp"
)
_NAME_ONLY: Final = frozenset(
    "ls cat echo printf which whereis type chsh usermod useradd adduser chmod chown rm cp mv ln file stat test grep egrep fgrep"
    " dpkg apt apt-get yum dnf apk pacman update-alternatives alternatives pgrep pkill killall kill ps readlink realpath"
    " basename dirname diff cmp md5sum sha256sum strip ldd man whatis locate touch mkdir install rpm2cpio dpkg-reconfigure"
    " dpkg-divert pidof lsof strings tee cut sort head tail wc getent passwd systemctl service journalctl restorecon chcon"
    " setfacl getfacl debsums useradd vipw tr sudo su doas pkexec".split()
)
"""Programs that take the path of a shell as a name and run nothing."""

_EXECUTES_TAIL: Final = frozenset(
    {"find", "ip", "run-parts", "msgfilter", "dhclient", "scrot", "tmate", "git", "service", "gem"}
)
_TAIL_OF_FOREIGN_ROOT: Final = frozenset(
    "docker podman nerdctl ctr kubectl crictl lxc lxc-attach incus machinectl systemd-nspawn chroot arch-chroot schroot nsenter"
    " unshare screen tmux ssh mosh script systemd-run newgrp sg vagrant bwrap firejail watch su runuser login agetty getty"
    " crontab visudo".split()
)
"""Programs whose daily use is to open a shell somewhere."""


def judge_setuid(record: ProcessExec, process: Process, program: Program) -> list[Evidence]:
    """Judge an image whose set-uid bit or file capabilities took effect."""
    found: list[Evidence] = []
    if process.flags & _SETUID:
        if attack := _exploit(process.args, program):
            found.append(EXPLOIT_ARGUMENTS.about(process, attack))
        if not program.roles & Role.SETUID:
            found.append(_unusual_setuid(process, program).about(process, process.exe))
    elif (
        record.capabilities & _TO_ROOT and record.uid and program.roles & (Role.INTERPRETER | Role.SHELL | Role.ESCAPE)
    ):
        if program.name not in ("bwrap", "newuidmap", "dumpcap"):
            found.append(CAPABLE_INTERPRETER.about(process, process.exe))
    return found


def _unusual_setuid(process: Process, program: Program) -> Kind:
    if program.roles & (Role.SHELL | Role.INTERPRETER | Role.ESCAPE | Role.WRAPPER | Role.FILTER | Role.RELAY):
        return SETUID_TOOL
    if program.roles & (Role.DOWNLOADER | Role.DECODER) or program.name in (
        "cp",
        "mv",
        "chmod",
        "chown",
        "ln",
        "tee",
        "dd",
        "install",
    ):
        return SETUID_TOOL
    if is_temporary(process.exe) or process.flags & int(ExecFlag.WORLD_WRITABLE):
        return SETUID_TEMPORARY
    if (
        any(_EMBEDDED.search(word) for word in process.args[1:])
        or opens_shell(process.args[-2:])
        or opens_shell(process.args[-1:])
    ):
        return SETUID_TOOL
    return SETUID_UNUSUAL


def _exploit(argv: Argv, program: Program) -> str:
    """Return what is wrong with the arguments of a set-uid program, if they are those of a known exploit."""
    if not argv or argv == ("",):
        return "an empty argument vector (CVE-2021-4034)"
    if program.name in ("sudo", "sudoedit"):
        if any(word.endswith("\\") for word in argv[1:]) and ("-s" in argv or "-i" in argv or "sudoedit" in argv[0]):
            return f"{' '.join(argv)} (CVE-2021-3156)"
        if any(word in ("-u#-1", "#-1", "-u#4294967295", "#4294967295") for word in argv[1:]):
            return f"{' '.join(argv)} (CVE-2019-14287)"
    return ""


def judge_arguments(process: Process, program: Program, argv: Argv, before: int) -> list[Evidence]:
    """Judge the way to a shell in the arguments of a tool; `before` tells who has started it."""
    if program.name in _NAME_ONLY or program.roles & Role.SHELL or len(argv) < 2:
        return []
    direct = before & Trait.ELEVATOR
    privileged = before & (Trait.ELEVATED | Trait.WAS_SETUID) or process.flags & _SETUID
    embedded = any(_EMBEDDED.search(word) for word in argv[1:]) and not _text_tool_only(program, argv)
    command = " ".join(argv)
    if embedded:
        if privileged:
            return [PRIVILEGED_ESCAPE.about(process, command)]
        return [SHELL_ESCAPE.about(process, command)] if program.roles & (Role.ESCAPE | Role.INTERPRETER) else []
    if program.name not in _TAIL_OF_FOREIGN_ROOT and _ends_in_shell(program, argv):
        if direct or process.flags & _SETUID:
            return [PRIVILEGED_WRAPPER.about(process, command)]
        if privileged:
            return [SHELL_ESCAPE.about(process, command, nats=4.5)]
        return [SHELL_ESCAPE.about(process, command)] if program.name == "find" else []
    if (
        direct
        and any(_HOOK.search(word) for word in argv[1:])
        and program.roles & (Role.ESCAPE | Role.WRAPPER | Role.DOWNLOADER)
    ):
        return [PRIVILEGED_HOOK.about(process, command)]
    return []


def _text_tool_only(program: Program, argv: Argv) -> bool:
    if program.name == "sed":
        return not any(re.search(r"^\d*e\s|/e$", word) for word in argv[1:])
    if program.name == "awk" or program.name.endswith("awk"):
        return not re.search(r"system\s*\(|\|\s*\"|\|&", " ".join(argv[1:]))
    return any(word.startswith(("SHELL=", "--shell=")) for word in argv[1:])


def _ends_in_shell(program: Program, argv: Argv) -> bool:
    """Whether a tool that runs commands has a bare shell as its command."""
    if not program.roles & (Role.WRAPPER | Role.ESCAPE | Role.INTERPRETER) and program.name not in _EXECUTES_TAIL:
        return False
    words = tuple(word for word in argv[1:] if word not in (";", "\\;", "+", "-quit", "{}"))
    return any(opens_shell(words[start:]) for start in range(max(0, len(words) - 3), len(words)))


def judge_shell(process: Process, program: Program, before: int) -> Evidence | None:
    """Judge a bare shell by what started it."""
    if not is_interactive(process.args, program.roles):
        return None
    parent = process.parent
    origin = named(parent) if parent is not None else "a privileged tool"
    if before & Trait.SETUID:
        return ESCAPED_SHELL.about(process, f"{origin}, which is set-uid")
    if before & Trait.ESCAPE and before & (Trait.ELEVATED | Trait.WAS_SETUID) and process.uid == 0:
        return ESCAPED_SHELL.about(process, origin)
    return None


def judge_credentials(record: CredentialChange, process: Process) -> list[Evidence]:
    """Judge a change of ids or capabilities by what explains it."""
    change = f"uid {record.old_uid} to {record.uid}, effective uid {record.old_euid} to {record.euid}"
    if record.explanation == Explanation.NONE:
        gained = record.capabilities & ~record.old_capabilities
        return [CREDENTIALS_UNEXPLAINED.about(process, f"{change}, capabilities gained {gained:#x}")]
    became_root = record.uid == 0 and record.euid == 0 and record.old_uid and record.old_euid
    if record.explanation == Explanation.SET_ID and became_root and not process.flags & _SETUID:
        return [CAPABILITY_TO_ROOT.about(process, change)]
    return []
