"""Addresses, areas and sizes in words."""

import pytest

from pyloader.evidence.areas import area_name, place, size
from pyloader.records import Area, Protection


def test_every_area_has_a_name_of_its_own() -> None:
    """No two areas have the same name, and what is no area is plain memory."""
    assert len({area_name(area) for area in Area}) == len(Area)
    assert area_name(255) == area_name(Area.ANONYMOUS)


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (1023, "1.02e+03 bytes"), (4096, "4 KiB"), (3 << 29, "1.5 GiB")]
)
def test_size(count: int, words: str) -> None:
    """A size is told in the largest unit that it has one of."""
    assert words == size(count)


def test_place() -> None:
    """A place is told with what it allows, unless nothing is there."""
    assert place(0x1000, Area.HEAP, Protection.READ | Protection.EXECUTE) == "the heap (r-x) at 0x1000"
    assert place(0x1000, Area.NONE, 0) == "unmapped memory at 0x1000"
    assert place(0x1000, Area.STACK) == "the stack at 0x1000"
