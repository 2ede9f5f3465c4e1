"""What a guest reports: written inside, read outside."""

import msgspec

MARKER = b"PYLOADER-REPORT "
"""Stands before the report on the guest's console."""


class Program(msgspec.Struct):
    """One rung of a ladder: a program, loaded by itself, then attached and observing real events."""

    monitor: str
    hook: str
    rung: str
    name: str
    instructions: int = 0
    """As many the verifier looked at; 0 if it refused the program."""
    chosen: bool = False
    """Whether the monitor stands on this rung when it is left to itself."""
    problem: str = ""
    """What went wrong, if anything did."""
    refused: bool = False
    """Whether the kernel refused to load or to attach the program."""


class Relocation(msgspec.Struct):
    """A field of the kernel: where it is here, what a program read from it, and what is true."""

    field: str
    offset: int
    read: int
    expected: int


class Report(msgspec.Struct):
    """Everything that one guest found out."""

    release: str
    architecture: str
    programs: list[Program] = []
    relocations: list[Relocation] = []
    left_behind: dict[str, list[int]] = {}
    """Ids of programs, maps and links that the kernel still held at the end, and not at the beginning."""
    objects: dict[str, str] = {}
    """SHA-256 of each object file."""
    doctor: dict[str, bool] = {}
    """What `pyloader doctor` says, by subject."""
    problem: str = ""
    """The exception that ended the guest, if one did."""
    seconds: float = 0.0


def encode(report: Report) -> bytes:
    """Return the line that goes to the console."""
    return MARKER + msgspec.json.encode(report)


def decode(line: bytes) -> Report:
    """Return the report of a line without its marker."""
    return msgspec.json.decode(line, type=Report)
