"""What an analyst taught: some evidence weighs less, or more, in the same circumstances.

The circumstances are the code of the evidence, the program and the program that started it. A label moves each code of
its episode by two nats, six at most, for ninety days, and can be taken back. It never touches the floor of an
invariant: no label makes credentials without an explanation harmless.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

STEP_NATS: Final = 2.0
MOST_NATS: Final = 6.0
LIFE: Final = 90 * 86_400 * 1_000_000_000
CAPACITY: Final = 8_192

Circumstance = tuple[str, str, str]
"""Code, program, and the program that started it."""


class Lesson(NamedTuple):
    """What all labels together said of a circumstance, in nats, and until when (wall-clock ns)."""

    nats: float
    until: int


class Lessons:
    """The lessons by circumstance; the oldest leaves when there is no room, and is counted."""

    __slots__ = ("_lessons", "evicted")

    def __init__(self) -> None:
        self.evicted = 0
        self._lessons: dict[Circumstance, Lesson] = {}

    def __len__(self) -> int:
        return len(self._lessons)

    def __bool__(self) -> bool:
        return bool(self._lessons)

    def teach(self, circumstances: Iterable[Circumstance], nats: float, now: int) -> None:
        """Let evidence in these circumstances weigh so much more, or less, than before."""
        for one in circumstances:
            known = self._lessons.pop(one, None)
            before = known.nats if known is not None and known.until > now else 0.0
            # What counts is cut off when it is asked for: so every label can be taken back, also one of too many.
            after = before + nats
            if after == 0.0:
                continue
            if len(self._lessons) >= CAPACITY:
                del self._lessons[next(iter(self._lessons))]
                self.evicted += 1
            self._lessons[one] = Lesson(after, now + LIFE)

    def of(self, circumstance: Circumstance, now: int) -> float:
        """Return what evidence in these circumstances weighs more, in nats; less if negative."""
        lesson = self._lessons.get(circumstance)
        if lesson is None or lesson.until <= now:
            return 0.0
        return max(-MOST_NATS, min(MOST_NATS, lesson.nats))
