"""The drain of rings, on rings of this kernel that a program writes to."""

import ctypes
import errno
import os
import select

import pytest

from tests.build.draining import LONGEST, NEVER, RING, Sample, bundled_library


@pytest.mark.kernel
def test_empty_ring_gives_nothing(ring: Sample) -> None:
    """A read of an empty ring returns no record and does not wait."""
    reader = ring.reader()

    assert reader.fill() == ([], 0)
    assert reader.oldest() == NEVER


@pytest.mark.kernel
def test_records_keep_order_and_length(ring: Sample) -> None:
    """Records of different lengths come back whole and in the order they were written."""
    reader = ring.reader()
    lengths = (1, 8, 64, 0, 7, 33)
    for fill, length in enumerate(lengths):
        ring.emit(length, fill)

    assert [len(record) for record in reader.read()] == list(lengths)


@pytest.mark.kernel
def test_stamps_of_the_kernel(ring: Sample) -> None:
    """The horizon holds for records that a program wrote."""
    reader = ring.reader()
    for stamp in (1_000, 2_000, 3_000):
        ring.emit(LONGEST, stamp // 1_000, stamp)

    assert reader.oldest() == 1_000
    assert [record[0] for record in reader.read(2_000)] == [1, 2]
    assert [record[0] for record in reader.read(3_000)] == [3]


@pytest.mark.kernel
def test_small_buffers_lose_nothing(ring: Sample) -> None:
    """Reads with room for a few records each return all of them, none cut and none twice, round and round the ring."""
    reader = ring.reader()
    written, read = [], []
    for number in range(3_000):
        length = 14 + number % 50
        ring.emit(length, number % 251, number)
        written.append((length, number))
        if number % 300 == 299:
            more = 1
            while more:
                records, more = reader.fill(capacity=3 * LONGEST + 5)
                read += [(len(record), int.from_bytes(record[6:14], "big")) for record in records]
            reader.acknowledge()

    assert read == written


@pytest.mark.kernel
def test_discarded_records_are_skipped(ring: Sample) -> None:
    """A record that its program threw away never reaches the reader."""
    reader = ring.reader()
    ring.emit(4, 1)
    assert ring.run(b"discard", 0) == 0
    ring.emit(4, 2)

    assert [record[0] for record in reader.read()] == [1, 2]


@pytest.mark.kernel
def test_room_is_given_back_only_when_acknowledged(ring: Sample) -> None:
    """A ring whose records were read is as full as before; when they are acknowledged there is room again."""
    reader = ring.reader()
    written = 0
    while ring.run(b"emit", LONGEST, 1, 0) == 0:
        written += 1
    assert len(reader.read(capacity=RING, max_records=2_000)) == written
    assert ring.run(b"emit", LONGEST, 1, 0) < 0

    reader.acknowledge()
    assert ring.run(b"emit", LONGEST, 1, 0) == 0
    assert len(reader.read()) == 1


@pytest.mark.kernel
def test_second_reader_of_a_map(ring: Sample) -> None:
    """A second reader of the same map gets what the first did not acknowledge, and nothing else."""
    first = ring.reader()
    for stamp in (1, 2, 3):
        ring.emit(LONGEST, stamp, stamp)
    first.read(1)
    first.acknowledge()
    first.read(2)

    assert [record[0] for record in ring.reader().read()] == [2, 3]


@pytest.mark.kernel
def test_pending_counts_what_waits(ring: Sample) -> None:
    """The bytes that wait grow with each record, headers included, until they are acknowledged."""
    reader = ring.reader()
    assert reader.pending() == 0

    ring.emit(4, 1)
    reader.read()
    assert reader.pending() == 16

    reader.acknowledge()
    assert reader.pending() == 0


@pytest.mark.kernel
def test_descriptor_polls_readable(ring: Sample) -> None:
    """The map's descriptor is readable while records are not acknowledged, and only then."""
    reader, descriptor = ring.reader(), ring.map_fd(b"records")
    assert select.select([descriptor], [], [], 0)[0] == []

    ring.emit(4, 1)
    assert select.select([descriptor], [], [], 0)[0] == [descriptor]

    reader.read()
    reader.acknowledge()
    assert select.select([descriptor], [], [], 0)[0] == []


@pytest.mark.kernel
def test_map_of_another_size(ring: Sample) -> None:
    """A reader is refused for a size that the ring does not have."""
    assert ring.library.pyloader_ring__new(ring.map_fd(b"records"), 2 * RING) is None
    assert ctypes.get_errno() in {errno.EINVAL, errno.EPERM}


def test_descriptor_that_is_no_ring() -> None:
    """A reader is refused on a descriptor that cannot be mapped, with the system's reason."""
    library = bundled_library()
    read, write = os.pipe()
    assert library.pyloader_ring__new(read, RING) is None
    assert ctypes.get_errno() in {errno.ENODEV, errno.EACCES}
    os.close(read)
    os.close(write)
    assert library.pyloader_ring__new(-1, RING) is None
    assert ctypes.get_errno() == errno.EBADF


def test_free_takes_null() -> None:
    """Freeing nothing does nothing."""
    library = bundled_library()
    library.pyloader_ring__free(None)
    library.pyloader_perf__free(None)
