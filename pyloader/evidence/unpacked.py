"""Files that are decoded, or unpacked with a password, and then executed; decoded code that a shell gets as `"$(…)"`.

Payloads come wrapped, so that nothing on the way sees what they are. What gives them away is the order in which one
shell starts programs: one that unwraps, perhaps one that makes the result executable, and the result. A record does not
tell to which file a redirection goes; how sure the link is decides the weight:

- the file was named to the decoder, or made executable after it: certain;
- it lies where everyone may write, or is hidden: likely, unless it lies deeper, as virtual environments in /tmp do;
- the password of an archive among the arguments is rare enough by itself.
"""

import re
from itertools import pairwise
from typing import Final

from pyloader.evidence.catalogue import DECODED_TO_SHELL, UNPACKED_EXECUTED, named
from pyloader.evidence.files import TEMPORARY, is_temporary
from pyloader.evidence.item import Evidence
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Program, Role, base_name, plain_name
from pyloader.evidence.shell import Argv, operands, unwrapped
from pyloader.evidence.streams import decodes
from pyloader.host import Process
from pyloader.records import ExecFlag, Stdio

WITHIN: Final = 120_000_000_000
"""So long (ns) a file counts as just unpacked."""

PASSED_WITHIN: Final = 2_000_000_000
"""So soon (ns) code is run that a shell has put together from the output of a decoder."""

LIKELY: Final = 7.5
UNSURE: Final = 5.2

_PIPE: Final = int(Stdio.PIPE)
_FILE: Final = int(Stdio.FILE)
_SCRIPT: Final = int(ExecFlag.SCRIPT)
_RUNS_CODE: Final = Role.SHELL | Role.INTERPRETER
_MAY_UNWRAP: Final = Role.DECODER | Role.INTERPRETER | Role.WRAPPER | Role.ELEVATOR
_OUTPUT: Final = frozenset({"-o", "-out", "--output", "-O"})
_MAKES_EXECUTABLE = pattern(r"[ugoa]*\+[rwst]*x[rwst]*|0?[0-7]*[1357][0-7]{0,2}")
_EXTRACTS = pattern(r"-?[a-zA-Z]*x[a-zA-Z]*|-\w*i\w*|--extract|--get")
_PASSWORD: Final = {"unzip": "-P", "7z": "-p", "7za": "-p", "7zr": "-p", "7zz": "-p", "unrar": "-p", "rar": "-p"}

Key = tuple[int, int]


class _Trail:
    """What one shell had unwrapped lately, and the names that it may have."""

    __slots__ = ("by", "names", "packed", "protected", "since", "written")

    def __init__(self, by: Process, since: int) -> None:
        self.by = by
        self.since = since
        self.names: set[str] = set()
        self.written = False
        """Whether a file was written; else the output went into a pipe."""
        self.packed = False
        """Whether the output was an archive, of which the names are not known."""
        self.protected = False
        """Whether a password was among the arguments."""


class Unpacked:
    """The shells that lately had something unwrapped; the oldest leaves when `capacity` is reached."""

    def __init__(self, capacity: int = 1_024) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._trails: dict[Key, _Trail] = {}

    def executed(self, process: Process, program: Program, argv: Argv, code: str, now: int) -> list[Evidence]:
        """Take in an execution, and judge it by what was unwrapped before."""
        parent = process.parent
        if parent is None:
            return []
        if (program.roles & _MAY_UNWRAP or program.name in _PASSWORD or program.name == "rev") and argv:
            command = unwrapped(argv)
            if command and self._unwraps(process, parent, command, now):
                return []
        if not self._trails:
            return []
        for owner in (parent, parent.parent, process):
            trail = self._trails.get((owner.pid, owner.start)) if owner is not None else None
            if trail is not None and trail.by is not process and now - trail.since <= WITHIN:
                return self._follow(trail, process, program, code, now)
        return []

    def _unwraps(self, process: Process, parent: Process, command: Argv, now: int) -> bool:
        """Note a program that unwraps something."""
        name = plain_name(base_name(command[0]))
        option = _PASSWORD.get(name, "")
        protected = bool(option) and any(word.startswith(option) for word in command[1:])
        if not protected and not decodes(command):
            return False
        trail = self._trail(process, parent, now)
        output = _output(command, name)
        if output:
            trail.names.add(base_name(output))
        trail.protected = trail.protected or protected
        trail.written = trail.written or protected or bool(output) or process.stdio >> 4 & 0xF == _FILE
        return True

    def _trail(self, process: Process, parent: Process, now: int) -> _Trail:
        """Return the trail of the shell that started this program; the pipeline of `$(…)` is run by a copy of it."""
        shells = [parent]
        if parent.parent is not None and parent.args == parent.parent.args:
            shells.append(parent.parent)
        trail: _Trail | None = None
        for shell in shells:
            trail = self._trails.pop((shell.pid, shell.start), trail)
        if trail is None or now - trail.since > WITHIN:
            trail = _Trail(process, now)
        trail.by, trail.since = process, now
        for shell in shells:
            if len(self._trails) >= self.capacity:
                del self._trails[next(iter(self._trails))]
                self.evicted += 1
            self._trails[shell.pid, shell.start] = trail
        return trail

    def _follow(self, trail: _Trail, process: Process, program: Program, code: str, now: int) -> list[Evidence]:
        argv = process.args
        if program.name == "chmod":
            if any(_MAKES_EXECUTABLE.fullmatch(word) for word in argv[1:3]):
                trail.names.update(base_name(path) for path in operands(argv)[-1:])
            return []
        if process.stdio & 0xF == _PIPE and now - trail.since <= PASSED_WITHIN and not program.roles & _RUNS_CODE:
            extracts = program.name in ("tar", "cpio", "bsdtar") and any(_EXTRACTS.fullmatch(one) for one in argv[1:2])
            trail.packed = trail.packed or extracts
            trail.written = trail.written or extracts or process.stdio >> 4 & 0xF == _FILE
            return []
        if code:
            whole = code.startswith("#!") or "\n" in code.strip()
            passed = whole and not trail.written and now - trail.since <= PASSED_WITHIN
            return [DECODED_TO_SHELL.about(process, _command(trail.by), LIKELY)] if passed else []
        weight = _weight(trail, _run(process, program, argv)) if trail.written else 0.0
        return [UNPACKED_EXECUTED.about(process, _command(trail.by), weight)] if weight else []


def _weight(trail: _Trail, path: str) -> float:
    """Return how sure it is, in nats, that this is what was unwrapped; 0 if nothing says so."""
    if not path:
        return 0.0
    temporary, hidden = is_temporary(path), base_name(path).startswith(".")
    if base_name(path) in trail.names:
        return UNPACKED_EXECUTED.nats if temporary or hidden else UNSURE
    if trail.protected and (temporary or not path.startswith("/")):
        return LIKELY
    if _lies_bare(path) or (temporary and trail.packed):
        return LIKELY
    return UNSURE if trail.packed and not path.startswith("/") else 0.0


def _lies_bare(path: str) -> bool:
    """Whether a file lies in a place for temporary files itself, not in a folder there."""
    return any(path.startswith(place) and "/" not in path[len(place) :] for place in TEMPORARY)


def _run(process: Process, program: Program, argv: Argv) -> str:
    """Return the file that is run: the script of an interpreter, else the image."""
    if process.flags & _SCRIPT:
        return process.filename
    if program.roles & _RUNS_CODE:
        return next(iter(operands(argv)), "")
    return process.exe


def _output(command: Argv, name: str) -> str:
    """Return the file that a decoder was told to write, or an empty string."""
    for word, following in pairwise(command):
        if word in _OUTPUT:
            return following
    if name == "xxd":
        return next(iter(operands(command)[1:2]), "")
    return next((word.partition("=")[2] for word in command[1:] if re.match(r"--output=", word)), "")


def _command(process: Process) -> str:
    return f"{named(process)}: {' '.join(process.args)}"
