"""What shell code that is given with `-c` does: its pipelines, its commands and its redirections.

The commands of the code that are programs are executed and judged again on their own. The code shows what they do
not: builtins such as `history -c`, redirections into files, and what is piped where before any of it has started.
"""

import re
from typing import Final

from pyloader.evidence.catalogue import (
    DECODED_TO_SHELL,
    DOWNLOAD_TO_SHELL,
    PORT_PROBE,
    SECRET_COPIED,
    SECRET_READ,
    SHELL_NETWORK_DEVICE,
    SHELL_PIPED_TO_RELAY,
    Finding,
)
from pyloader.evidence.commands import assignment, judge_redirection, judge_words
from pyloader.evidence.commands.shells import planted
from pyloader.evidence.contents import sharpened
from pyloader.evidence.files import is_temporary, mentioned
from pyloader.evidence.obfuscation import judge_wording
from pyloader.evidence.one_liners import talks
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Role, base_name, names, plain_name
from pyloader.evidence.shell import GROUP, NESTING, SHELLS, Command, Pipeline, pipelines, shell_code, unwrapped
from pyloader.evidence.streams import decodes, downloads, reads_commands, relays, roles_of

_WORD = pattern(r"[\w-]+")
_INTERESTING: Final = names(
    "tcp udp shm mem kmem curl wget wget2 fetch aria2c lynx lwp-request lwp-download base64 base32 basenc xxd"
    " openssl gpg uudecode nc ncat netcat socat telnet cryptcat history HISTFILE HISTSIZE HISTFILESIZE LD_PRELOAD"
    " LD_AUDIT crontab systemctl service chmod setcap useradd adduser usermod insmod modprobe chattr setenforce"
    " iptables ip6tables ufw nft auditctl sysctl nsenter docker podman nerdctl ctr shadow shred truncate touch"
    " wtmp btmp lastlog release_agent core_pattern sudoers authorized_keys rev pkill killall ztcp gcore gdb inet"
    " xmrig id_rsa id_ed25519 PAGER socket Socket fsockopen enable"
)
"""Words without which code is not read: a path counts by its parts."""
_BARE_SHELL = pattern(r"(?<!#!)(?<!\w)/(?:usr/)?bin/(?:ba|da|z|k|a|c|tc)?sh\b(?!\s+[\w./$\"])|#!\s*/\S*sh\s+-\w*p")
_SOCKETS = pattern(r"socket|Socket|fsockopen")
_REDIRECTED = pattern(r">\s*(?!/dev/null)['\"~/$.]")


_DEVICE = pattern(r"/dev/(?:tcp|udp)/|\bztcp\b|zsh/net/tcp")
_PROBE = pattern(
    r"""^\s*(?:\(\s*)?(?:(?:exec\s+\d+|:|true|echo(?:\s+-n)?(?:\s+(?:""|''))?|cat\s*<\s*/dev/null|timeout\s+\S+\s+\w+)\s*)?
        (?:<>|[<>])\s*["']?/dev/tcp/[^\s/]+/[^\s;&|)"']+["']?\s*\)?
        (?:\s*(?:\d?>\s*&?|&>\s*)\S++)*+
        \s*(?:(?:&&|;|\|\|)\s*(?:echo|exit|true|:|printf|exec\s+\d+[<>]&-)\b[^;&|]*)*\s*$""",
    re.VERBOSE,
)
_EMPTYING = frozenset({"", ":", "true", "echo", "printf", "cat", "dd", "truncate"})
"""Commands whose output into a log replaces what the log said."""

_RUNS_CODE = Role.SHELL | Role.INTERPRETER
_TAKES_CODE = frozenset({"eval", "source", ".", "exec", "command"})


def judge_script(code: str, depth: int = 0) -> tuple[Finding, ...]:
    """Return what shell code does that matters."""
    found: list[Finding] = []
    if not _INTERESTING.isdisjoint(_WORD.findall(code)) or (">" in code and _REDIRECTED.search(code)) or _opens(code):
        found += _network_device(code)
        for pipeline in pipelines(code):
            found += _judge_flow(pipeline)
            said = ""
            for position, command in enumerate(pipeline, start=1):
                found += _judge_command(command, depth, said, piped=position < len(pipeline))
                said = said or " ".join(command.argv)
        if _SOCKETS.search(code):
            found += talks(code)
    found += judge_wording(code, of_shell=True)
    return tuple(found)


def _opens(code: str) -> bool:
    """Whether code names a shell by its path and gives it no script."""
    return "/bin/" in code and _BARE_SHELL.search(code) is not None


def _judge_command(command: Command, depth: int, said: str, *, piped: bool) -> list[Finding]:
    """Judge a command of a pipeline that began with what was `said`."""
    argv = unwrapped(command.argv)
    name = plain_name(base_name(argv[0])) if argv else ""
    found = [_kept(one, command, said) for one in judge_words(argv, name)] if argv else []
    if said and name in _TAKES_WORDS and (secret := mentioned(said, name)) is not None:
        found.append(_kept(secret, command, said))
    found += assignment(command.assignments)
    if (shell := planted(command, argv, name, piped=piped)) is not None:
        found.append(shell)
    for path in command.writes:
        found += judge_redirection(path, " ".join(argv), empties=name in _EMPTYING)
    if depth < NESTING and name in SHELLS and (inner := shell_code(argv)):
        found += judge_script(inner, depth + 1)
    return found


_TAKES_WORDS = frozenset({"ed", "ex", "vi", "vim", "xargs", "parallel"})
"""Programs that are told on standard input what to read."""


def _kept(finding: Finding, command: Command, said: str) -> Finding:
    """Return what a command does, given what was said to it and where it keeps what it says."""
    kind, what = finding
    if kind is SECRET_READ and any(is_temporary(path) for path in command.writes):
        return Finding(SECRET_COPIED, f"{what} > {' '.join(command.writes)}")
    if said:
        whole = f"{said} | {what}"
        sharp = sharpened(kind, whole)
        return Finding(sharp, whole) if sharp is not kind else finding
    return finding


def _network_device(code: str) -> list[Finding]:
    """Judge `/dev/tcp/HOST/PORT`: to open a port just to see whether it is open is common."""
    if not _DEVICE.search(code):
        return []
    return [Finding(PORT_PROBE if _PROBE.match(code) else SHELL_NETWORK_DEVICE, code)]


def _judge_flow(pipeline: Pipeline) -> list[Finding]:
    """Judge a pipeline by what flows into its shells, and by a relay behind a shell."""
    found: list[Finding] = []
    source: Finding | None = None
    has_shell = False
    for position, command in enumerate(pipeline):
        argv = unwrapped(command.argv)
        if not argv:
            continue
        roles = roles_of(argv)
        if position and not command.reads and reads_commands(argv, roles):
            if source is not None:
                found.append(source)
            has_shell = True
        elif relays(argv):
            if has_shell:
                found.append(Finding(SHELL_PIPED_TO_RELAY, " ".join(argv)))
            source = source or Finding(SHELL_PIPED_TO_RELAY, " ".join(argv))
        else:
            has_shell = has_shell or (roles & Role.SHELL and "-i" in argv) != 0
            source = _source(command if argv[0] == GROUP else Command(argv)) or source
        if base_name(argv[0]) in _TAKES_CODE or roles & _RUNS_CODE or argv[0].startswith(("$(", "`")):
            substituted = _source(Command(substitutions=command.substitutions))
            found += [substituted] if substituted is not None else []
    return found


def _source(command: Command) -> Finding | None:
    """Return what it means to run the output of a command, or of the commands inside it."""
    argv = unwrapped(command.argv)
    if argv and downloads(argv):
        return Finding(DOWNLOAD_TO_SHELL, " ".join(argv))
    if argv and decodes(argv):
        return Finding(DECODED_TO_SHELL, " ".join(argv))
    inner = (_source(member) for pipeline in command.substitutions for member in pipeline)
    return next((source for source in inner if source is not None), None)
