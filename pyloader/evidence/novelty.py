"""What is new: things that a context has never shown among so many, each learned at once or when it was found quiet."""

from collections.abc import Callable
from typing import Final, Generic, TypeAlias, TypeVar

from pyloader.evidence.item import Group
from pyloader.evidence.lesson import Lesson
from pyloader.evidence.rarity import Experience, Experiences
from pyloader.evidence.staging import Staging
from pyloader.host import Lineage

Symbol: TypeAlias = str | bytes | int
S = TypeVar("S", str, bytes, int)

Contexts: TypeAlias = Experiences[tuple[str, str], Symbol]
"""What was seen, by table and context. One instance holds several tables: it is what is learned, and nothing else."""


class Table(Generic[S]):
    """One table of a domain. `encode` writes what was seen as text, and `decode` reads it."""

    def __init__(
        self,
        name: str,
        group: Group,
        staging: Staging,
        contexts: Contexts,
        *,
        encode: Callable[[S], str],
        decode: Callable[[str], S],
    ) -> None:
        self.name: Final = name
        self.group = group
        self._staging = staging
        self._contexts = contexts
        self._encode: Callable[[S], str] = encode
        self._decode: Callable[[str], S] = decode
        staging.register(name, self)

    def of(self, context: str, now: int) -> Experience[Symbol]:
        """Return what a context has shown."""
        return self._contexts.of((self.name, context), now + self._staging.offset)

    def lesson(self, context: str, symbol: S) -> Lesson:
        """Return by what evidence about this finds its baseline again."""
        return (self.name, context, self._encode(symbol))

    def weigh(self, seen: Experience[Symbol], context: str, symbol: S, now: int, *, share: float = 1.0) -> float:
        """Return how surprising something is in nats, 0 to `CAP`; `seen` is what the context has shown (`of`).

        `share` is explained at `Experience.weight`.
        """
        nats = seen.weight(symbol, share)
        if nats and self._staging.excuses.of(self.lesson(context, symbol), now + self._staging.offset):
            return 0.0
        return nats

    def knows(self, seen: Experience[Symbol], symbol: S, now: int) -> bool:
        """Return whether something was seen before, and learn in that case that it was seen again."""
        if now >= self._staging.frozen_until:
            return seen.again(symbol)
        return symbol in seen

    def take(
        self,
        seen: Experience[Symbol],
        lineage: Lineage,
        context: str,
        symbol: S,
        *,
        now: int,
        suspicious: bool,
    ) -> bool:
        """Learn something now or later; return whether it is to be told: suspicious, and for the first time.

        Something is suspicious if it has a weight, or if the record that it comes with is evidence.
        """
        if self.knows(seen, symbol, now):
            return False
        staging = self._staging
        if not suspicious and staging.admits(lineage, now, known=False):
            self._contexts.add(seen, symbol)
            return False
        return staging.stage(lineage, self.lesson(context, symbol), now, suspicious=suspicious)

    def learn(self, context: str, symbol: str, times: float, wall: int) -> None:
        """Count what was staged."""
        self._contexts.learn((self.name, context), self._decode(symbol), times, wall)

    def instances(self, context: str, wall: int) -> float:
        """Return how much a context has shown."""
        return self._contexts.of((self.name, context), wall).seen
