"""From a dictionary to literals: what an event shows, one "feature=value" per feature.

Words stand for themselves. Numbers are put in buckets, two per power of two and apart by sign, so a bucket says the
same today and tomorrow, a rate of .1 is told from one of .2 as well as 1,000 bytes from 2,000, and no state is needed.

    >>> literals({"exe": "sh", "sent": 1500, "root": True, "rate": -0.3})
    ('exe=sh', 'rate=-0.25', 'root=True', 'sent=1.02e+03')

Literals are keyed by text, whose hashes nobody outside of the process can foresee. Numbers as keys would let whoever
chooses the numbers choose the collisions.
"""

import math
from collections.abc import Mapping
from typing import Final

from pyloader.learners.reservoir import Literals

LONGEST_WORD: Final = 128
"""Words are cut after so many characters."""

_MIDDLE: Final = 0.75

Value = float | int | str | bool
Features = Mapping[str, Value]


def literals(features: Features) -> Literals:
    """Return the literals of an event in the order of the features' names."""
    return tuple([f"{name}={word(features[name])}" for name in sorted(features)])


def word(value: Value) -> str:
    """Return a value as the text of a literal: words as they are, numbers by the lower end of their bucket.

    >>> [word(value) for value in (0, 1, 2, 3, 5, 100, 1e300, float("nan"))]
    ['0', '1', '2', '3', '4', '96', '6.7e+299', 'nan']
    """
    if isinstance(value, str):
        return value[:LONGEST_WORD]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)[:LONGEST_WORD]
    return _bucket(value)


def _bucket(value: float) -> str:
    try:
        mantissa, exponent = math.frexp(value)
    except OverflowError:
        return "inf" if value > 0 else "-inf"
    if mantissa == 0.0:
        return "0"
    if not math.isfinite(mantissa):
        return f"{mantissa}"
    # frexp gives .5 <= |m| < 1, so the lower end of the bucket is .5 or .75, away from zero.
    lower = math.copysign(0.75 if abs(mantissa) >= _MIDDLE else 0.5, mantissa)
    return f"{math.ldexp(lower, exponent):.3g}"
