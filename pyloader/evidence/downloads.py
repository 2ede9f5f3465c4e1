"""Files that come from elsewhere and are then executed, and downloads that a shell reads through `<(…)` or `"$(…)"`.

A download is remembered by the base name of the file that it writes, because a record does not tell the directory it
was started in, and by the process that started it.
"""

from typing import Final

from pyloader.evidence.catalogue import DOWNLOAD_EXECUTED, DOWNLOAD_TO_SHELL, DROP_EXECUTED, named
from pyloader.evidence.files import is_temporary
from pyloader.evidence.item import Evidence
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Program, Role, base_name
from pyloader.evidence.shell import Argv, operands
from pyloader.evidence.unpacked import Unpacked
from pyloader.host import Process
from pyloader.records import Stdio

EXECUTED_WITHIN: Final = 600_000_000_000
SUBSTITUTED_WITHIN: Final = 10_000_000_000
_PIPE: Final = int(Stdio.PIPE)
_DESCRIPTOR = pattern(r"^/(?:dev/fd|proc/self/fd)/\d+$")
_TO_OUTPUT = pattern(r"^-[a-zA-Z]*[oO]-$")
_ADDRESS = pattern(
    r"://(?:\d{1,3}\.){3}\d{1,3}[:/]|\.onion/|://(?:pastebin\.com|transfer\.sh|0x0\.st|termbin\.com|ngrok|\S+\.trycloudflare)"
)
_LOCAL_ADDRESS = pattern(r"://(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.)")

Key = tuple[int, int]


class Downloads:
    """The latest downloads; the oldest leaves when `capacity` is reached."""

    def __init__(self, capacity: int = 1_024) -> None:
        self.capacity = capacity
        self._forgotten = 0
        self._unpacked = Unpacked(capacity)
        self._files: dict[str, tuple[Process, str, int]] = {}
        self._piped: dict[Key, tuple[Process, int]] = {}
        self._waiting: dict[Key, tuple[Process, int]] = {}

    @property
    def evicted(self) -> int:
        """How many entries were given up for new ones."""
        return self._forgotten + self._unpacked.evicted

    def started(self, process: Process, argv: Argv, timestamp: int) -> list[Evidence]:
        """Note what a downloader writes; if a shell already waits for it, say so."""
        path = output_file(argv)
        if path:
            self._remember(self._files, base_name(path), (process, path, timestamp))
            return []
        if process.stdio >> 4 & 0xF != _PIPE:
            return []
        for key in _origins(process):
            self._remember(self._piped, key, (process, timestamp))
        waiting = next((found for key in _origins(process) if (found := self._waiting.get(key)) is not None), None)
        if waiting is not None and timestamp - waiting[1] <= SUBSTITUTED_WITHIN:
            return [DOWNLOAD_TO_SHELL.about(waiting[0], _command(process))]
        return []

    def executed(self, process: Process, program: Program, argv: Argv, code: str, timestamp: int) -> list[Evidence]:
        """Judge an execution by the downloads before it."""
        found: list[Evidence] = []
        if self._files:
            # With code on its command line a shell reads no file, whatever the code ends in.
            found += self._file_executed(process, program, argv if not code else (), timestamp)
        if program.roles & (Role.SHELL | Role.INTERPRETER):
            found += self._substituted(process, code, timestamp)
        found += self._unpacked.executed(process, program, argv, code, timestamp)
        return found

    def _file_executed(self, process: Process, program: Program, argv: Argv, timestamp: int) -> list[Evidence]:
        names = [base_name(process.exe), base_name(process.filename)]
        if program.roles & (Role.SHELL | Role.INTERPRETER):
            names += [base_name(word) for word in operands(argv)[:1]]
        for name in names:
            entry = self._files.get(name)
            if entry is None or entry[0] is process or timestamp - entry[2] > EXECUTED_WITHIN:
                continue
            downloader, path, _ = entry
            line = " ".join(downloader.args)
            suspicious = (
                is_temporary(path) or "/." in path or (_ADDRESS.search(line) and not _LOCAL_ADDRESS.search(line))
            )
            return [(DROP_EXECUTED if suspicious else DOWNLOAD_EXECUTED).about(process, _command(downloader))]
        return []

    def _substituted(self, process: Process, code: str, timestamp: int) -> list[Evidence]:
        """`bash <(curl …)` names a descriptor; `bash -c "$(curl …)"` has a whole script as its argument."""
        reads = not code and any(_DESCRIPTOR.match(word) for word in process.args[1:4])
        if not reads and not (code.startswith("#!") or "\n" in code.strip()):
            return []
        keys = _origins(process)
        for key in keys:
            entry = self._piped.get(key)
            if entry is not None and timestamp - entry[1] <= SUBSTITUTED_WITHIN:
                return [DOWNLOAD_TO_SHELL.about(process, _command(entry[0]))]
        if reads:
            for key in keys:
                self._remember(self._waiting, key, (process, timestamp))
        return []

    def _remember(self, table: dict, key: object, entry: object) -> None:  # type: ignore[type-arg]
        table.pop(key, None)
        if len(table) >= self.capacity:
            del table[next(iter(table))]
            self._forgotten += 1
        table[key] = entry


def _origins(process: Process) -> list[Key]:
    """The process that expanded the command line: the parent, or this one if it replaced its own image."""
    parent = process.parent
    keys = [(process.pid, process.start)]
    if parent is not None:
        keys.append((parent.pid, parent.start))
    return keys


def _command(process: Process) -> str:
    return f"{named(process)}: {' '.join(process.args)}"


def output_file(argv: Argv) -> str:
    """Return the file that a downloader writes, or an empty string if it writes to standard output."""
    name = base_name(argv[0]) if argv else ""
    path, address, by_name = "", "", name in ("wget", "wget2", "aria2c", "axel", "fetch", "lwp-download")
    words = iter(argv[1:])
    for word in words:
        if _TO_OUTPUT.match(word):
            return ""
        if name == "curl" and (
            word in ("-O", "--remote-name", "-J") or (word[:1] == "-" and word[1:2] != "-" and "O" in word)
        ):
            by_name = True
        elif word in ("-o", "--output", "-O", "--output-document") or (
            word[:1] == "-" and word[1:2] != "-" and word[-1:] in "oO" and len(word) > 1
        ):
            path = next(words, "")
        elif word.startswith(("--output=", "--output-document=", "--out=")):
            path = word.partition("=")[2]
        elif not word.startswith("-"):
            address = word
    if path in ("-", "/dev/stdout", "/dev/null"):
        return ""
    return path or (base_name(address.partition("?")[0]) if by_name else "")
