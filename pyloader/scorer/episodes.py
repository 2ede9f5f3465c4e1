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
        "crowded_out",
        "exe",
        "floor",
        "last",
        "lineage",
        "mistrust",
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
        self.mistrust = 0.0
        """What of the evidence is an earlier attack, in nats."""
        self.crowded_out = False
        """It was closed for want of room, and may not have been over."""
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

    __slots__ = ("_open", "_overdue", "capacity", "evicted")

    def __init__(self, capacity: int = 2_048) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._open: dict[str, Episode] = {}
        self._overdue: list[Episode] = []

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
        if episode is not None and now - episode.began > LONGEST_NS:
            self._overdue.append(episode)
            episode = None
        if episode is None:
            episode = Episode(lineage, entity, now)
        episode.last = max(episode.last, now)
        # A process for which there was no room comes back as another object, with its label.
        episode.lineage = lineage
        self._open[lineage.label] = episode
        return episode

    def over(self, now: int) -> list[Episode]:
        """Remove and return the episodes that are over, the oldest first."""
        gone, self._overdue = self._overdue, []
        # They stand in the order of their last evidence; a clock that went back only makes some wait.
        for label, episode in list(self._open.items()):
            if now - episode.last <= GAP_NS:
                break
            gone.append(self._open.pop(label))
        return gone

    def crowded_out(self) -> list[Episode]:
        """Remove and return the episodes for which there is no room."""
        gone = []
        while len(self._open) > self.capacity:
            self.evicted += 1
            episode = self._open.pop(next(iter(self._open)))
            episode.crowded_out = True
            gone.append(episode)
        return gone
