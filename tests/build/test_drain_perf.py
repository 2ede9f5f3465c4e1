"""The drain of perf buffers, on those of this kernel that a program writes to, one for each CPU."""

import ctypes
import errno
import os
import select
from collections.abc import Iterator

import pytest

from tests.build.draining import LONGEST, PAGE, Perf, Sample


@pytest.fixture(name="perf")
def _perf(ring: Sample) -> Iterator[Perf]:
    """Return a reader of the sample's perf buffer."""
    perf = Perf(ring)
    yield perf
    perf.close()


@pytest.mark.kernel
def test_padding_is_taken_off(ring: Sample, perf: Perf) -> None:
    """Perf pads samples; what comes back is each record in its own length and in order."""
    lengths = (1, 7, 8, 9, 0, 33, 64)
    cpu = min(os.sched_getaffinity(0))
    for fill, length in enumerate(lengths):
        assert ring.emit_sample(length, fill, cpu=cpu) == 0

    assert perf.drained() == [bytes([fill]) * length for fill, length in enumerate(lengths)]
    assert perf.drained() == []


@pytest.mark.kernel
def test_length_that_is_a_lie(ring: Sample, perf: Perf) -> None:
    """A sample that claims more than it holds goes on as it is, with all its bytes and none beyond."""
    cpu = min(os.sched_getaffinity(0))
    assert ring.emit_sample(8, 0x61, claimed=4_000, cpu=cpu) == 0
    assert ring.emit_sample(8, 0x62, claimed=4, cpu=cpu) == 0
    first, second = perf.drained()

    assert first.startswith((4_000).to_bytes(4, "little") + b"a" * 8)
    assert len(first) <= 8 + 4 + 8
    assert second == b"bbbb"


@pytest.mark.kernel
def test_all_cpus_are_read(ring: Sample, perf: Perf) -> None:
    """What was written on any CPU comes back, those of one CPU in order."""
    cpus = sorted(os.sched_getaffinity(0))
    for number in range(10):
        for cpu in cpus:
            assert ring.emit_sample(10, 16 * (cpu % 16) + number, cpu=cpu) == 0
    records = perf.drained()

    assert len(records) == 10 * len(cpus)
    for cpu in cpus:
        own = [record[0] % 16 for record in records if record[0] // 16 == cpu % 16]
        assert own == list(range(10)) or len(cpus) > 16


@pytest.mark.kernel
def test_buffer_without_room_is_left(ring: Sample, perf: Perf) -> None:
    """Where not all that a CPU may hold has room, nothing is taken, and the reader says that there is more."""
    cpu = min(os.sched_getaffinity(0))
    assert ring.emit_sample(10, 1, cpu=cpu) == 0

    assert perf.fill(capacity=perf.bytes_per_cpu - 1) == ([], 1)
    assert perf.fill(max_records=perf.bytes_per_cpu // 16 - 1) == ([], 1)
    assert perf.drained() == [b"\1" * 10]


@pytest.mark.kernel
def test_next_read_goes_on_with_the_next_cpu(ring: Sample, perf: Perf) -> None:
    """Reads with room for one CPU each come to every CPU, however much the first ones hold."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("this host has one CPU")
    seen = set()
    for _ in range(4 * (os.cpu_count() or 1)):
        for cpu in cpus:
            ring.emit_sample(LONGEST, cpu % 256, cpu=cpu)
        seen |= {record[0] for record in perf.fill()[0]}

    assert seen == {cpu % 256 for cpu in cpus}


@pytest.mark.kernel
def test_full_perf_buffer_refuses(ring: Sample, perf: Perf) -> None:
    """A full buffer refuses further samples with an error, which the programs count, and holds what it has."""
    cpu = min(os.sched_getaffinity(0))
    written = 0
    while ring.emit_sample(LONGEST, written % 256, cpu=cpu) == 0:
        written += 1
        assert written < 10_000

    assert [record[0] for record in perf.drained()] == [number % 256 for number in range(written)]
    assert ring.emit_sample(LONGEST, 1, cpu=cpu) == 0


@pytest.mark.kernel
def test_perf_descriptor_polls_readable(ring: Sample, perf: Perf) -> None:
    """The descriptor is readable when a sample was written, and not after it was read."""
    assert select.select([perf.descriptor()], [], [], 0)[0] == []
    ring.emit_sample(10, 1)
    assert select.select([perf.descriptor()], [], [], 1)[0] == [perf.descriptor()]

    perf.drained()
    assert select.select([perf.descriptor()], [], [], 0)[0] == []


@pytest.mark.kernel
@pytest.mark.parametrize("bytes_per_cpu", [0, 3 * PAGE])
def test_size_that_perf_refuses(ring: Sample, bytes_per_cpu: int) -> None:
    """A size that is no power of two of pages is refused."""
    assert ring.library.pyloader_perf__new(ring.map_fd(b"samples"), bytes_per_cpu) is None
    assert ctypes.get_errno() == errno.EINVAL
