"""What the evidence stage notes on a process and its children inherit (`Process.traits`).

The lower bits describe the image: a child has those of its parent until it executes an image of its own, so that at
an exec they tell which program started it. The higher bits describe the lineage and stay.
"""

from typing import Final

from pyloader.evidence.commands.network import runs_program
from pyloader.evidence.programs import Program, Role
from pyloader.evidence.shell import Argv
from pyloader.records import ExecFlag


class Trait:
    """Bits of `Process.traits`; plain integers, since they are tested for every execution."""

    JUDGED: Final = 1 << 0
    """The image was seen, so the bits of this group hold."""
    SERVER: Final = 1 << 1
    MAILER: Final = 1 << 2
    APPLICATION: Final = 1 << 3
    DAEMON: Final = 1 << 4
    INETD: Final = 1 << 5
    TERMINAL: Final = 1 << 6
    SHELL: Final = 1 << 7
    ESCAPE: Final = 1 << 8
    ELEVATOR: Final = 1 << 9
    """The image is `sudo` or its like, or a shell whose `-c` is what was run through it."""
    COMMAND: Final = 1 << 10
    """The image is a shell that was given its code with `-c`."""
    RELAY: Final = 1 << 11
    """The image is a network relay that was told to run a program."""
    SETUID: Final = 1 << 12
    """The image was set-uid and is none that gives shells."""
    FACED: Final = 1 << 13
    """The process held a network socket when it was looked at."""
    COMPILED: Final = 1 << 14
    """The process made code before it faced the network."""
    EARLIER: Final = 1 << 15
    """The process ran before the sensor: what it did first is not known."""

    IMAGE: Final = (1 << 16) - 1
    """Every bit that an exec sets anew."""

    ELEVATED: Final = 1 << 16
    """The lineage went through `sudo` or its like."""
    WAS_SETUID: Final = 1 << 17
    """The lineage went through a set-uid program that gives no shells."""

    SERVICE: Final = SERVER | MAILER | APPLICATION
    PRIVILEGED: Final = ELEVATED | WAS_SETUID | SETUID
    ORIGIN: Final = SERVICE | RELAY | PRIVILEGED
    """Bits that make it worth asking who started a program."""


_OF_ROLE: Final = (
    (Role.SERVER, Trait.SERVER),
    (Role.MAILER, Trait.MAILER),
    (Role.APPLICATION, Trait.APPLICATION),
    (Role.DAEMON, Trait.DAEMON),
    (Role.INETD, Trait.INETD),
    (Role.TERMINAL, Trait.TERMINAL),
    (Role.SHELL, Trait.SHELL),
    (Role.ESCAPE, Trait.ESCAPE),
    (Role.ELEVATOR, Trait.ELEVATOR | Trait.ELEVATED),
)
_NOTED: Final = sum(role for role, _ in _OF_ROLE) | Role.RELAY
_SETUID: Final = int(ExecFlag.SETUID)


def traits_of(program: Program, argv: Argv, code: str, flags: int, before: int) -> int:
    """Return what to note on a process that now runs a program; `before` are its traits until now."""
    traits = before & ~Trait.IMAGE | Trait.JUDGED
    roles = program.roles
    if roles & _NOTED:
        for role, bits in _OF_ROLE:
            if roles & role:
                traits |= bits
        if code:
            traits |= Trait.COMMAND | before & Trait.ELEVATOR
        if roles & Role.RELAY and runs_program(argv):
            traits |= Trait.RELAY
        if roles & Role.APPLICATION and argv[1:2] in _ONE_LINER:
            traits &= ~Trait.APPLICATION
    if flags & _SETUID and not roles & (Role.ELEVATOR | Role.TERMINAL):
        traits |= Trait.SETUID | Trait.WAS_SETUID
    return traits


_ONE_LINER: Final = (("-e",), ("-p",), ("--eval",), ("-v",), ("--version",))
"""First arguments with which a run time of application servers serves nobody."""
