"""Real workers, which read recordings, and the parent that joins them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pyloader import Assessment, Sensor
from pyloader.errors import BusyError, UsageError, WorkerError
from pyloader.pipeline import Pipeline, Summary
from pyloader.records import AnalystLabel, AnyRecord, WorkerGap
from pyloader.scorer import Label
from pyloader.testing import HEADER, FakeSource
from pyloader.workers.pool import Pool
from tests.lanes import WORKER, RecordedLanes, shared_out
from tests.unit.workers.story import ATTACKED, story

ROOT = Path(__file__).parents[3]


def _pool(
    folder: Path,
    records: list[AnyRecord],
    *,
    lanes: int = 4,
    hold: bool = False,
    everything: bool = False,
    state: Path | None = None,
    silence: float = 30.0,
) -> Pool:
    """Return workers that read these records; with `hold` they go on after the end."""
    if hold:
        (folder / "hold").touch()
    source = RecordedLanes(folder, HEADER, shared_out(records, lanes))
    return Pool(source, min_score=50.0, command=WORKER, everything=everything, state=state, silence=silence)


def _pids(pool: Pool) -> list[int]:
    """Return the ids of the workers."""
    return [place.pid for place in pool._places if place.pid]  # noqa: SLF001 -- whom to kill.


def _until(sensor: Sensor, done: Callable[[list[Assessment]], bool], patience: float = 30.0) -> list[Assessment]:
    """Return what is told until something holds of it."""
    seen: list[Assessment] = []
    deadline = time.monotonic() + patience
    for batch in sensor.batches(0.05):
        seen += batch
        if done(seen):
            return seen
        assert time.monotonic() < deadline, sensor.summary()
    pytest.fail("the sensor ended")


def _total(summary: Summary) -> int:
    return sum(summary.records.values())


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait(done: Callable[[], bool], patience: float = 20.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("lanes", [2, 4])
def test_alerts_and_counts_are_those_of_one_process(tmp_path: Path, lanes: int) -> None:
    """Workers raise the alerts that one pipeline raises of the same records, and their counts add up to its counts."""
    records = story()
    alone = Pipeline(HEADER)
    expected = sorted(alert.id for record in records for alert in alone.assess(record).alerts)

    with Sensor(source=_pool(tmp_path, records, lanes=lanes)) as sensor:
        told = list(sensor)
        summary = sensor.summary()

    assert len(expected) == len(ATTACKED)
    assert sorted(alert.id for one in told for alert in one.alerts) == expected
    assert summary.records == alone.summary().records
    assert (summary.alerts, summary.posture) == (len(ATTACKED), alone.summary().posture)
    assert [one.worker for one in summary.workers] == list(range(lanes))
    assert sum(one.records for one in summary.workers) == len(records)


def test_only_what_matters_is_told(tmp_path: Path) -> None:
    """Unless all are wanted, only assessments with an alert or a change of posture leave their worker."""
    with Sensor(source=_pool(tmp_path, story())) as sensor:
        told = list(sensor)

    assert told
    assert all(one.alerts or one.posture is not None for one in told)


def test_everything_is_told_if_it_is_wanted(tmp_path: Path) -> None:
    """Every record is told, once, with the alerts, by time as far as it was there at once."""
    records = story()
    with Sensor(source=_pool(tmp_path, records, everything=True)) as sensor:
        told = list(sensor)

    assert sorted((one.record.timestamp, type(one.record).__name__) for one in told) == sorted(
        (record.timestamp, type(record).__name__) for record in records
    )
    assert sum(len(one.alerts) for one in told) == len(ATTACKED)


def test_posture_is_one(tmp_path: Path) -> None:
    """The posture rises once for all workers, and who asks is told that of the host."""
    with Sensor(source=_pool(tmp_path, story())) as sensor:
        changes = [one.posture for one in sensor if one.posture is not None]

        assert [change.level for change in changes] == sorted({change.level for change in changes})
        assert sensor.summary().posture == changes[-1].level.name.lower()


def test_killed_worker_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that is killed is replaced; the gap stands in the stream and in the summary, and is logged once."""
    pool = _pool(tmp_path, story(), hold=True)
    with Sensor(source=pool) as sensor:
        _until(sensor, lambda _: _total(sensor.summary()) == len(story()))
        before = _pids(pool)
        os.kill(before[2], signal.SIGKILL)
        seen = _until(sensor, lambda told: any(isinstance(one.record, WorkerGap) for one in told))
        after = _pids(pool)
        sensor.stop()
        list(sensor)
        summary = sensor.summary()

    [gap] = [one.record for one in seen if isinstance(one.record, WorkerGap)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False, True]
    assert gap.worker == 2
    assert gap.since == 0
    assert gap.count > 0
    assert [one.restarts for one in summary.workers] == [0, 0, 1, 0]
    assert [one.gap for one in summary.workers] == [0, 0, gap.count, 0]
    assert summary.records["worker_gap"] == 1
    assert caplog.text.count("worker 2 has ended: it was killed by signal 9") == 1


def test_worker_that_fails_again_and_again_is_never_given_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that fails at the same record each time is tried again, and disturbs no other."""
    pool = _pool(tmp_path, story(), hold=True)
    with Sensor(source=pool) as sensor:
        (tmp_path / "fail").touch()
        pid = _pids(pool)[1]
        os.kill(pid, signal.SIGKILL)
        _until(sensor, lambda _: sensor.summary().workers[1].restarts >= 3)
        assert [one.restarts for one in sensor.summary().workers if one.worker != 1] == [0, 0, 0]
        (tmp_path / "fail").unlink()
        _until(sensor, lambda _: len(_pids(pool)) == 4)

    assert "the recording is over" in caplog.text


def test_stopped_worker_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that does not answer is ended and replaced."""
    pool = _pool(tmp_path, story(), hold=True, silence=2.0)
    with Sensor(source=pool) as sensor:
        pid = _pids(pool)[0]
        os.kill(pid, signal.SIGSTOP)
        _until(sensor, lambda _: sensor.summary().workers[0].restarts == 1)
        assert not _is_alive(pid)

    assert "it was silent for 2 seconds" in caplog.text


def test_nobody_is_left_when_the_sensor_is_closed(tmp_path: Path) -> None:
    """Workers end with their sensor, whether it was read to the end or not."""
    pool = _pool(tmp_path, story(), hold=True)
    with Sensor(source=pool):
        pids = _pids(pool)
        assert len(pids) == 4
        assert all(map(_is_alive, pids))

    assert not any(map(_is_alive, pids))


_PARENT = """
import sys
sys.path.append({root!r})
from pathlib import Path
from pyloader import Sensor
from tests.unit.workers import test_pool
pool = test_pool._pool(Path({folder!r}), test_pool.story(), hold=True)
with Sensor(source=pool) as sensor:
    print(*test_pool._pids(pool), flush=True)
    for _ in sensor.batches(1.0):
        pass
"""


@contextmanager
def _parent(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """Start a process with a sensor, and give it with the ids of its workers."""
    program = _PARENT.format(root=str(ROOT), folder=str(folder))
    with subprocess.Popen([sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        yield parent, [int(pid) for pid in parent.stdout.readline().split()]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nobody_is_left_when_the_parent_dies(tmp_path: Path, number: signal.Signals) -> None:
    """However a parent ends, its workers end as well."""
    with _parent(tmp_path) as (parent, pids):
        assert len(pids) == 4
        assert all(map(_is_alive, pids))
        parent.send_signal(number)

    _wait(lambda: not any(map(_is_alive, pids)))


def test_signals_of_the_terminal_are_for_the_parent(tmp_path: Path) -> None:
    """What a terminal or a service manager sends to all processes ends no worker: its parent says when to end."""
    pool = _pool(tmp_path, story(), hold=True)
    with Sensor(source=pool) as sensor:
        _until(sensor, lambda _: _total(sensor.summary()) == len(story()))
        for pid in _pids(pool):
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
        sensor.stop()
        list(sensor)

        assert [one.restarts for one in sensor.summary().workers] == [0] * 4
        assert _total(sensor.summary()) == len(story())


def test_label_is_answered_once(tmp_path: Path) -> None:
    """What an analyst says of an alert is answered by the worker that raised it, and by no other."""
    pool = _pool(tmp_path, story(), hold=True)
    with Sensor(source=pool) as sensor:
        seen = _until(sensor, lambda told: sum(len(one.alerts) for one in told) == len(ATTACKED))
        ids = [alert.id for one in seen for alert in one.alerts]
        for one in ids:
            sensor.feedback(one, Label.BENIGN)
        sensor.feedback("unheard", Label.BENIGN)
        answered = _until(sensor, lambda told: sum(bool(one.answer) for one in told) == 3)
        sensor.stop()
        answered += list(sensor)
        summary = sensor.summary()

    answers = sorted(one.answer for one in answered if isinstance(one.record, AnalystLabel))
    assert len(answers) == 3
    assert answers[2] == "no alert unheard is remembered"
    assert all("benign from now on" in answer for answer in answers[:2])
    assert summary.labels == {"benign": 2, "unknown alert": 1}


def test_slow_reader_stalls_no_worker(tmp_path: Path) -> None:
    """While nobody reads, workers go on to the end; all alerts are there afterwards."""
    records = story(60)
    pool = _pool(tmp_path, records, everything=True, hold=True)
    with Sensor(source=pool) as sensor:
        _wait(lambda: all(_is_idle(pid) for pid in _pids(pool)))
        seen = _until(sensor, lambda _: _total(sensor.summary()) == len(records))
        assert sum(len(one.alerts) for one in seen) == len(ATTACKED)


def _is_idle(pid: int) -> bool:
    """Return whether a process sleeps, as it did a moment ago."""
    before = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    time.sleep(0.2)
    after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return after[0] == "S" and before[11:13] == after[11:13]


def test_worker_goes_on_from_its_snapshot(tmp_path: Path) -> None:
    """A sensor that starts again with as many workers goes on: what was open is open, and what was learned is known."""
    state, folder = tmp_path / "state", tmp_path / "records"
    folder.mkdir()
    first, second = _halves(story())
    with Sensor(source=_pool(folder, first, state=state, hold=True)) as sensor:
        seen = _until(sensor, lambda _: _total(sensor.summary()) == len(first))
        before = [alert.id for one in seen for alert in one.alerts]
    with Sensor(source=_pool(folder, second, state=state, hold=True)) as sensor:
        seen = _until(sensor, lambda _: _total(sensor.summary()) == len(second))
        after = [alert.id for one in seen for alert in one.alerts]
        summary = sensor.summary()
    alone = Pipeline(HEADER)
    expected = [alert.id for record in story() for alert in alone.assess(record).alerts]

    assert sorted(before + after) == sorted(expected)
    assert summary.posture == alone.summary().posture


def _halves(records: list[AnyRecord]) -> tuple[list[AnyRecord], list[AnyRecord]]:
    """Return the attacks with what came before them, and what came after."""
    middle = 2 * len(records) // 3
    return records[:middle], records[middle:]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_another_number_of_workers_knows_what_was_learned(tmp_path: Path, workers: int) -> None:
    """What analysts have taught three workers is known to any other number of them, and to a sensor without any."""
    state, folder = tmp_path / "state", tmp_path / "records"
    folder.mkdir()
    pool = _pool(folder, story(), lanes=3, state=state, hold=True)
    with Sensor(source=pool) as sensor:
        seen = _until(sensor, lambda told: sum(len(one.alerts) for one in told) == len(ATTACKED))
        [one, _] = [alert.id for one in seen for alert in one.alerts]
        sensor.feedback(one, Label.BENIGN)
        _until(sensor, lambda told: any(one.answer for one in told))
    (folder / "hold").unlink()
    again = AnalystLabel(100, int(Label.BENIGN), one.encode(), b"")

    if workers == 1:
        with Sensor(source=FakeSource([again]), state_dir=state) as sensor:
            answers = [one.answer for one in sensor]
    else:
        pool = _pool(folder, [], lanes=workers, state=state, hold=True)
        with Sensor(source=pool) as sensor:
            pool.add([again])
            answers = [one.answer for one in _until(sensor, bool)]

    assert len(answers) == 1
    assert "benign until now, benign from now on" in answers[0]


def test_folder_of_the_state_is_for_one_sensor(tmp_path: Path) -> None:
    """A second sensor with the same folder is told that another has it."""
    state = tmp_path / "state"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with (
        Sensor(source=_pool(tmp_path / "one", story(), hold=True, state=state)),
        pytest.raises(BusyError),
        Sensor(source=_pool(tmp_path / "two", story(), state=state)),
    ):
        pytest.fail("two sensors share a folder")


def test_two_sensors_with_workers_are_independent(tmp_path: Path) -> None:
    """Two sensors in one process have their own workers, records and counts."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    long, short = _pool(tmp_path / "one", story(), lanes=2), _pool(tmp_path / "two", story(6, ()), lanes=3)
    with Sensor(source=long) as one, Sensor(source=short) as two:
        list(two)
        list(one)

        assert _total(one.summary()) == len(story())
        assert _total(two.summary()) == len(story(6, ()))


def test_worker_that_cannot_begin_is_an_error(tmp_path: Path) -> None:
    """Where a worker cannot even begin, entering the context says so, and leaves nothing behind."""
    source = RecordedLanes(tmp_path, HEADER, shared_out(story(), 2))
    pool = Pool(source, min_score=50.0, command=[sys.executable, "-P", "-c", "raise SystemExit(3)"])

    with pytest.raises(WorkerError, match="could not begin"), Sensor(source=pool):
        pytest.fail("the context was entered")

    assert source.asked == ["start", "close"]


def test_error_of_a_worker_at_its_beginning_is_that_of_the_sensor(tmp_path: Path) -> None:
    """What keeps a worker from beginning is raised with its own text."""
    source = RecordedLanes(tmp_path, HEADER, shared_out(story(), 2))
    (tmp_path / "lane-1.rec").write_bytes(b"no recording")

    with (
        pytest.raises(Exception, match="is not a pyloader recording"),
        Sensor(source=Pool(source, min_score=50.0, command=WORKER)),
    ):
        pytest.fail("the context was entered")


def test_workers_are_for_this_kernel() -> None:
    """Workers share out what the kernel tells; with another source, none or less they are refused."""
    for arguments in ({"workers": 2, "source": FakeSource([])}, {"workers": 0}, {"workers": 2, "record_to": Path("x")}):
        with pytest.raises(UsageError):
            Sensor(**arguments)
