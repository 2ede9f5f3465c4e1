"""However many keys come, everything that is kept has its bound."""

import gc
from collections import deque
from collections.abc import Iterator
from itertools import islice
from types import FunctionType, ModuleType
from typing import Final

import msgspec

from pyloader.pipeline import Pipeline
from tests.bench import hostile

LARGEST: Final = 16_384
"""No table holds more entries than that of the processes."""

ALL: Final = 600_000
"""So many entries all tables hold together at most, those of the smallest sets and rows included."""

BATCH: Final = 60_000

_CONTAINERS: Final = (dict, set, frozenset, list, tuple, deque)
_OPAQUE: Final = (type, ModuleType, FunctionType)


def _reached(root: object) -> Iterator[object]:
    """Yield every object that can be reached from another one, but for code."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, _OPAQUE):
            continue
        seen.add(id(one))
        yield one
        waiting.extend(gc.get_referents(one))
        if isinstance(one, msgspec.Struct):
            # Those that the collector does not know tell it nothing of what they refer to.
            waiting.extend(getattr(one, name) for name in one.__struct_fields__)


def _sizes(pipeline: Pipeline) -> list[int]:
    """Return how many entries each container that is kept has."""
    return [len(one) for one in _reached(pipeline) if isinstance(one, _CONTAINERS)]


def test_tables_are_bounded() -> None:
    """Keys that never come again fill every table to its bound, and from then on nothing grows."""
    records = hostile.STREAMS["random"]()
    pipeline = Pipeline(hostile.HEADER)
    filled: list[int] = []
    for _ in range(2):
        for record in islice(records, BATCH):
            pipeline.assess(record)
        sizes = _sizes(pipeline)
        assert max(sizes) <= LARGEST
        filled.append(sum(sizes))

    assert filled[-1] < ALL
    assert filled[-1] < 1.1 * filled[-2]
    assert not pipeline.summary().faults
