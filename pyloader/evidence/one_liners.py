"""What a one-liner of a scripting language does: `python -c`, `perl -e`, `php -r`, `node -e` and their like."""

import re

from pyloader.evidence.catalogue import (
    CODE_LOADER,
    DECODED_CODE,
    DOWNLOADED_CODE,
    SHELL_ESCAPE,
    SOCKET_ONE_LINER,
    TERMINAL_SPAWN,
    Finding,
)
from pyloader.evidence.command_kinds import CODE_HANDLES_FILE, CODE_RUNS_PROGRAM, CODE_TALKS, LIBRARY_NAMED
from pyloader.evidence.obfuscation import judge_wording
from pyloader.evidence.pattern import pattern
from pyloader.evidence.shell import Argv, embeds_shell
from pyloader.evidence.streams import DECODES

_IMPORTS = pattern(r"\b(?:import|from|require)\b[ (]*[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+)*(?:\s+import\s+[\w, ]+)?")
"""What is merely imported does nothing yet."""

_CONNECTS = pattern(
    r"\bconnect(?:_ex)?\s*[(\s]\s*[^\s=]|create_connection|createConnection|open_connection|createServer|fsockopen|stream_socket"
    r"|/inet/(?:tcp|udp)|(?:TCP|UDP)S(?:ocket|erver)|\b(?:new|Net\.Sockets\.\w+)\W+(?:[\w.]+\.)?Socket\(|IO::Socket"
    r"|\bnet\.(?:connect|Socket|createServer)|\.(?:bind|listen|accept)\s*\(|\bztcp\b|Sockets\.TCPClient|TCPClient"
    r"|\bsocket\s+(?:-\w+\s+\S+\s+){0,3}\S+\s+\d|\bconnect\(|sockaddr_in"
)
"""Code that opens a connection or waits for one."""

_ANSWERS = pattern(
    r"dup2|recv|receive|\bgets\b|readline|readLine|getline|\.read\(|fgets|fread|\.pipe\(|makefile|fileno|getInputStream"
    r"|[<>]&\s*\d|<\$?\w*>|fdopen|IO\.popen|GetStream|(?:[\"'\s]|/bin/)(?:ba|z|k|da|a)?sh[\"'\s]|cmd\.exe"
)
"""Code that takes what comes from the other end, or gives a shell to it."""

_RUNS = pattern(
    r"dup2|popen\w*\s*[(\"']|\bsystem\b|subprocess\.|\bexec[lv]?[pe]*\b|\bspawn\w*|shell_exec|passthru|proc_open"
    r"|child_process|\|&\s*getline|os\.execute|ProcessBuilder|getRuntime|pcntl_exec|\brun\(|\bcall\(|check_output|\beval\b"
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

_TRANSFERS = pattern(
    r"open-uri|URI\.open|urlopen|urlretrieve|(?:fopen|file_get_contents|copy|readfile)\s*\(\s*.https?:|LWP::|HTTP::Tiny"
    r"|https?\W+\)?\.(?:get|request)\(|\bdownload\(|\bcp\(.https?:|java\.net\.URL|requests\.(?:get|post|put)|DownloadFile"
    r"|http\.server|HTTPServer|SimpleHTTP|ftplib|smtplib|Net::(?:FTP|HTTP)|TFTP|socket\.http|http\.client|Invoke-WebRequest"
)
"""Code that fetches, sends or serves by a library."""

_PROGRAMS = pattern(
    r"os\.(?:system|popen|exec[lv]\w*|spawn\w*|execute)|subprocess\.\w+|shell_exec|passthru|proc_open|\bpopen\s*\(|pcntl_exec"
    r"|\bexec\s*\(\s*[\"']|\bsystem\s*\(?\s*[\"']|io\.popen|IO\.popen|child_process|ProcessBuilder|getRuntime|callCommand"
    r"|Kernel\.exec|run-shell-command|Process\.Start|\bspawn\s+\S|run\(`"
)
"""Code that runs a program."""

_FILES = pattern(
    r"File\.(?:read|open|write|binread|readlines)|readfile\s*\(|file_(?:get|put)_contents|\bfopen\s*\(|io\.open|io\.lines"
    r"|readFile(?:Sync)?|writeFile(?:Sync)?|create(?:Read|Write)Stream|File(?:Reader|Writer|InputStream|OutputStream)"
    r"|\bopen\s*\(\s*(?:f->|[\"'][/~.\w])|ReadAllText|WriteAllText|Out-File|Set-Content|Get-Content|slurp|\bfread\("
    r"|<<>>|shutil\.copy|os\.(?:rename|chmod|chown|link|symlink|remove|unlink)\(|\bopen\s*\(?\s*(?:my\s*)?\$?\w+\s*,\s*[\"'][<>]"
)
"""Code that reads or writes files by their names."""

_LIBRARIES = pattern(
    r"dlopen|ctypes|cdll|CDLL|LoadLibrary|DynaLoader|package\.loadlib|Fiddle|process\.dlopen|System\.load\(|\bload\s+/\S+\.so"
)
"""Code that loads a library by its path."""

_BECOMES = pattern(r"set(?:re|res|e)?[ug]id\W{0,3}\(?\s*0|Sys\.setuid|POSIX::setuid|\$[<>]\s*=\s*0")
"""Code that takes the rights of root, as far as a capability allows."""

_MAKES_CODE = pattern(
    r"\bmmap\b.*(?:PROT_EXEC|prot\s*=\s*[57]|,\s*(?:0x)?7\s*,|\|\s*4\b)|\bmprotect\b|memfd_create|VirtualAlloc|SYS_mmap|syscall\(\s*(?:9|10|319)\b",
    re.DOTALL,
)
"""Code that asks for memory which can be executed, or for a file in memory."""

_CALLS_CODE = pattern(
    r"CFUNCTYPE|FUNCTYPE|memmove|from_buffer|string_at|/proc/self/fd|fexecve|\bexecve?\w*\s*\(|dl_install_xsub|cast\(|syscall\(\s*\$?f?exec"
)
"""Code that calls what lies there."""

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
    found = talks(code) + _loads(code)
    runs = _RUNS.search(code)
    evaluates = _EVALUATES.search(code)
    if DECODES.search(code) and (evaluates or (runs and "shell" in code) or "system" in code):
        found.append(Finding(DECODED_CODE, code))
    if evaluates and _FETCHES.search(code):
        found.append(Finding(DOWNLOADED_CODE, code))
    if embeds_shell(code):
        if _TERMINAL.search(code):
            found.append(Finding(TERMINAL_SPAWN, code))
        elif _SPAWNS_SHELL.search(code):
            found.append(Finding(SHELL_ESCAPE, code))
    elif _PROGRAMS.search(code):
        found.append(Finding(CODE_RUNS_PROGRAM, code))
    if _TRANSFERS.search(code) and not found:
        found.append(Finding(CODE_TALKS, code))
    if _LIBRARIES.search(code):
        found.append(Finding(LIBRARY_NAMED, code))
    elif _FILES.search(code) and not found:
        found.append(Finding(CODE_HANDLES_FILE, code))
    found += judge_wording(code)
    return tuple(found)


def talks(code: str) -> list[Finding]:
    """Judge code that connects: it gives commands to the other end if it runs something and takes what it hears."""
    acts = _IMPORTS.sub(" ", code)
    if not _CONNECTS.search(acts):
        return []
    commanded = _RUNS.search(acts) and _ANSWERS.search(acts)
    return [Finding(SOCKET_ONE_LINER if commanded else CODE_TALKS, code)]


def _loads(code: str) -> list[Finding]:
    """Judge code that puts machine code into memory and calls it."""
    return [Finding(CODE_LOADER, code)] if _MAKES_CODE.search(code) and _CALLS_CODE.search(code) else []
