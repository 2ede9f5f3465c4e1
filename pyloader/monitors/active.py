"""A monitor at work, whoever loaded it: its records, and its counts."""

from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from pyloader.binding import PerCpuArray, Reader
from pyloader.monitors.ladder import Monitor, Rung
from pyloader.monitors.transport import Transport
from pyloader.records import KERNEL_RECORDS, tag_of


class Tally(NamedTuple):
    """What one CPU did with the records of one type (`struct tally` in bpf/deliver.bpf.h)."""

    written: int
    lost: int
    last_lost: int
    """Nanoseconds of the boot-time clock."""


class ActiveMonitor:
    """The base of monitors that this process loaded, of those that it found pinned, and of lanes of others.

    `rungs` tells for each hook which rung holds, `reader` takes the records out, and `others` copies of those that
    another worker judges.
    """

    monitor: Monitor
    rungs: dict[str, Rung]
    transport: Transport
    reader: Reader
    others: Reader | None = None

    def _count_with(self, tallies_fd: int, reported_fd: int) -> None:
        """Take the maps of the counts; the descriptors stay with their owner."""
        self._tallies = PerCpuArray(tallies_fd, width=len(Tally._fields))
        self._reported = PerCpuArray(reported_fd, width=1)

    def tallies(self) -> Iterator[tuple[int, list[Tally]]]:
        """Yield for each record type its tag and the tally of each CPU."""
        for tag in map(tag_of, KERNEL_RECORDS):
            yield tag, self._tallies_at(tag)

    def reported(self, tag: int) -> list[int]:
        """Return how many losses of a record type a reader has told so far, for each CPU."""
        return [count for (count,) in self._reported.read(self._index(tag))]

    def set_reported(self, tag: int, counts: list[int]) -> None:
        """Remember how many losses were told, for whoever reads next."""
        self._reported.write(self._index(tag), counts)

    def _tallies_at(self, tag: int) -> list[Tally]:
        return [Tally(*numbers) for numbers in self._tallies.read(self._index(tag))]

    def _index(self, tag: int) -> int:
        """Return where the counts of a record type stand."""
        return tag

    def map_fd(self, name: str) -> int | None:
        """Return the descriptor of a map, which belongs to the monitor, or `None` if there is no such map."""
        raise NotImplementedError

    def detach(self) -> None:
        """Observe no more, if the programs belong to this process; what is in the rings can still be read."""

    def close(self) -> None:
        """Give everything back that belongs to this process. Further calls do nothing."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
