"""What a rule about a command is."""

from collections.abc import Callable

from pyloader.evidence.catalogue import Finding
from pyloader.evidence.shell import Argv

Rule = Callable[[Argv], Finding | None]
"""Takes the words of a command, the program first, and returns what it found in them."""


def line(argv: Argv) -> str:
    """Return a command as its user would type it."""
    return " ".join(argv)
