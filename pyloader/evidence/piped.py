"""Code that comes through a pipe: what is downloaded or decoded into a shell, and shells joined to the network.

The two ends of a pipe have the same inode, so a pipeline shows as processes joined by numbers, in whatever order they
were executed. Every member that starts looks both ways, as far as the others have started, through programs that only
pass on what they read.
"""

from typing import Final

from pyloader.evidence.catalogue import DECODED_TO_SHELL, DOWNLOAD_TO_SHELL, SHELL_PIPED_TO_RELAY, named
from pyloader.evidence.code import decodes
from pyloader.evidence.item import Evidence
from pyloader.evidence.programs import Programs, Role
from pyloader.evidence.shell import reads_commands, unwrapped
from pyloader.host import PipeTable, Process
from pyloader.records import Stdio

REACH: Final = 5
"""How many members of a pipeline are looked at in each direction."""

_PIPE: Final = int(Stdio.PIPE)


def has_pipe(process: Process) -> bool:
    """Whether standard input or output is a pipe."""
    return process.stdio & 0xF == _PIPE or process.stdio >> 4 & 0xF == _PIPE


class Pipelines:
    """Judges the pipelines that a new program is part of."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    def judge(self, process: Process, pipes: PipeTable) -> list[Evidence]:
        """Return evidence about the shell in the pipeline of this process, which may be another process."""
        shell = self._reader_of_commands(process, pipes)
        if shell is None:
            return []
        return [item for item in (self._source(shell, pipes), self._relay(shell, pipes)) if item is not None]

    def _reader_of_commands(self, process: Process, pipes: PipeTable) -> Process | None:
        """Return the nearest program, this one or one that it writes to, that runs what it reads."""
        member: Process | None = process
        for _ in range(REACH):
            if member is None:
                return None
            if self._reads_commands(member):
                return member
            member = pipes.reader(member.stdout_inode) if member.stdout_inode else None
        # A relay that runs last has the shell before it, not behind it.
        writer = pipes.writer(process.stdin_inode) if process.stdin_inode else None
        return writer if writer is not None and self._reads_commands(writer) else None

    def _reads_commands(self, process: Process) -> bool:
        if process.stdio & 0xF != _PIPE:
            return False
        argv = unwrapped(process.args)
        if not argv:
            return False
        program = self._programs.of(process) if argv is process.args else self._programs.named(argv[0])
        return reads_commands(argv, program.roles)

    def _source(self, shell: Process, pipes: PipeTable) -> Evidence | None:
        """Look upstream for what the shell runs."""
        member = pipes.writer(shell.stdin_inode)
        for _ in range(REACH):
            if member is None or member is shell or not member.args:
                return None
            roles = self._programs.of(member).roles
            what = f"{named(member)}: {' '.join(member.args)}"
            if roles & Role.DOWNLOADER:
                return DOWNLOAD_TO_SHELL.about(shell, what)
            if self._is_relay(member):
                return SHELL_PIPED_TO_RELAY.about(shell, what)
            if decodes(member.args) or decodes(unwrapped(member.args) or member.args):
                upstream = pipes.writer(member.stdin_inode) if member.stdin_inode else None
                if upstream is not None and self._programs.of(upstream).roles & Role.DOWNLOADER:
                    return DOWNLOAD_TO_SHELL.about(shell, f"{named(upstream)}: {' '.join(upstream.args)}")
                return DECODED_TO_SHELL.about(shell, what)
            if not roles & Role.FILTER:
                return None
            member = pipes.writer(member.stdin_inode) if member.stdin_inode else None
        return None

    def _relay(self, shell: Process, pipes: PipeTable) -> Evidence | None:
        """Look downstream for a relay that takes what the shell answers."""
        reader = pipes.reader(shell.stdout_inode) if shell.stdout_inode else None
        if reader is not None and self._is_relay(reader):
            return SHELL_PIPED_TO_RELAY.about(shell, f"{named(reader)}: {' '.join(reader.args)}")
        return None

    def _is_relay(self, process: Process) -> bool:
        program = self._programs.of(process)
        if program.roles & Role.RELAY:
            return True
        return program.name == "openssl" and process.args[1:2] in (("s_client",), ("s_server",))
