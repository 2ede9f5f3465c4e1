"""What is known in a place when one worker follows another."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pyloader.scorer.sharing import Shared, Taught
from pyloader.testing import HEADER
from pyloader.workers.messages import Begin, Kept
from pyloader.workers.place import LONGEST_PAUSE, SHARED, WELL, Place


def _taught(number: int) -> Shared:
    return Taught(("table", "context", f"{number}"), 1.0, 0)


def _begin(shared: list[Shared]) -> Begin:
    return Begin(0, 1, HEADER, 50.0, everything=False, state="", source=b"", shared=shared, added=[])


@contextmanager
def _worker(place: Place, shared: list[Shared]) -> Iterator[None]:
    """Let a process hold a place that does nothing."""
    place.begin(_begin(shared), [])
    try:
        yield
    finally:
        place.kill()


@pytest.fixture
def place() -> Place:
    """A place where nobody has been."""
    return Place(0, [sys.executable, "-I", "-c", "import time; time.sleep(60)"])


def test_next_worker_is_told_what_no_snapshot_holds(place: Place) -> None:
    """What was passed on to a worker, and what it shared itself, is told the next one, unless a snapshot holds it."""
    with _worker(place, []):
        place.share([_taught(1), _taught(2)])
        place.has_shared([_taught(3)])
        place.share([_taught(4)])
        assert place.shared() == [_taught(1), _taught(2), _taught(3), _taught(4)]

        # The last one was on its way when the snapshot was taken.
        place.kept(Kept(records=10, latest=20, learned=2))
        assert place.shared() == [_taught(4)]
        assert place.kept_until == 20

        place.has_shared([_taught(5)])
    with _worker(place, place.shared()):
        place.share([_taught(6)])
        assert place.shared() == [_taught(4), _taught(5), _taught(6)]

        place.kept(Kept(records=10, latest=30, learned=2))
        assert place.shared() == [_taught(6)]


def test_what_waits_for_the_next_worker_is_bounded(place: Place) -> None:
    """Of more than there is room for, the latest is told."""
    place.has_shared([_taught(number) for number in range(SHARED + 10)])

    assert place.shared()[0] == _taught(10)
    assert len(place.shared()) == SHARED


def test_pauses_become_longer_and_are_bounded(place: Place) -> None:
    """Who fails at once is replaced at once, then after one, two and four seconds, and never later than in a minute."""
    pauses = []
    for _ in range(12):
        with _worker(place, []):
            pass
        place.lost(0.0)
        pauses.append(next(now for now in range(100) if place.is_due(now)))

    assert pauses[:5] == [0, 1, 2, 4, 8]
    assert pauses[-1] == LONGEST_PAUSE


def test_who_was_well_for_long_is_replaced_at_once(place: Place) -> None:
    """Failures before are forgotten when a worker has run for long."""
    for _ in range(5):
        with _worker(place, []):
            pass
        place.lost(0.0)
    with _worker(place, []):
        later = place.began + WELL + 1.0
    place.lost(later)

    assert place.is_due(later)
