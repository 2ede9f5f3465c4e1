"""A bounded memory in two generations: what is used stays, what is not is forgotten, and no order is kept for it."""

from collections.abc import Hashable, Iterator
from typing import Final, Generic, TypeVar

CAPACITY: Final = 65_536

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Generations(Generic[K, V]):
    """Keeps values by key, at most twice `capacity`; a full young generation takes the place of the old one.

    Keys should be text, or made of text: nobody outside of the process can foresee their hashes, while whoever chooses
    integers can choose the collisions. `evicted` counts what was forgotten.
    """

    __slots__ = ("_old", "_young", "capacity", "evicted")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def __iter__(self) -> Iterator[K]:
        yield from self._old
        yield from self._young

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None. Nothing changes by asking."""
        value = self._young.get(key)
        return self._old.get(key) if value is None else value

    def kept(self, key: K) -> V | None:
        """Return the value of a key, or None, and keep it for another generation."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.keep(key, value)
        return value

    def keep(self, key: K, value: V) -> None:
        """Give a key a value."""
        young = self._young
        if key not in young:
            self._old.pop(key, None)
            if len(young) >= self.capacity:
                self.evicted += len(self._old)
                self._old, self._young = young, {}
                young = self._young
        young[key] = value
