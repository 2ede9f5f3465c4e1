"""Evidence comes in bursts; a burst against one lineage is an episode.

An episode opens with the first evidence, and closes when ten minutes have brought no more, or after a day: a lineage
that never falls silent is to be judged, learned from and reported all the same.
"""

from collections.abc import Iterator
from typing import Final

from pyloader.host import Entity, Lineage, Process
from pyloader.scorer.signature import Signature

GAP_NS: Final = 600 * 1_000_000_000
LONGEST_NS: Final = 24 * 3_600 * 1_000_000_000


class Episode:
    """What was held against a lineage in one go. `nats` and `score` are the strongest so far, `codes` all evidence.

    `worst` is whom the strongest evidence was about. `contexts` are those of the evidence, to find its baselines again,
    and `signatures` what the populations heard.
    """

    __slots__ = (
        "alerts",
        "began",
        "codes",
        "contexts",
        "doubtful",
        "exe",
        "floor",
        "last",
        "lineage",
        "nats",
        "parent_exe",
        "quiet",
        "score",
        "signatures",
        "worst",
    )

    def __init__(self, lineage: Lineage, entity: Entity, now: int) -> None:
        self.lineage = lineage
        self.worst = entity
        self.began = self.last = now
        self.nats = 0.0
        self.score = 0.0
        self.floor = 0
        self.codes: dict[str, None] = {}
        self.contexts: dict[tuple[str, ...], None] = {}
        self.signatures: dict[Signature, None] = {}
        self.alerts: list[str] = []
        self.doubtful = False
        """Records were lost meanwhile: the strongest evidence may have been among them."""
        self.exe = self.parent_exe = ""
        self.quiet = False
        """It has closed, and nothing in it was worse than ordinary work."""

    def weighed(self, entity: Entity, nats: float, score: float, floor: int) -> None:
        """Take in where an entity stands now."""
        self.floor = max(self.floor, floor)
        self.score = max(self.score, score)
        if nats >= self.nats:
            self.nats = nats
            self.worst = entity
            if isinstance(entity, Process):
                self.exe = entity.exe or entity.comm
                self.parent_exe = entity.parent.exe if entity.parent is not None else ""


class Episodes:
    """The open episodes by lineage, at most `capacity`; the one that was silent for longest closes early, counted."""

    __slots__ = ("_open", "capacity", "evicted")

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._open: dict[str, Episode] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Episode]:
        return iter(self._open.values())

    def get(self, lineage: Lineage) -> Episode | None:
        """Return the open episode of a lineage, if there is one."""
        return self._open.get(lineage.label)

    def touch(self, entity: Entity, now: int) -> Episode:
        """Return the open episode of an entity's lineage; it is now the latest."""
        lineage = entity.lineage
        episode = self._open.pop(lineage.label, None)
        if episode is None:
            episode = Episode(lineage, entity, now)
        episode.last = max(episode.last, now)
        # A process for which there was no room comes back as another object, with its label.
        episode.lineage = lineage
        self._open[lineage.label] = episode
        return episode

    def over(self, now: int) -> list[Episode]:
        """Remove and return the episodes that are over, the oldest first."""
        gone = [one for one in self if now - one.last > GAP_NS or now - one.began > LONGEST_NS]
        for episode in gone:
            del self._open[episode.lineage.label]
        return gone

    def crowded_out(self) -> list[Episode]:
        """Remove and return the episodes for which there is no room."""
        gone = []
        while len(self._open) > self.capacity:
            self.evicted += 1
            gone.append(self._open.pop(next(iter(self._open))))
        return gone
