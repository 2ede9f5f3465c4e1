"""What code on a command line does: one-liners of interpreters, and shell code that is given with `-c`.

Reading code costs, so it is read only if it holds a word that could matter, and what was found is remembered.
"""

import re
from typing import Final

from pyloader.evidence.catalogue import (
    DECODED_CODE,
    DECODED_TO_SHELL,
    DOWNLOAD_TO_SHELL,
    DOWNLOADED_CODE,
    ENCODED_ARGUMENT,
    PORT_PROBE,
    SCRAMBLED_CODE,
    SHELL_ESCAPE,
    SHELL_NETWORK_DEVICE,
    SHELL_PIPED_TO_RELAY,
    SOCKET_ONE_LINER,
    TERMINAL_SPAWN,
    Finding,
)
from pyloader.evidence.programs import ROLES, Role, base_name, plain_name
from pyloader.evidence.shell import Argv, Command, Pipeline, reads_commands, unwrapped

_DEVICE = re.compile(r"/dev/(?:tcp|udp)/|\bztcp\b|zsh/net/tcp")
_PROBE = re.compile(
    r"""^\s*(?:\(\s*)?(?:(?:exec\s+\d+|:|true|echo(?:\s+-n)?(?:\s+(?:""|''))?|cat\s*<\s*/dev/null|timeout\s+\S+\s+\w+)\s*)?
        (?:<>|[<>])\s*["']?/dev/tcp/[^\s/]+/[^\s;&|)"']+["']?\s*\)?
        (?:\s*(?:\d?>\s*&?\S+|&>\s*\S+))*
        \s*(?:(?:&&|;|\|\|)\s*(?:echo|exit|true|:|printf|exec\s+\d+[<>]&-)\b[^;&|]*)*\s*$""",
    re.VERBOSE,
)
_SHELL_PATH = r"(?:/(?:usr/)?(?:local/)?bin/)?(?:ba|da|z|k|a|c|tc|fi)?sh\b"
_QUOTED_SHELL = re.compile(r"""["'`(\s{=!]""" + _SHELL_PATH + r"""(?:\s+-\w+)*\s*(?:\d?[<>]&?\S*\s*)*["'`)\s}\]]""")
_SOCKET = re.compile(
    r"socket|TCPSocket|TCPServer|UDPSocket|net\.(?:connect|createConnection|createServer|Socket)|require\(.net.\)|/inet/"
    r"|fsockopen|ztcp|Net\.Sockets|connect\(|asyncio\.open_connection",
    re.IGNORECASE,
)
_CONNECTS = re.compile(
    r"connect|fsockopen|bind|listen|accept|/inet/|TCPSocket|TCPServer|Socket\s*\(|stream_socket|\bsocket\s+\S+\s+\d"
)
_RUNS = re.compile(
    r"dup2|popen|\bsystem\b|subprocess|\bexec[lv]?[pe]*\b|\bspawn|shell_exec|passthru|proc_open|child_process|\|&\s*getline"
    r"|os\.execute|ProcessBuilder|Runtime|pcntl|\brun\(|\beval\b"
)
_TERMINAL = re.compile(r"pty\s*[.;\n]|\bpty\.spawn|import\s+pty\b|expect.*spawn")
_SPAWNS_SHELL = re.compile(
    r"(?:system|exec\w*|spawn\w*|popen\w*|call|run|Popen|passthru|shell_exec|pcntl_exec|execute|getoutput|check_output"
    r"|os-command|term|shell-command|run-program)\b",
)
_DECODES = re.compile(
    r"b(?:ase)?64_?decode|b64decode|decode_base64|decode64|unhexlify|fromhex|hex2bin|gzinflate|zlib\.decompress|a85decode"
    r"|b85decode|Buffer\.from\([^)]*(?:base64|hex)|\batob\(|str_rot13|marshal\.loads|rot13|unpack\s*\(?\s*.[HmN]"
)
_EVALUATES = re.compile(
    r"\b(?:exec|eval|assert|instance_eval|create_function|compile|loadstring|load|Function|run_string)\s*[\(\s]"
)
_FETCHES = re.compile(
    r"urlopen|urlretrieve|requests\.get|http\.client|LWP::|HTTP::Tiny|open-uri|Net::HTTP|file_get_contents\s*\(\s*.https?:"
    r"|fetch\(|https?\.get\(|URI\.open|httpx\.get|WebClient|DownloadString|include\s*.https?:"
)

_SUBSTITUTED = frozenset({"eval", "source", ".", "exec", "command"})


def one_liner(code: str) -> tuple[Finding, ...]:
    """Judge code of a scripting language that was given on the command line."""
    found: list[Finding] = []
    runs = _RUNS.search(code)
    if _SOCKET.search(code) and runs and (_CONNECTS.search(code) or "dup2" in code):
        found.append(Finding(SOCKET_ONE_LINER, code))
    evaluates = _EVALUATES.search(code)
    if _DECODES.search(code) and (evaluates or (runs and "shell" in code) or "system" in code):
        found.append(Finding(DECODED_CODE, code))
    if evaluates and _FETCHES.search(code):
        found.append(Finding(DOWNLOADED_CODE, code))
    if _QUOTED_SHELL.search(f"{code} "):
        if _TERMINAL.search(code):
            found.append(Finding(TERMINAL_SPAWN, code))
        elif _SPAWNS_SHELL.search(code):
            found.append(Finding(SHELL_ESCAPE, code))
    return tuple(found)


def network_device(code: str) -> Finding | None:
    """Judge `/dev/tcp/HOST/PORT` in shell code: opening a port just to see whether it is open is common."""
    if not _DEVICE.search(code):
        return None
    return Finding(PORT_PROBE if _PROBE.match(code) else SHELL_NETWORK_DEVICE, code)


def decodes(argv: Argv) -> bool:
    """Whether a command turns encoded or encrypted text back into what it was."""
    name = plain_name(base_name(argv[0]))
    options = argv[1:]
    if name in ("base64", "base32", "basenc", "base58", "uuencode"):
        return any(o in ("--decode", "-D") or (o[:1] == "-" and o[1:2] != "-" and "d" in o) for o in options)
    if name == "openssl":
        return "-d" in options and len(options) > 1
    if name == "xxd":
        return any(o.startswith("-") and "r" in o for o in options)
    if name in ("uudecode", "b64decode"):
        return True
    if name == "gpg":
        return any(o in ("-d", "--decrypt") for o in options)
    if name in ("python", "perl", "ruby", "php", "node"):
        return any(_DECODES.search(o) for o in options)
    return name == "rev"


def talks(argv: Argv) -> Finding | None:
    """Judge a program for awk that talks to the network; gawk opens `/inet/tcp/…` as a file."""
    program = next((word for word in argv[1:] if "/inet/" in word), "")
    if not program:
        return None
    return Finding(
        SOCKET_ONE_LINER if "|&" in program and ("getline" in program or "system" in program) else PORT_PROBE, program
    )


def downloads(argv: Argv) -> bool:
    """Whether a command fetches something and writes it to standard output, or may do so."""
    name = plain_name(base_name(argv[0]))
    return bool(ROLES.get(name, 0) & Role.DOWNLOADER)


def judge_pipeline(pipeline: Pipeline) -> list[Finding]:
    """Judge a pipeline of shell code by what flows into its shells and relays."""
    found: list[Finding] = []
    source: tuple[str, bool] | None = None
    behind_shell = False
    for position, command in enumerate(pipeline):
        argv = unwrapped(command.argv)
        if not argv:
            continue
        roles = ROLES.get(plain_name(base_name(argv[0])), 0)
        if position and reads_commands(argv, roles) and not command.reads:
            found += _fed(argv, source)
            behind_shell = True
        elif roles & Role.RELAY or argv[:2] == ("openssl", "s_client"):
            if behind_shell or any(_is_shell(other) for other in pipeline[:position]):
                found.append(Finding(SHELL_PIPED_TO_RELAY, " ".join(argv)))
            source = source or (" ".join(argv), True)
        elif downloads(argv):
            source = (" ".join(argv), True)
        elif decodes(argv):
            source = (" ".join(argv), False)
        found += _substituted(command, argv, roles)
    return found


def _fed(argv: Argv, source: tuple[str, bool] | None) -> list[Finding]:
    if source is None:
        return []
    command, downloaded = source
    return [Finding(DOWNLOAD_TO_SHELL if downloaded else DECODED_TO_SHELL, f"{command} | {' '.join(argv)}")]


def _is_shell(command: Command) -> bool:
    argv = unwrapped(command.argv)
    return (
        bool(argv)
        and bool(ROLES.get(plain_name(base_name(argv[0])), 0) & Role.SHELL)
        and (reads_commands(argv, Role.SHELL) or "-i" in argv)
    )


def _substituted(command: Command, argv: Argv, roles: int) -> list[Finding]:
    """Judge `eval "$(curl …)"`, `bash -c "$(…)"`, `bash <(…)` and a bare `$(…)`."""
    name = base_name(argv[0])
    takes_code = name in _SUBSTITUTED or roles & (Role.SHELL | Role.INTERPRETER) or name.startswith(("$(", "`", "$(…"))
    if not takes_code:
        return []
    for pipeline in command.substitutions:
        for inner in pipeline:
            words = unwrapped(inner.argv)
            if not words:
                continue
            if downloads(words):
                return [Finding(DOWNLOAD_TO_SHELL, " ".join(words))]
            if decodes(words):
                return [Finding(DECODED_TO_SHELL, " ".join(words))]
    return []


BLOB: Final = 120
"""How long an encoded word is before it counts as a blob."""

_SPLITTERS: Final = ("IFS", "''", '""', "\\", "${", "$@", "$'", "'")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{120,}={0,2}")
_ESCAPES = re.compile(r"(?:\\x[0-9a-fA-F]{2}|\\[0-7]{3}|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}|chr\(\d+\)[.+,]?){8}")
_SPLIT_WORD = re.compile(
    r"""\w(?:''|""|\\)\w+(?:''|""|\\)\w|\b\w['"]\w['"]\w['"]\w['"]|(?:\$\{?IFS\}?\S+){1}|\$\{[A-Za-z_]\w*:\d+:1\}.*\$\{[A-Za-z_]\w*:\d+:1\}|\$@\w+\$@|\$'(?:\\x)"""
)
_MIXED: Final = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"\d"))


def scrambled(code: str) -> Finding | None:
    """Judge whether code hides what it says: escapes for letters, quotes inside words, long encoded blobs."""
    if ("\\" in code or "%" in code or "chr(" in code) and _ESCAPES.search(code):
        return Finding(SCRAMBLED_CODE, code)
    if any(mark in code for mark in _SPLITTERS) and _SPLIT_WORD.search(code):
        return Finding(SCRAMBLED_CODE, code)
    if len(code) > BLOB:
        blob = _BASE64.search(code)
        if blob is not None and all(kind.search(blob[0]) for kind in _MIXED):
            return Finding(ENCODED_ARGUMENT, blob[0])
    return None
