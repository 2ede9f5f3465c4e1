"""What workers find of what was learned before."""

import os
from pathlib import Path

import pytest

from pyloader.state.store import LAST
from pyloader.workers.folders import of_worker, prepare, prepare_alone


def _snapshot(folder: Path, contents: str, age: int) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / LAST
    path.write_text(contents)
    os.utime(path, ns=(10**18 - age, 10**18 - age))


def _found(state: Path, workers: int) -> list[str | None]:
    return [
        path.read_text() if (path := of_worker(state, number) / LAST).exists() else None for number in range(workers)
    ]


def test_nothing_is_found_at_first(tmp_path: Path) -> None:
    """Where nothing was learned, every worker begins anew."""
    prepare(tmp_path, 4)

    assert _found(tmp_path, 4) == [None] * 4


@pytest.mark.parametrize(
    ("workers", "expected"), [(2, ["0", "1"]), (3, ["0", "1", "2"]), (5, ["0", "1", "2", "0", "1"])]
)
def test_another_number_of_workers_shares_what_there_is(tmp_path: Path, workers: int, expected: list[str]) -> None:
    """Each of more or fewer workers finds what one of those before has learned, and its own if it has some."""
    for number in range(3):
        _snapshot(of_worker(tmp_path, number), f"{number}", 10)
    prepare(tmp_path, workers)

    assert _found(tmp_path, workers) == expected


def test_a_sensor_alone_hands_on_what_it_learned_last(tmp_path: Path) -> None:
    """Workers that begin after a sensor without any find what that has learned, also if there were some long ago."""
    _snapshot(of_worker(tmp_path, 0), "old", 20)
    _snapshot(tmp_path, "alone", 10)
    prepare(tmp_path, 2)

    assert _found(tmp_path, 2) == ["alone", "alone"]


def test_older_than_what_workers_know_is_not_taken(tmp_path: Path) -> None:
    """What a sensor alone has learned longer ago than the workers takes nothing from them."""
    _snapshot(tmp_path, "alone", 20)
    _snapshot(of_worker(tmp_path, 0), "new", 10)
    prepare(tmp_path, 2)

    assert _found(tmp_path, 2) == ["new", "new"]


def test_workers_hand_on_to_a_sensor_alone(tmp_path: Path) -> None:
    """A sensor without workers finds what the first of those before it has learned, if that is newer."""
    _snapshot(tmp_path, "old", 20)
    _snapshot(of_worker(tmp_path, 0), "new", 10)
    prepare_alone(tmp_path)
    assert (tmp_path / LAST).read_text() == "new"

    _snapshot(tmp_path, "newest", 5)
    prepare_alone(tmp_path)
    assert (tmp_path / LAST).read_text() == "newest"
