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
from pyloader.evidence.command_kinds import NESTED_SHELL, SHELL_KEEPS_RIGHTS
from pyloader.evidence.commands.shells import NAME_ONLY
from pyloader.evidence.files import is_temporary
from pyloader.evidence.item import Evidence
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Program, Role
from pyloader.evidence.shell import Argv, embeds_shell, is_interactive, opens_shell, wraps_shell
from pyloader.evidence.traits import Trait
from pyloader.host import Host, Process
from pyloader.records import CredentialChange, ExecFlag, Explanation, ProcessExec, Stdio

_SETUID: Final = int(ExecFlag.SETUID)
_SCRIPT: Final = int(ExecFlag.SCRIPT)
_FILE_CAPABILITIES: Final = int(ExecFlag.FILE_CAPABILITIES)
SPECIAL: Final = _SETUID | _FILE_CAPABILITIES

_TO_ROOT: Final = 1 << 1 | 1 << 7 | 1 << 16 | 1 << 19 | 1 << 21
"""CAP_DAC_OVERRIDE, CAP_SETUID, CAP_SYS_MODULE, CAP_SYS_PTRACE, CAP_SYS_ADMIN: each of them leads to root."""

_HOOK = pattern(
    r"^--(?:checkpoint-action=exec|to-command|rsh|unzip-command|pre-hook"
    r"|post-hook|on-download|on-\w+=|eval(?!-)|shell-escape|password-command|up|use-askpass|interactive|wrapper"
    r"|proxy-command|engine|exec-path=|(?:use-compress-program|compress-program|filter|exec)(?!-)(?!=(?:-|\S*\b(?:p?g|pb?|pi?)zip"
    r"|\S*bzip2|\S*pigz|\S*xz|\S*zstd|\S*lz4)))\b|ProxyCommand|LocalCommand|Pre-Invoke|Post-Invoke|core\.pager|core\.fsmonitor"
    r"|shell-escape|write18|os\.execute|os\.system|pty\.spawn|BEGIN\s*\{\s*system|/inet/tcp"
)


def judge_setuid(record: ProcessExec, process: Process, program: Program) -> list[Evidence]:
    """Judge an image whose set-uid bit or file capabilities took effect."""
    found: list[Evidence] = []
    if process.flags & _SETUID:
        if attack := _exploit(process.args, program):
            found.append(EXPLOIT_ARGUMENTS.about(process, attack))
        if not program.roles & Role.SETUID:
            found.append(_unusual_setuid(process, program).about(process, process.exe))
    elif record.uid and record.capabilities & _TO_ROOT and program.roles & _RUNS_ANY_CODE:
        found.append(CAPABLE_INTERPRETER.about(process, process.exe))
    return found


_RUNS_ANY_CODE: Final = Role.INTERPRETER | Role.SHELL | Role.ESCAPE


def _unusual_setuid(process: Process, program: Program) -> Kind:
    """Return what a set-uid image is that systems do not bring."""
    if program.roles:
        return SETUID_TOOL
    if is_temporary(process.exe) or process.flags & int(ExecFlag.WORLD_WRITABLE):
        return SETUID_TEMPORARY
    if any(embeds_shell(word) for word in process.args[1:]) or opens_shell(process.args[-1:]):
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
    if len(argv) <= 1 or program.roles & Role.SHELL or program.name in NAME_ONLY:
        return []
    direct = before & Trait.ELEVATOR or process.flags & _SETUID
    privileged = before & (Trait.ELEVATED | Trait.WAS_SETUID) or process.flags & _SETUID
    command = " ".join(argv)
    escape: Kind | None = None
    if "sh" in command and _embeds_shell(program, argv):
        escape = PRIVILEGED_ESCAPE if privileged else SHELL_ESCAPE if program.roles & _RUNS_COMMANDS else None
    elif "sh" in command and _ends_in_shell(program, argv):
        by_itself = privileged or program.name == "find"
        escape = PRIVILEGED_WRAPPER if direct else SHELL_ESCAPE if by_itself else None
    elif direct and _runs_by_option(program) and any(_HOOK.search(word) for word in argv[1:]):
        escape = PRIVILEGED_HOOK
    return [escape.about(process, command)] if escape is not None else []


_RUNS_COMMANDS: Final = Role.ESCAPE | Role.INTERPRETER | Role.WRAPPER | Role.DOWNLOADER


def _runs_by_option(program: Program) -> bool:
    """Whether a tool may be told to run a program, which is not its job."""
    return program.roles & _RUNS_COMMANDS != 0 and not program.roles & Role.WRAPPER


def _embeds_shell(program: Program, argv: Argv) -> bool:
    """Whether an argument has a bare shell inside it, where this tool would run it."""
    words = argv[1:]
    if program.name == "find":
        return False
    if program.roles & Role.TERMINAL and not program.roles & Role.ESCAPE:
        words = tuple(word for word in words if "Command=" in word)
    words = tuple(word for word in words if not _NAMES_SHELL.match(word))
    return any(embeds_shell(word) for word in words) and not _text_tool_only(program, argv)


_NAMES_SHELL = pattern(r"(?:--?(?:with|enable)-[\w-]+|-{0,2}[\w-]*(?i:shell))=")
"""Settings that say which shell there is."""


def _text_tool_only(program: Program, argv: Argv) -> bool:
    if program.name == "sed":
        return not any(re.search(r"^\d*e\s|/e$", word) for word in argv[1:])
    is_awk = program.name.endswith("awk")
    return is_awk and not re.search(r"system\s*\(|BEGIN\s*\{[^}]*\|\s*\"", " ".join(argv[1:]))


def _ends_in_shell(program: Program, argv: Argv) -> bool:
    """Whether a tool that runs a command has a bare shell as that command."""
    if program.name == "find":
        starts = [place for place, word in enumerate(argv) if word in ("-exec", "-execdir", "-ok", "-okdir")]
        words = tuple(word for word in argv if word not in (";", "\\;", "+", "-quit"))
        return any(opens_shell(words[start + 1 :]) for start in starts)
    if program.name == "ip":
        return "exec" in argv and opens_shell(argv[-1:])
    if program.name == "service":
        return argv[1].startswith("../") and argv[1].endswith("sh")
    if not program.roles & Role.WRAPPER or program.roles & Role.TERMINAL:
        return False
    return wraps_shell(argv, program.name)


def judge_bare(process: Process, program: Program, argv: Argv, before: int) -> list[Evidence]:
    """Judge a bare shell, whoever's, by its options and by what started it."""
    if process.flags & _SCRIPT or not opens_shell((program.name, *argv[1:])):
        return []
    if any(_KEEPS_RIGHTS.fullmatch(word) for word in argv[1:]):
        return [SHELL_KEEPS_RIGHTS.about(process, " ".join(argv))]
    if process.stdin is Stdio.CHARACTER and before & Trait.SHELL and not before & _EXPLAINED:
        return [NESTED_SHELL.about(process)]
    return []


_EXPLAINED: Final = Trait.TERMINAL | Trait.PRIVILEGED
"""A terminal opens shells for its user, and so does who became root to work as root."""

_KEEPS_RIGHTS = pattern(r"-[il]*p[il]*|-o?privileged")
"""A shell drops set-uid rights when it starts, unless it is told not to."""


def judge_shell(record: ProcessExec, process: Process, program: Program, argv: Argv, before: int) -> list[Evidence]:
    """Judge a bare shell with the rights of root by what started it."""
    if record.euid or not is_interactive(argv, program.roles):
        return []
    origin = named(process.parent) if process.parent is not None else "a privileged tool"
    if before & Trait.SETUID:
        return [ESCAPED_SHELL.about(process, f"{origin}, which is set-uid")]
    if not before & (Trait.ELEVATED | Trait.WAS_SETUID) or before & (Trait.ELEVATOR | Trait.SHELL | Trait.TERMINAL):
        return []
    if process.stdin is Stdio.PIPE:
        return [ESCAPED_SHELL.about(process, origin, nats=4.0)]
    return [ESCAPED_SHELL.about(process, origin, nats=None if before & Trait.ESCAPE else 5.4)]


def judge_credentials(record: CredentialChange, process: Process, _host: Host) -> tuple[Evidence, ...]:
    """Judge a change of ids or capabilities by what explains it."""
    change = f"uid {record.old_uid} to {record.uid}, effective uid {record.old_euid} to {record.euid}"
    if record.explanation == Explanation.NONE:
        gained = record.capabilities & ~record.old_capabilities
        return (CREDENTIALS_UNEXPLAINED.about(process, f"{change}, capabilities gained {gained:#x}"),)
    became_root = record.uid == 0 and record.euid == 0 and record.old_uid and record.old_euid
    if record.explanation == Explanation.SET_ID and became_root and not process.flags & _SETUID:
        return (CAPABILITY_TO_ROOT.about(process, change),)
    return ()
