"""Records of several rings become one stream."""

from hypothesis import given
from hypothesis import strategies as st

from pyloader.records import AnyRecord
from pyloader.sources.merge import Merge
from tests.unit.examples import exec_record, exit_record, fork_record

STAMPS = st.integers(0, 30)
READINGS = st.lists(st.tuples(st.lists(STAMPS, max_size=8), STAMPS), max_size=8)
"""What each reading gives, by its stamps, and up to where it may be told."""


def _numbered(readings: list[tuple[list[int], int]]) -> list[tuple[list[AnyRecord], int]]:
    """Return the readings as records that can be told apart."""
    count = 0
    numbered = []
    for stamps, horizon in readings:
        records: list[AnyRecord] = [exec_record(timestamp=stamp, pid=count + at) for at, stamp in enumerate(stamps)]
        count += len(records)
        numbered.append((records, horizon))
    return numbered


@given(READINGS)
def test_any_arrival(readings: list[tuple[list[int], int]]) -> None:
    """Whatever the order of arrival, what is told is sorted and due, what is held back is not, and nothing is lost."""
    merge = Merge()
    given_in: list[AnyRecord] = []
    told: list[AnyRecord] = []
    for records, horizon in _numbered(readings):
        merge.add(records)
        given_in += records
        telling = merge.until(horizon)
        stamps = [record.timestamp for record in telling]
        told += telling

        assert sorted(stamps) == stamps
        assert all(stamp <= horizon for stamp in stamps)
        assert len(merge) == len(given_in) - len(told)
        assert all(record.timestamp > horizon for record in given_in if record not in told)
    told += merge.until(30)

    assert sorted(told, key=repr) == sorted(given_in, key=repr)
    assert not merge


@given(READINGS.map(lambda readings: sorted(readings, key=lambda reading: reading[1])))
def test_whole_stream_is_sorted(readings: list[tuple[list[int], int]]) -> None:
    """If no reading brings what is older than the horizon before it, as in rings, the whole stream is sorted."""
    merge = Merge()
    told: list[AnyRecord] = []
    before = 0
    for records, horizon in _numbered(readings):
        merge.add(record for record in records if record.timestamp > before)
        told += merge.until(horizon)
        before = horizon

    assert told == sorted(told, key=lambda record: record.timestamp)


@given(st.lists(st.integers(0, 3), max_size=12))
def test_equal_stamps_keep_their_order(stamps: list[int]) -> None:
    """Records of one stamp are told in the order in which they were read."""
    merge = Merge()
    for pid, stamp in enumerate(stamps):
        merge.add([exec_record(timestamp=stamp, pid=pid)])
    told = [(record.timestamp, record.pid) for record in merge.until(3) if isinstance(record, type(exec_record()))]

    assert told == sorted(told)
    assert len(told) == len(stamps)


def test_cause_before_its_effect() -> None:
    """An effect that was met before its cause, in another ring, is told after it."""
    merge = Merge()
    merge.add([exec_record(timestamp=20, pid=101), exec_record(timestamp=40, pid=101)])
    merge.add([fork_record(timestamp=10, pid=101), exit_record(timestamp=30, pid=101)])

    assert [record.timestamp for record in merge.until(35)] == [10, 20, 30]
    assert len(merge) == 1
    assert [record.timestamp for record in merge.until(40)] == [40]


def test_what_was_told_is_the_callers() -> None:
    """Who changes what was told changes nothing that is held back."""
    merge = Merge()
    merge.add([exec_record(timestamp=1), exec_record(timestamp=2)])
    told = merge.until(1)
    told.clear()
    merge.add([exec_record(timestamp=3)])

    assert [record.timestamp for record in merge.until(3)] == [2, 3]
