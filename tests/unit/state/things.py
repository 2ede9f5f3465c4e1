"""Classes of every sort that a snapshot may hold, and some that it may not."""

import subprocess
from collections.abc import Callable
from enum import Enum, IntFlag, StrEnum
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec

from pyloader.state.classes import Classes

Value = TypeVar("Value")

run = subprocess.run
"""Something of another module that this one has under a name."""


class Colour(Enum):
    """Members that are no numbers."""

    RED = "red"
    GREEN = "green"


class Mood(StrEnum):
    """Members that are text."""

    CALM = "calm"


class Bits(IntFlag):
    """Members that add up."""

    ONE = 1
    TWO = 2


class Node(Generic[Value]):
    """Something with slots that refers to others."""

    __slots__ = ("links", "other", "table", "value")

    def __init__(self, value: Value) -> None:
        self.value = value
        self.other: object = None
        self.links: list[Any] = []
        self.table: dict[Any, Any] = {}


class Leaf(Node[int]):
    """Slots of its own beside those of its base; one of them is private."""

    __slots__ = ("__hidden", "depth")

    def __init__(self) -> None:
        super().__init__(7)
        self.depth = 1
        self.__hidden = "hidden"

    @property
    def hidden(self) -> str:
        """The private one."""
        return self.__hidden


class Pair(NamedTuple):
    """A tuple with names."""

    first: Any
    second: Any = None


class Point(msgspec.Struct, frozen=True):
    """A struct that cannot change."""

    x: Any
    y: Any = 0


class Box(msgspec.Struct):
    """A struct that can."""

    content: Any
    label: str = "box"


class Rule(NamedTuple):
    """A tuple that holds code."""

    name: str
    holds: Callable[[int], bool]


class Table:
    """A component: it has room, remembers things and hands out its own methods."""

    SETTINGS: ClassVar[frozenset[str]] = frozenset({"threshold"})

    def __init__(self, capacity: int = 4, threshold: float = 0.5) -> None:
        self.capacity = capacity
        self.threshold = threshold
        self.known: dict[str, object] = {}
        self.find = self.known.get

    def learn(self, name: str, thing: object) -> None:
        """Remember a thing."""
        self.known[name] = thing


class Part:
    """A component inside of components."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.calls = 0

    def called(self) -> int:
        """Count a call."""
        self.calls += 1
        return self.calls


class Whole:
    """Components that are joined by bound methods, as a stage is."""

    def __init__(self) -> None:
        self.table = Table()
        self.parts = (Part(self.table), Part(self.table))
        self.handlers = {"first": self.parts[0].called, "second": self.parts[1].called}
        self.by_rule = {rule: Node(0) for rule in RULES}
        self.by_colour = {Colour.RED: Node(0)}
        self.nothing = NOTHING_YET
        self.extra: object = None


class Guard:
    """It has a finaliser, which must not run because of what a file says."""

    def __del__(self) -> None:
        """Close something."""


class Registry(dict[str, int]):
    """A dictionary with a name of its own."""


POSITIVE = Rule("positive", lambda number: number > 0)
RULES = (POSITIVE, Rule("even", lambda number: number % 2 == 0))
NOTHING_YET = Node("nothing")

CLASSES = Classes((__name__,))
