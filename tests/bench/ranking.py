"""How well scores tell positives from negatives."""

from collections.abc import Iterable, Sequence
from itertools import groupby


def auroc(negatives: Sequence[float], positives: Sequence[float]) -> float:
    """Return the probability that a positive scores more than a negative; equal ones count half.

    >>> auroc([1, 2], [2, 3])
    0.875
    """
    scored = sorted([(score, 0) for score in negatives] + [(score, 1) for score in positives])
    below, won = 0, 0.0
    for _, same in groupby(scored, key=lambda one: one[0]):
        labels = [label for _, label in same]
        found = sum(labels)
        won += found * (below + (len(labels) - found) / 2)
        below += len(labels) - found
    return won / (len(negatives) * len(positives))


def true_positive_rate(negatives: Sequence[float], positives: Sequence[float], share: float) -> float:
    """Return the share of positives that score more than all but a share of the negatives.

    >>> true_positive_rate([1, 2, 3, 4], [0, 3.5, 9], 0.25)
    0.6666666666666666
    """
    ordered = sorted(negatives, reverse=True)
    threshold = ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return sum(score > threshold for score in positives) / len(positives)


def average_precision(scored: Iterable[tuple[float, bool]]) -> float:
    """Return the mean, over the positives, of the precision at the score of each.

    >>> average_precision([(3, True), (2, False), (1, True)])
    0.8333333333333333
    """
    found, total = 0, 0.0
    for place, (_, positive) in enumerate(sorted(scored, key=lambda one: -one[0]), 1):
        if positive:
            found += 1
            total += found / place
    return total / found if found else 0.0
