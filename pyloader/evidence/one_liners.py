"""What a one-liner of a scripting language does: `python -c`, `perl -e`, `php -r`, `node -e` and their like."""

import re

from pyloader.evidence.catalogue import (
    DECODED_CODE,
    DOWNLOADED_CODE,
    SHELL_ESCAPE,
    SOCKET_ONE_LINER,
    TERMINAL_SPAWN,
    Finding,
)
from pyloader.evidence.obfuscation import judge_wording
from pyloader.evidence.pattern import pattern
from pyloader.evidence.shell import Argv, embeds_shell
from pyloader.evidence.streams import DECODES

_SOCKET = pattern(
    r"socket|TCPSocket|TCPServer|UDPSocket|net\.(?:connect|createConnection|createServer|Socket)|require\(.net.\)|/inet/"
    r"|fsockopen|ztcp|Net\.Sockets|connect\(|asyncio\.open_connection",
    re.IGNORECASE,
)
_CONNECTS = pattern(
    r"connect|fsockopen|bind|listen|accept|/inet/|TCPSocket|TCPServer|Socket\s*\(|stream_socket|\bsocket\s+\S+\s+\d"
)
_RUNS = pattern(
    r"dup2|popen|\bsystem\b|subprocess|\bexec[lv]?[pe]*\b|\bspawn|shell_exec|passthru|proc_open|child_process|\|&\s*getline"
    r"|os\.execute|ProcessBuilder|Runtime|pcntl|\brun\(|\beval\b"
)
_TERMINAL = pattern(r"pty\s*[.;\n]|\bpty\.spawn|import\s+pty\b|expect.*spawn")
_SPAWNS_SHELL = pattern(
    r"(?:system|exec\w*|spawn\w*|popen\w*|call|run|Popen|passthru|shell_exec|pcntl_exec|execute|getoutput|check_output"
    r"|os-command|term|shell-command|run-program)\b",
)
_EVALUATES = pattern(
    r"\b(?:exec|eval|assert|instance_eval|create_function|compile|loadstring|load|Function|run_string)\s*[\(\s]"
)
_FETCHES = pattern(
    r"urlopen|urlretrieve|requests\.get|http\.client|LWP::|HTTP::Tiny|open-uri|Net::HTTP|file_get_contents\s*\(\s*.https?:"
    r"|fetch\(|https?\.get\(|URI\.open|httpx\.get|WebClient|DownloadString|include\s*.https?:"
)

_GIVES_CODE = pattern(r"-[a-zA-Z]*[cerE]|--eval|--execute|-pe|-ne|-x")
_GLUED_CODE = pattern(r"-[ce](?=.{3})", re.DOTALL)


def interpreted(argv: Argv) -> str:
    """Return the code that an interpreter was given as an argument, or an empty string."""
    for position, word in enumerate(argv[1:], start=2):
        if word[:1] != "-":
            return ""
        if _GIVES_CODE.fullmatch(word):
            return argv[position] if position < len(argv) else ""
        if glued := _GLUED_CODE.match(word):
            return word[glued.end() :]
    return ""


def judge_one_liner(code: str) -> tuple[Finding, ...]:
    """Return what a one-liner does that matters."""
    found: list[Finding] = []
    runs = _RUNS.search(code)
    evaluates = _EVALUATES.search(code)
    if runs and _SOCKET.search(code) and (_CONNECTS.search(code) or "dup2" in code):
        found.append(Finding(SOCKET_ONE_LINER, code))
    if DECODES.search(code) and (evaluates or (runs and "shell" in code) or "system" in code):
        found.append(Finding(DECODED_CODE, code))
    if evaluates and _FETCHES.search(code):
        found.append(Finding(DOWNLOADED_CODE, code))
    if embeds_shell(code):
        if _TERMINAL.search(code):
            found.append(Finding(TERMINAL_SPAWN, code))
        elif _SPAWNS_SHELL.search(code):
            found.append(Finding(SHELL_ESCAPE, code))
    found += judge_wording(code)
    return tuple(found)
