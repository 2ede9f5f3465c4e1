"""The drain of rings, on rings that a test lays out: every state that a ring can be found in."""

from collections.abc import Iterator

import pytest

from tests.build.draining import LONGEST, NEVER, bundled_library
from tests.build.drawing import BUSY, DISCARDED, Drawn, stamped


@pytest.fixture(name="drawn")
def _drawn() -> Iterator[Drawn]:
    """Return an empty ring of one page."""
    drawn = Drawn(bundled_library())
    yield drawn
    drawn.close()


def test_record_that_is_being_written(drawn: Drawn) -> None:
    """A record that a program has reserved and not finished holds back those behind it, until it is there."""
    first, second, third = stamped(1), stamped(2), stamped(3)
    drawn.put(first)
    position = drawn.put(second, BUSY)
    drawn.put(third)
    reader = drawn.reader()

    assert reader.read() == [first]
    assert (reader.read(), reader.oldest()) == ([], NEVER)
    drawn.commit(position, len(second))
    assert reader.oldest() == 2
    assert reader.read() == [second, third]


def test_record_that_was_thrown_away(drawn: Drawn) -> None:
    """A record that its program threw away is passed over, and its room is given back with that of the others."""
    drawn.put(stamped(9), DISCARDED)
    drawn.put(stamped(1))
    drawn.put(stamped(0, LONGEST), DISCARDED)
    reader = drawn.reader()

    assert reader.oldest() == 1
    assert reader.read() == [stamped(1)]
    reader.acknowledge()
    assert (reader.pending(), drawn.consumed()) == (0, 24 + 24 + 72)


def test_horizon(drawn: Drawn) -> None:
    """A read ends before the first record that was stamped after the horizon, and goes on there later."""
    for stamp in (5, 6, 9, 7):
        drawn.put(stamped(stamp))
    reader = drawn.reader()

    assert reader.fill(4) == ([], 0)
    assert reader.fill(6) == ([stamped(5), stamped(6)], 0)
    assert (reader.oldest(), reader.read(8)) == (9, [])
    assert reader.read(9) == [stamped(9), stamped(7)]
    assert reader.oldest() == NEVER


@pytest.mark.parametrize("stamp", [0, 1, 1 << 32, (1 << 63) + 1, NEVER])
def test_any_stamp(drawn: Drawn, stamp: int) -> None:
    """A timestamp is read in all its 64 bits."""
    drawn.put(stamped(stamp))
    reader = drawn.reader()

    assert reader.oldest() == stamp
    assert reader.read(stamp - 1) == [] if stamp else True
    assert reader.read(stamp) == [stamped(stamp)]


@pytest.mark.parametrize("length", [0, 1, 6, 13])
def test_record_too_short_for_a_stamp(drawn: Drawn, length: int) -> None:
    """A record without room for a timestamp waits for nothing: it goes on as it is."""
    drawn.put(b"\xff" * length)
    reader = drawn.reader()

    assert reader.oldest() == 0
    assert reader.read(0) == [b"\xff" * length]


def test_wrap_around(drawn: Drawn) -> None:
    """A record that runs over the end of the ring is read whole, at any place of the end."""
    reader = drawn.reader()
    for number in range(500):
        record = stamped(number, 14 + number * 11 % 300)
        drawn.put(record)
        assert reader.read(capacity=512) == [record]
        reader.acknowledge()

    assert drawn.consumed() > 10 * drawn.size


def test_positions_beyond_32_bits(drawn: Drawn) -> None:
    """Positions only grow, and go on beyond 32 bits."""
    drawn.begin_at((1 << 32) - 40)
    reader = drawn.reader()
    for number in range(4):
        drawn.put(stamped(number))

    assert reader.read() == [stamped(number) for number in range(4)]
    reader.acknowledge()
    assert drawn.consumed() == (1 << 32) - 40 + 4 * 24


def test_room_of_a_batch(drawn: Drawn) -> None:
    """A read that stops for want of bytes or of ends says so, takes no part of a record, and goes on there later."""
    records = [stamped(number, 40) for number in range(4)]
    for record in records:
        drawn.put(record)
    reader = drawn.reader()

    assert reader.fill(capacity=39) == ([], 1)
    assert reader.fill(capacity=119) == (records[:2], 1)
    assert reader.fill(max_records=1) == (records[2:3], 1)
    assert reader.fill(capacity=40, max_records=1) == (records[3:], 0)
    assert reader.fill(capacity=0, max_records=0) == ([], 0)


def test_full_batch_before_the_horizon(drawn: Drawn) -> None:
    """What is not due does not count as more to read, however little room there is."""
    drawn.put(stamped(1))
    drawn.put(stamped(9))
    reader = drawn.reader()

    assert reader.fill(5, max_records=1) == ([stamped(1)], 0)


def test_next_reader(drawn: Drawn) -> None:
    """What was acknowledged is not read again by the next reader, and all that was only read is."""
    records = [stamped(number) for number in range(3)]
    for record in records:
        drawn.put(record)
    first = drawn.reader()
    first.read(0)
    first.acknowledge()
    first.read(1)

    assert drawn.reader().read() == records[1:]
    assert drawn.consumed() == 24


def test_positions(drawn: Drawn) -> None:
    """The next reader goes on at a position that it is told, if that is still in the ring."""
    records = [stamped(number) for number in range(3)]
    for record in records:
        drawn.put(record)
    first = drawn.reader()
    first.read(1)
    second = drawn.reader()
    second.seek(first.position())
    assert second.read() == records[2:]
    second.acknowledge()

    for position in (0, 3 * 24 + 8, NEVER):
        third = drawn.reader()
        third.seek(position)
        assert (third.position(), third.read()) == (3 * 24, [])
