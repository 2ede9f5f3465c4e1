"""Which features depend on which: the tree of Chow and Liu, and how probable an event is under it.

Of all distributions in which each feature depends on at most one other, the tree with the greatest sum of mutual
information is the nearest to the data (Chow and Liu, IEEE Transactions on Information Theory 14, 1968):

    -ln P(x) = Σ_f -ln P(x_f | x_parent(f))       P(l | m) = (n(m, l) + k·P(l)) / (n(m) + k)

So a word that is frequent, in company in which it was never seen, is surprising; but no feature is more surprising than
ln(n + 1), for n events cannot tell what is rarer than one in n. From a sample the mutual information of independent
features comes out as (|A| - 1)(|B| - 1) / 2n too large (Miller 1955), which is taken off.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations
from typing import Final, TypeVar

from pyloader.learners.chance import Chance
from pyloader.learners.generations import Generations

SAMPLE: Final = 1_024
FEATURES: Final = 64
"""Only so many features, those that vary most, can depend on others: all pairs of them are looked at."""

MEMORY: Final = 200_000.0
"""After so many events all counts are halved."""

_BACK_OFF: Final = 0.5
_FIRST_FIT: Final = 512
_LAST_STEP: Final = 65_536

T = TypeVar("T", bound=Hashable)

Shown = Mapping[str, str]
"""What an event shows: the literal of each of its features."""


class DependenceTree:
    """Counts of literals, and of literals with those of the feature that theirs depends on.

    The tree is drawn anew after 512, 1,024, 2,048 … events, later after every 65,536, from a sample of 1,024 of them;
    that takes some 50 ms for 40 features, within the one call of `learn` that it falls into.
    """

    __slots__ = ("_chance", "_next_fit", "_pairs", "_sample", "_singles", "events", "learned", "parents")

    def __init__(self, seed: int) -> None:
        self._chance = Chance(seed)
        self._singles: Generations[str, float] = Generations()
        self._pairs: Generations[tuple[str, str], float] = Generations()
        self._sample: list[dict[str, str]] = []
        self.parents: dict[str, str] = {}
        self.events = 0.0
        self.learned = 0
        self._next_fit = _FIRST_FIT

    @property
    def evicted(self) -> int:
        """How many counts were forgotten."""
        return self._singles.evicted + self._pairs.evicted

    def surprises(self, shown: Shown) -> dict[str, float]:
        """Return how surprising each feature is, in nats from 0."""
        singles, pairs, parents = self._singles, self._pairs, self.parents
        most = math.log(self.events + 1.0)
        found = {}
        for feature, literal in shown.items():
            chance = ((singles.get(literal) or 0.0) + 0.5) / (self.events + 1.0)
            parent = shown.get(parents.get(feature, ""))
            if parent is not None:
                together = pairs.get((parent, literal)) or 0.0
                chance = (together + _BACK_OFF * chance) / ((singles.get(parent) or 0.0) + _BACK_OFF)
            found[feature] = min(most, max(0.0, -math.log(chance)))
        return found

    def learn(self, shown: Shown) -> None:
        """Count an event."""
        for feature, literal in shown.items():
            _count(self._singles, literal)
            parent = shown.get(self.parents.get(feature, ""))
            if parent is not None:
                _count(self._pairs, (parent, literal))
        self.events += 1.0
        self.learned += 1
        self._keep(dict(shown))
        if self.learned >= self._next_fit:
            self._next_fit = self.learned + min(self.learned, _LAST_STEP)
            self._fit()
        if self.events >= MEMORY:
            self._halve()

    def _keep(self, shown: dict[str, str]) -> None:
        """Keep an event for the next fit: later ones with less probability, but not below one in 16."""
        if len(self._sample) < SAMPLE:
            self._sample.append(shown)
        elif self._chance.below(min(16, 1 + self.learned // SAMPLE)) == 0:
            self._sample[self._chance.below(SAMPLE)] = shown

    def _fit(self) -> None:
        """Draw the tree anew; what depends on another feature than before gets its counts from the sample."""
        before, self.parents = self.parents, tree(self._sample)
        scale = self.events / len(self._sample)
        for feature, parent in self.parents.items():
            if before.get(feature) != parent:
                seen = Counter((shown.get(parent), shown.get(feature)) for shown in self._sample)
                for (cause, effect), count in seen.items():
                    if cause is not None and effect is not None:
                        self._pairs.keep((cause, effect), count * scale)

    def _halve(self) -> None:
        for key in list(self._singles):
            self._singles.keep(key, (self._singles.get(key) or 0.0) / 2)
        for pair in list(self._pairs):
            self._pairs.keep(pair, (self._pairs.get(pair) or 0.0) / 2)
        self.events /= 2


def tree(sample: list[dict[str, str]]) -> dict[str, str]:
    """Return the parent of each feature that has one, in the best tree for a sample.

    >>> tree([{"a": f"a={i % 2}", "b": f"b={i % 2}", "c": "c=0"} for i in range(99)])
    {'b': 'a'}
    """
    names = sorted({feature for shown in sample for feature in shown})
    columns = {name: _numbered(shown.get(name) for shown in sample) for name in names}
    kinds = {name: Counter(column) for name, column in columns.items()}
    entropies = {name: _entropy(counts, len(sample)) for name, counts in kinds.items()}
    varied = sorted((name for name in names if entropies[name] > 0.0), key=lambda name: (-entropies[name], name))
    links: list[tuple[float, str, str]] = []
    for first, second in combinations(sorted(varied[:FEATURES]), 2):
        both = _entropy(Counter(zip(columns[first], columns[second], strict=True)), len(sample))
        information = entropies[first] + entropies[second] - both
        information -= (len(kinds[first]) - 1) * (len(kinds[second]) - 1) / (2 * len(sample))
        if information > 0.0:
            links.append((-information, first, second))
    return _spanned(sorted(links))


def _numbered(words: Iterable[str | None]) -> list[int]:
    """Return small numbers for words, the same for the same."""
    numbers: dict[str | None, int] = {}
    return [numbers.setdefault(word, len(numbers)) for word in words]


def _entropy(counts: Counter[T], total: int) -> float:
    """Return the entropy of a sample, in nats."""
    return math.log(total) - sum(count * math.log(count) for count in counts.values()) / total


def _spanned(links: list[tuple[float, str, str]]) -> dict[str, str]:
    """Return the parents in the spanning forest that takes links in this order (Kruskal 1956)."""
    member: dict[str, int] = {}
    near: dict[str, list[str]] = {}
    for number, (_, first, second) in enumerate(links):
        one, other = member.setdefault(first, -2 * number - 1), member.setdefault(second, -2 * number - 2)
        if one != other:
            for name, forest in member.items():
                if forest == other:
                    member[name] = one
            near.setdefault(first, []).append(second)
            near.setdefault(second, []).append(first)
    parents: dict[str, str] = {}
    reached: set[str] = set()
    for root in near:
        waiting = [] if root in reached else [root]
        reached.add(root)
        while waiting:
            parent = waiting.pop()
            for name in near[parent]:
                if name not in reached:
                    reached.add(name)
                    parents[name] = parent
                    waiting.append(name)
    return parents


def _count(counts: Generations[T, float], key: T) -> None:
    counts.keep(key, (counts.get(key) or 0.0) + 1.0)
