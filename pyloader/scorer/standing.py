"""Who stands out now: the episodes with the most evidence, however many are open.

All evidence halves at one pace, so of two episodes the stronger one stays the stronger, whenever one looks. Their order
is that of `log2(nats) + time / half-life`, and a heap by this number finds the few that matter without a walk over all.
"""

import math
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from pyloader.scorer.episodes import Episode
from pyloader.scorer.ledger import HALF_LIFE_NS

KEPT: Final = 128

_INVARIANT: Final = 1_000.0
"""Who broke an invariant stands before everybody."""


class Outstanding:
    """The `KEPT` open episodes with the most evidence."""

    __slots__ = ("_episodes", "_heap", "_order")

    def __init__(self) -> None:
        self._episodes: dict[str, Episode] = {}
        self._order: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def __iter__(self) -> Iterator[Episode]:
        return iter(self._episodes.values())

    def weighed(self, episode: Episode, nats: float, now: int) -> None:
        """Take in how much evidence an open episode has now."""
        if nats <= 0.0:
            return
        order = math.log2(nats) + now / HALF_LIFE_NS + (_INVARIANT if episode.floor else 0.0)
        label = episode.lineage.label
        known = self._order.get(label)
        if known is None and len(self._order) >= KEPT:
            self._settle()
            weakest, weaker = self._heap[0]
            if order <= weakest:
                return
            heappop(self._heap)
            self._drop(weaker)
        if known is None or order > known:
            self._order[label] = order
            heappush(self._heap, (order, label))
        self._episodes[label] = episode
        if len(self._heap) > 4 * KEPT:
            self._heap = [(order, label) for label, order in self._order.items()]
            heapify(self._heap)

    def closed(self, episode: Episode) -> None:
        """Forget an episode."""
        if self._episodes.get(episode.lineage.label) is episode:
            self._drop(episode.lineage.label)

    def _drop(self, label: str) -> None:
        del self._episodes[label]
        del self._order[label]

    def _settle(self) -> None:
        """Take what is out of date from the top of the heap."""
        heap, order = self._heap, self._order
        while order.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
