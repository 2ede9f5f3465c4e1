"""A bounded memory of results that are expensive to compute."""

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """Remembers results in two generations of `capacity` entries each; a full one takes the place of the older.

    What is asked for again survives, without any order being kept. `evicted` counts what was forgotten.
    """

    def __init__(self, capacity: int = 2_048) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def get(self, key: Key, compute: Callable[[Key], Value]) -> Value:
        """Return the result for a key, which is computed if it is not remembered."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is None:
                value = compute(key)
            self.keep(key, value)
        return value

    def known(self, key: Key) -> Value | None:
        """Return the result for a key if it is remembered."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.keep(key, value)
        return value

    def keep(self, key: Key, value: Value) -> None:
        """Remember a result."""
        if len(self._young) >= self.capacity:
            self.evicted += len(self._old)
            self._old, self._young = self._young, {}
        self._young[key] = value
