"""What turns a minute of work into a day: the timetable, the map of time, and who belongs to the host."""

from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pyloader.records import CgroupSeen, ConnectionOpened, NetworkTraffic, ProcessExit, ProcessFork, ProcessSeen
from pyloader.records.codec import encode
from pyloader.records.recording import FORMAT_VERSION, Header, RecordingReader, RecordingWriter
from tests.calibration.schedule import DAY, timetable
from tests.calibration.stretch import (
    AFTER,
    IDLE,
    MONDAY,
    SECOND,
    Members,
    Stretcher,
    Unit,
    clock_of,
    stretch,
)

MS = 1_000_000
HEADER = Header(FORMAT_VERSION, "boot", "host", "6.18", "x86_64", 0)


def units(count: int, length: int = 100 * MS, pause: int = 15 * MS) -> list[Unit]:
    """Return units of one length, ten minutes apart by the timetable."""
    return [
        Unit(
            0,
            600.0 * number,
            "health",
            "cron",
            10**12 + number * (length + pause),
            10**12 + number * (length + pause) + length,
        )
        for number in range(count)
    ]


def fork(pid: int, start: int, cgroup: int, ppid: int = 1, parent_start: int = 0) -> ProcessFork:
    """Return the birth of a process."""
    return ProcessFork(start, pid, ppid, start, parent_start, 1, 0, cgroup, b"sh")


def test_a_timetable_repeats_itself_and_its_periods_hold() -> None:
    """The same seed gives the same day, in order, with a check of health every ten minutes, and days differ."""
    day = timetable(1, 3)

    assert day == timetable(1, 3)
    assert day != timetable(1, 4)
    assert [unit.at for unit in day] == sorted(unit.at for unit in day)
    assert [round(unit.at) // 600 for unit in day if unit.kind == "health"] == list(range(144))


@given(st.lists(st.integers(min_value=0, max_value=10**13), min_size=2))
def test_time_never_goes_back(times: list[int]) -> None:
    """The map of time keeps the order of all moments."""
    clock, _ = clock_of(units(20))

    assert [clock(time) for time in sorted(times)] == sorted(clock(time) for time in times)


def test_a_unit_runs_as_recorded_at_the_time_of_the_timetable() -> None:
    """Within a unit and for 10 ms after it time keeps its pace, and each begins when its day says."""
    done = units(5)
    clock, midnight = clock_of(done)

    for number, unit in enumerate(done):
        assert clock(unit.begin) == midnight + 600 * number * SECOND
        assert clock(unit.end + AFTER) - clock(unit.begin) == unit.end + AFTER - unit.begin


def test_a_life_through_pauses_becomes_as_long_as_it_would_be() -> None:
    """An interval that spans pauses is stretched with them."""
    done = units(5)
    clock, _ = clock_of(done)
    begin, end = done[0].begin, done[3].begin
    stretcher = Stretcher(clock)

    moved = stretcher.move(ProcessExit(end, 7, 1, begin, 0, 0, 0, 0, end - begin, b"d"))

    assert isinstance(moved, ProcessExit)
    assert moved.lifetime == 1_800 * SECOND == moved.timestamp - moved.start


def test_a_process_seen_again_keeps_its_start() -> None:
    """A start that /proc tells to the tick is moved like the exact one that was told before."""
    clock, _ = clock_of(units(5))
    stretcher = Stretcher(clock)
    start = 10**12 + 107 * MS + 3
    born = stretcher.move(fork(7, start, 5))

    seen = stretcher.move(ProcessSeen(10**12 + 300 * MS, 7, 1, start // (10 * MS) * 10 * MS, 1, 0, 5, b"d", b"", b""))

    assert isinstance(born, ProcessFork)
    assert isinstance(seen, ProcessSeen)
    assert 0 <= born.start - seen.start < 10 * MS


def test_only_the_host_is_kept() -> None:
    """Processes of the host's groups are kept, those of visitors, of others, and sockets of nobody are not."""
    members = Members()
    paths = {5: b"/pyloader-days/system.slice/nginx.service", 6: b"/pyloader-days/visitors", 7: b"/other"}
    for group, path in paths.items():
        members.learn(CgroupSeen(0, group, path))
    own, visitor, other = fork(10, 100, 5), fork(11, 200, 6, ppid=12, parent_start=150), fork(13, 300, 7)
    client = fork(12, 150, 5)
    for record in (own, client, visitor, other):
        members.learn(record)

    assert [members.keep(record) for record in (own, client, visitor, other)] == [True, False, False, False]
    assert members.keep(ProcessExit(900, 10, 1, 100, 0, 0, 0, 0, 800, b"sh"))
    address = bytes(16)
    for group, kept in ((5, True), (6, False), (0, False)):
        nobody = ConnectionOpened(1, 0, 0, 0, 0, group, 1, 2, 6, b"", 1, 1, 0, address, 80, address, 9, 0)
        assert members.keep(nobody) is kept


@dataclass
class _Traffic:
    timestamp: int

    def record(self) -> NetworkTraffic:
        return NetworkTraffic(self.timestamp, SECOND, bytes(512), b"\1" * 1024, 3, 1 << 23)


def test_slices_become_one_recording_that_replays(tmp_path: Path) -> None:
    """Slices and their units become a recording that begins at midnight, with idle seconds counted apart."""
    done = units(3, length=2 * SECOND)
    writer = RecordingWriter(tmp_path / "slice-000.rec", HEADER)
    writer.write(encode(CgroupSeen(done[0].begin, 5, b"/pyloader-days/system.slice/cron.service")))
    for number, unit in enumerate(done):
        writer.write(encode(fork(100 + number, unit.begin + MS, 5)))
        writer.write(encode(_Traffic(unit.begin + SECOND).record()))
    writer.close()
    lines = [
        f'{{"day": 0, "at": {unit.at}, "kind": "health", "way": "cron", "begin": {unit.begin}, "end": {unit.end}}}\n'
        for unit in done
    ]
    (tmp_path / "units-000.jsonl").write_text("".join(lines))

    came = stretch(tmp_path, tmp_path / "days.rec")

    reader = RecordingReader.open(tmp_path / "days.rec")
    records = [record for batch in reader.batches() for record in batch]
    reader.close()
    assert (came.days, came.records, came.idle, came.lost) == (1, 7, 2 * IDLE, 0)
    assert [record.timestamp for record in records] == sorted(record.timestamp for record in records)
    forks = [record for record in records if isinstance(record, ProcessFork)]
    dates = [record.timestamp + reader.header.realtime_offset - MONDAY for record in forks]
    assert dates == [600 * number * SECOND + MS for number in range(3)]
    assert all(date < DAY * SECOND for date in dates)
    assert records[0] == CgroupSeen(records[0].timestamp, 5, b"/system.slice/cron.service")
