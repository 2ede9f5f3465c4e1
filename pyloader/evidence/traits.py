"""What the evidence stage notes on a process and its children inherit (`Process.traits`).

The lower bits describe the image: a child has those of its parent until it executes an image of its own, so that at
an exec they tell which program started it. The higher bits describe the lineage and stay.
"""

from typing import Final


class Trait:
    """Bits of `Process.traits`."""

    JUDGED: Final = 1 << 0
    """The image was seen, so the bits of this group hold."""
    SERVER: Final = 1 << 1
    MAILER: Final = 1 << 2
    APPLICATION: Final = 1 << 3
    RELAY: Final = 1 << 4
    """A network relay that was told to run a program."""
    ELEVATOR: Final = 1 << 5
    """The image is `sudo` or its like, or a shell whose `-c` is what was run through it."""
    ESCAPE: Final = 1 << 6
    """The image has a way to a shell."""
    INETD: Final = 1 << 7
    SETUID: Final = 1 << 8
    """The image was set-uid and is none that gives shells."""
    SHELL: Final = 1 << 9
    COMMAND: Final = 1 << 11
    """The image is a shell that was given its code with `-c`."""
    TERMINAL: Final = 1 << 10
    """The image opens shells for its user as its business."""

    IMAGE: Final = (1 << 16) - 1
    """Every bit that an exec sets anew."""

    ELEVATED: Final = 1 << 16
    """The lineage went through `sudo` or its like."""
    WAS_SETUID: Final = 1 << 17
    """The lineage went through a set-uid program that gives no shells."""
