"""A recording as a source."""

from pathlib import Path

import pytest

from pyloader.errors import ClosedError, RecordingError
from pyloader.records import AnyRecord
from pyloader.sources import ReplaySource
from tests.unit.examples import HEADER, exec_record, exit_record, fork_record, recording

RECORDS: list[AnyRecord] = [exec_record(), fork_record(), exit_record()]


def _rest(source: ReplaySource) -> list[AnyRecord]:
    """Return everything that a source still has to give."""
    records: list[AnyRecord] = []
    while True:
        try:
            records += source.read(None)
        except EOFError:
            return records


@pytest.mark.parametrize("from_file", [False, True])
def test_replay(tmp_path: Path, *, from_file: bool) -> None:
    """A recording in memory or in a file gives its header, its records, and then the end."""
    path = tmp_path / "x.rec"
    path.write_bytes(recording(*RECORDS))
    source = ReplaySource(path if from_file else path.read_bytes())
    source.start()

    assert source.header == HEADER
    assert _rest(source) == RECORDS
    with pytest.raises(EOFError):
        source.read(None)
    source.close()


def test_damage_is_raised_where_it_lies() -> None:
    """The records before the damage are given, and then its place is raised."""
    whole = recording(*RECORDS)
    source = ReplaySource(whole + b"\xc1")

    assert source.read(None) == RECORDS
    with pytest.raises(RecordingError, match=f"damaged at byte {len(whole)}"):
        source.read(None)


def test_nothing_to_replay() -> None:
    """What is no recording cannot be made a source."""
    with pytest.raises(RecordingError, match="the recording is not a pyloader recording"):
        ReplaySource(b"")


def test_stop() -> None:
    """A source that is stopped ends."""
    source = ReplaySource(recording(*RECORDS))
    source.stop()

    assert _rest(source) == []


def test_use_after_close() -> None:
    """A closed source says that it is closed; closing it again does nothing."""
    source = ReplaySource(recording(*RECORDS))
    source.close()
    source.close()

    with pytest.raises(ClosedError):
        source.read(None)
