"""A sensor goes on where the last one ended."""

import io
import logging
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from pyloader import Sensor
from pyloader.engine import InProcess
from pyloader.errors import BusyError, StateError
from pyloader.pipeline import PARTS, Pipeline
from pyloader.records import AnyRecord
from pyloader.sinks import JsonSink
from pyloader.state import Classes, save
from pyloader.state.keeper import Keeper
from pyloader.state.schedule import INTERVAL_NS
from pyloader.state.store import LAST, PREVIOUS
from pyloader.testing import FakeSource
from tests.unit.examples import HEADER, exec_record, fork_record, recording
from tests.unit.state.story import story

OTHER_BOOT = replace(
    HEADER, boot_id="00000000-7f32-4c0c-a5f4-1b1ad0eac4ba", realtime_offset=HEADER.realtime_offset + 10**15
)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def _shown(folder: Path | None, *batches: list[AnyRecord]) -> bytes:
    """Return what a sensor shows of records, with its summary."""
    output = io.BytesIO()
    sink = JsonSink(output, events=True)
    with Sensor(source=FakeSource(*batches), state_dir=folder) as sensor:
        for batch in sensor.batches():
            sink.write(batch)
        sink.end(sensor.summary())
    return output.getvalue()


@pytest.mark.parametrize("cut", [1, 500, 1_500])
def test_two_runs_are_a_whole(folder: Path, cut: int) -> None:
    """Two sensors of one boot that run after each other show what one would have shown."""
    first, second = story()[:cut], story()[cut:]
    shown = _shown(folder, first).splitlines()[:-1] + _shown(folder, second).splitlines()

    assert shown == _shown(None, first, second).splitlines()


def test_another_boot_knows_what_was_learned() -> None:
    """After a reboot the sensor has what was learned, and nothing of what was alive."""
    before, after = Pipeline(HEADER), Pipeline(OTHER_BOOT)
    before.assess_all(story())

    assert after.restore(before.save(), same_boot=False) == {}
    assert after.summary().records == {}
    assert len(after.host.processes) == 0
    assert _saved(after.learned()) == _saved(before.learned()) != _saved(Pipeline(HEADER).learned())


def test_the_boot_decides_what_comes_back(folder: Path) -> None:
    """A sensor finds out by itself whether what it knows is of this boot."""
    _shown(folder, [exec_record()])
    source = FakeSource([])
    source.header = OTHER_BOOT
    with Sensor(source=source, state_dir=folder) as sensor:
        assert sensor.summary().records == {}


def _saved(learned: dict[str, object]) -> bytes:
    return save(learned, Classes(PARTS))


def test_what_is_learned_refers_to_nothing_alive() -> None:
    """What outlives a boot holds no process, no source of packets, and nothing else of the host's tables."""
    pipeline = Pipeline(HEADER)
    pipeline.assess_all(story())

    assert b"pyloader.host" not in _saved(pipeline.learned())
    assert b"pyloader.host.processes:Process" in pipeline.save()


def test_damaged_state_is_told_and_replaced(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged snapshot is told of, and the one before it is used."""
    _shown(folder, [exec_record()])
    _shown(folder, [fork_record()])
    (folder / LAST).write_bytes(b"no snapshot")
    with Sensor.replay(recording(), state_dir=folder) as sensor:
        assert sensor.summary().records == {"process_exec": 1}

    assert [record.getMessage() for record in caplog.records] == [
        f"cannot use {folder / LAST}: it is no snapshot, or it is damaged; it is kept as snapshot.damaged-1"
    ]


def test_snapshot_without_sense_is_set_aside(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A snapshot that is whole, but of which this version can make nothing, is as good as damaged."""

    class Nonsense:
        def save(self) -> bytes:
            return b"nonsense"

        def restore(self, saved: bytes, *, same_boot: bool) -> dict[str, int]:
            raise NotImplementedError

    _shown(folder, [exec_record()])
    keeper = Keeper(folder, boot_id=HEADER.boot_id, realtime_offset=0)
    keeper.keep(Nonsense())
    keeper.close()
    with Sensor.replay(recording(), state_dir=folder) as sensor:
        assert sensor.summary().records == {"process_exec": 1}

    assert "snapshot.damaged-1" in caplog.text
    assert (folder / "snapshot.damaged-1").exists()


def test_state_that_cannot_be_saved_is_told_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be saved is a mistake of ours: it is told once, counted, and ends nothing."""

    class Unfit:
        def save(self) -> bytes:
            message = "an object of builtins.object cannot be saved"
            raise StateError(message)

        def restore(self, saved: bytes, *, same_boot: bool) -> dict[str, int]:
            raise NotImplementedError

    keeper = Keeper(folder, boot_id="", realtime_offset=0)
    keeper.keep(Unfit())
    keeper.keep(Unfit())
    keeper.close()

    assert keeper.failures == 2
    assert caplog.text.count("please report this") == 1


def test_folder_in_use(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A folder that another sensor uses is an error, unless the sensor can do without; then it is told."""
    source = FakeSource([exec_record()])
    with Sensor.replay(recording(), state_dir=folder):
        with pytest.raises(BusyError), Sensor(source=source, state_dir=folder):
            pytest.fail("two sensors have one state")
        assert source.asked == ["start", "close"]
        with Sensor(source=FakeSource([exec_record()]), state_dir=folder, needs_state=False) as second:
            assert [one.record for one in second] == [exec_record()]

    assert "what is learned now will not be kept: the sensor with pid" in caplog.text


def test_nothing_is_kept_of_half_a_batch(folder: Path) -> None:
    """If assessing fails in the middle, the state before it stays."""
    _shown(folder, [exec_record()])
    broken: list[AnyRecord] = [fork_record(), None]  # type: ignore[list-item]
    with suppress(AttributeError), Sensor(source=FakeSource(broken), state_dir=folder) as sensor:
        list(sensor)
    with Sensor.replay(recording(), state_dir=folder) as sensor:
        summary = sensor.summary()

    assert summary.records == {"process_exec": 1}


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list whose only member is the time (ns) by the clock of the keeper."""
    now = [0]
    monkeypatch.setattr("pyloader.state.keeper.time.monotonic_ns", lambda: now[0])
    return now


def test_a_snapshot_a_minute(folder: Path, clock: list[int]) -> None:
    """While the sensor runs it takes a snapshot every minute, and waits no longer than that for something to happen."""
    source = FakeSource([exec_record()], [fork_record()], [], [])
    with Sensor(source=source, state_dir=folder) as sensor:
        found = []
        for _ in sensor.batches():
            clock[0] += INTERVAL_NS // 2
            found.append(((folder / LAST).exists(), (folder / PREVIOUS).exists()))

    assert found == [(False, False), (False, False), (True, False), (True, False)]
    assert (folder / PREVIOUS).exists()
    assert set(source.timeouts) == {60.0}


def test_log_is_quiet(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As long as nothing is wrong nothing is said."""
    with caplog.at_level(logging.DEBUG):
        _shown(folder, [exec_record()])
        _shown(folder, [fork_record()])

    assert caplog.records == []


def test_state_that_makes_the_sensor_fail_is_given_up(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing can be judged with what was brought back, it is set aside, and the sensor begins anew."""
    with Sensor(source=FakeSource([exec_record()]), state_dir=folder) as sensor:
        list(sensor)
        engine = sensor._engine  # noqa: SLF001 -- nothing else can break what is kept.
        assert isinstance(engine, InProcess)
        engine.pipeline.host.processes._live = {100: "what another version kept"}  # type: ignore[dict-item]  # noqa: SLF001
    with Sensor(source=FakeSource([exec_record()] * 40, [exec_record()]), state_dir=folder) as sensor:
        found = list(sensor)

    assert [one.process is None for one in found] == [True] * 40 + [False]
    assert "learning begins anew" in caplog.text
    assert any(one.name.startswith("snapshot.damaged") for one in folder.iterdir())


def test_values_of_another_sort_are_not_taken_over() -> None:
    """What another version kept under the same name, but of another sort, is counted and left out."""
    before, after = Pipeline(HEADER), Pipeline(HEADER)
    tail = before._scorer.tail  # noqa: SLF001
    tail._seconds = [1.0, 2.0]  # type: ignore[assignment]  # noqa: SLF001

    assert after.restore(before.save(), same_boot=True) == {"pyloader.scorer.calibration:Tail._seconds": 1}
    assert after._scorer.tail._seconds == 0.0  # noqa: SLF001
