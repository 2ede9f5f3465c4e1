"""Code that comes through a pipe: what is downloaded or decoded into a shell, and shells joined to the network.

The two ends of a pipe have the same inode, so a pipeline shows as processes joined by numbers, in whatever order they
were executed. Every member that starts looks both ways, as far as the others have started, through programs that only
pass on what they read.
"""

from typing import Final

from pyloader.evidence.catalogue import (
    ANSWERS_ON_SOCKET,
    DECODED_TO_SHELL,
    DOWNLOAD_TO_SHELL,
    SHELL_PIPED_TO_RELAY,
    named,
)
from pyloader.evidence.command_kinds import ROUND_TRIP
from pyloader.evidence.item import Evidence
from pyloader.evidence.programs import Programs, Role
from pyloader.evidence.shell import unwrapped
from pyloader.evidence.streams import decodes, downloads, reads_commands, relays, roles_of, undoes
from pyloader.evidence.traits import Trait
from pyloader.host import PipeTable, Process
from pyloader.records import Stdio

REACH: Final = 5
"""How many members of a pipeline are looked at in each direction."""

_PIPE: Final = int(Stdio.PIPE)
_INET: Final = int(Stdio.INET_SOCKET)


def has_pipe(process: Process) -> bool:
    """Whether standard input or output is a pipe, or both outputs are a network socket."""
    stdio = process.stdio
    return stdio & 0xF == _PIPE or stdio >> 4 & 0xF == _PIPE or stdio >> 4 & 0xFF == _INET | _INET << 4


class Pipelines:
    """Judges the pipelines that a new program is part of."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def judge(self, process: Process, pipes: PipeTable) -> list[Evidence]:
        """Return evidence about the shell in the pipeline of this process, which may be another process."""
        shell = self._reader_of_commands(process, pipes)
        if shell is None:
            return self._round_trip(process, pipes) + _answers(process)
        return _answers(process) + [
            item for item in (self._source(shell, pipes), self._relay(shell, pipes)) if item is not None
        ]

    def _reader_of_commands(self, process: Process, pipes: PipeTable) -> Process | None:
        """Return the nearest program, this one or one that it writes to, that runs what it reads."""
        member: Process | None = process
        for _ in range(REACH):
            if member is None:
                break
            if self._reads_commands(member):
                return member
            member = pipes.reader(member.stdout_inode)
        # A relay that starts last has the shell before it, not behind it.
        writer = pipes.writer(process.stdin_inode)
        return writer if writer is not None and self._reads_commands(writer) else None

    def _reads_commands(self, process: Process) -> bool:
        if process.stdio & 0xF != _PIPE:
            return False
        program, argv = self._programs.of(process)
        inner = unwrapped(argv)
        return reads_commands(inner, program.roles if inner is argv else roles_of(inner))

    def _round_trip(self, process: Process, pipes: PipeTable) -> list[Evidence]:
        """Judge two neighbours of which the second undoes what the first does, whichever of them started last."""
        before, after = pipes.writer(process.stdin_inode), pipes.reader(process.stdout_inode)
        for first, second in ((before, process), (process, after)):
            if first is not None and second is not None and undoes(second.args, first.args):
                return [ROUND_TRIP.about(second, f"{' '.join(first.args)} | {' '.join(second.args)}")]
        return []

    def _source(self, shell: Process, pipes: PipeTable) -> Evidence | None:
        """Look upstream for what the shell runs: the first program that downloads, else the last that decodes."""
        decoded: Evidence | None = None
        member = pipes.writer(shell.stdin_inode)
        for _ in range(REACH):
            if member is None or member is shell:
                break
            program, argv = self._programs.of(member)
            if not argv:
                break
            if program.roles & Role.DOWNLOADER or downloads(unwrapped(argv)):
                return DOWNLOAD_TO_SHELL.about(shell, _quoted(member))
            if relays(argv):
                return SHELL_PIPED_TO_RELAY.about(shell, _quoted(member))
            if decodes(argv):
                decoded = DECODED_TO_SHELL.about(shell, _quoted(member))
            elif not program.roles & Role.FILTER:
                break
            member = pipes.writer(member.stdin_inode)
        return decoded

    def _relay(self, shell: Process, pipes: PipeTable) -> Evidence | None:
        """Look downstream for a relay that takes what the shell answers."""
        reader = pipes.reader(shell.stdout_inode)
        if reader is not None and reader.args and relays(self._programs.of(reader)[1]):
            return SHELL_PIPED_TO_RELAY.about(shell, _quoted(reader))
        return None


def _answers(process: Process) -> list[Evidence]:
    """Judge a program whose outputs are a connection that its shell has opened for itself (`exec 5<>/dev/tcp/…`)."""
    parent = process.parent
    if process.stdio >> 4 & 0xFF != _INET | _INET << 4 or process.stdio & 0xF == _INET:
        return []
    own = parent is not None and parent.traits & Trait.SHELL and parent.stdio >> 4 & 0xF != _INET
    return [ANSWERS_ON_SOCKET.about(process, " ".join(process.args))] if own else []


def _quoted(process: Process) -> str:
    return f"{named(process)}: {' '.join(process.args)}"
