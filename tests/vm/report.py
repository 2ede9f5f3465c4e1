"""What a guest reports: written inside, read outside."""

from enum import Enum, StrEnum, auto

import msgspec

from pyloader.monitors import Rung

MARKER = b"PYLOADER-REPORT "
"""Stands before the report on the guest's console."""


class Depth(Enum):
    """Which rungs are given events to record."""

    ALL = auto()
    ENDS = auto()
    """Those that a monitor takes when it is left to itself, and the lowest."""
    BEST = auto()
    """Those that a monitor takes when it is left to itself."""


class Way(StrEnum):
    """How a monitor is used: who loads it, how its records come, and where the kernel's types are described."""

    RING = "ring"
    PERF = "perf"
    PINNED = "pinned"
    """Pinned with rings, and read by another process later."""
    RING_BY_FILE = "ring, types from a file"
    """As on a kernel without BTF of its own."""
    PERF_BY_FILE = "perf, types from a file"
    PINNED_BY_FILE = "pinned, types from a file"

    @property
    def depth(self) -> Depth:
        """How far down the ladders are tried: to try all in every way takes longer than it tells."""
        if self in (Way.RING, Way.RING_BY_FILE):
            return Depth.ALL
        return Depth.ENDS if self in (Way.PERF, Way.PINNED) else Depth.BEST

    @property
    def pinned(self) -> bool:
        """Whether programs are pinned, which those on interfaces cannot be."""
        return self in (Way.PINNED, Way.PINNED_BY_FILE)

    @property
    def by_file(self) -> bool:
        """Whether the kernel describes no types itself."""
        return self in (Way.RING_BY_FILE, Way.PERF_BY_FILE, Way.PINNED_BY_FILE)


class Program(msgspec.Struct):
    """One rung of a ladder, used in one way: its programs, loaded, then attached and observing real events."""

    way: Way
    monitor: str
    hook: str
    rung: str
    name: str
    """The first program of the rung."""
    instructions: int = 0
    """As many the verifier looked at for the largest of its programs; 0 if it refused one, or if that is unknown."""
    chosen: bool = False
    """Whether the monitor stands on this rung when it is left to itself."""
    problem: str = ""
    """What went wrong, if anything did."""
    refused: bool = False
    """Whether the kernel refused to load, to attach or to pin the program."""

    @property
    def kind(self) -> str:
        """How the programs are attached, as `Rung.kind` tells it."""
        return Rung(self.rung, self.name).kind


class Doctor(msgspec.Struct):
    """What `pyloader doctor` says."""

    problems: dict[str, str]
    """What is in the way, by subject."""
    rungs: dict[str, str]
    """The rung that each hook would stand on, by `MONITOR/HOOK`."""
    transport: str | None
    """The one of all monitors, if they agree."""


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
    doctors: dict[str, Doctor] = {}
    """By where the kernel's types are described: `kernel`, `nowhere`, `file`."""
    problem: str = ""
    """The exception that ended the guest, if one did."""
    seconds: dict[str, float] = {}
    """How long each part took, emulated."""


def encode(report: Report) -> bytes:
    """Return the line that goes to the console."""
    return MARKER + msgspec.json.encode(report)


def decode(line: bytes) -> Report:
    """Return the report of a line without its marker."""
    return msgspec.json.decode(line, type=Report)
