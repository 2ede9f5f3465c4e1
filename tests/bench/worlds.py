"""Labelled streams on which learners are compared: one made up, and what can be learned from it.

An event of the made-up world has ten fields of 200 words each, frequent ones first (Zipf). One in a hundred is an
attack: it shows one of eight hidden conjunctions of two or three words, and is ordinary otherwise. Confounders are
ordinary events that show a part of a conjunction, so no single word gives an attack away. Every so many events one of
the conjunctions is replaced by a new one.
"""

import random
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

FIELDS = 10
WORDS = 200
HIDDEN = 8
ATTACKS = 0.01
CONFOUNDERS = 0.04

Event = tuple[dict[str, str | float | int | bool], bool]
_Conjunction = dict[int, int]


def drifting(events: int, seed: int, *, conjunctions: int = HIDDEN, drift_every: int = 12_000) -> Iterator[Event]:
    """Yield events, each with whether it is an attack."""
    chance = random.Random(seed)
    frequencies = list(accumulate(1.0 / (rank + 2.0) for rank in range(WORDS)))
    orders = [chance.sample(range(WORDS), WORDS) for _ in range(FIELDS)]
    hidden = [_conjunction(chance) for _ in range(conjunctions)]
    for number in range(events):
        if number % drift_every == drift_every - 1:
            hidden[chance.randrange(conjunctions)] = _conjunction(chance)
        words = [orders[field][bisect(frequencies, chance.random() * frequencies[-1])] for field in range(FIELDS)]
        kind = chance.random()
        if kind < ATTACKS:
            for field, word in chance.choice(hidden).items():
                words[field] = word
        elif kind < ATTACKS + CONFOUNDERS:
            part = list(chance.choice(hidden).items())
            for field, word in chance.sample(part, len(part) - 1):
                words[field] = word
        attack = any(all(words[field] == word for field, word in one.items()) for one in hidden)
        yield {f"field{field}": f"word{word}" for field, word in enumerate(words)}, attack


def _conjunction(chance: random.Random) -> _Conjunction:
    fields = chance.sample(range(FIELDS), chance.choice((2, 3)))
    return {field: chance.randrange(WORDS) for field in fields}
