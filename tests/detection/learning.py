"""A simulated day of learning: what a sensor knows that has watched this host for one day, and was restarted since.

The day is the first of a recording of benign days (`tests/calibration`). It is replayed under the name of an earlier
boot and ends a minute before now, so that only what outlives a boot is left of it: the baselines, the learners, the
tail of the calibration.
"""

import shutil
import time
from itertools import takewhile
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pyloader import Sensor
from pyloader.records.codec import encode
from pyloader.records.recording import RecordingReader, RecordingWriter

DAY: Final = 86_400 * 1_000_000_000
BEFORE: Final = 60 * 1_000_000_000
EARLIER_BOOT: Final = "11111111-2222-3333-4444-555555555555"


def learn(recording: Path, folder: Path) -> Path:
    """Let a sensor learn from the first day of a recording; return the folder of what it then knows."""
    state = folder / "learned"
    shutil.rmtree(state, ignore_errors=True)
    day = folder / "day.rec"
    first_day(recording, day)
    with Sensor.replay(day, state_dir=state) as sensor:
        for _ in sensor.batches():
            pass
    day.unlink()
    return state


def first_day(recording: Path, target: Path) -> None:
    """Write the first day of a recording as a recording of its own, which ends a minute ago."""
    reader = RecordingReader.open(recording)
    records = (one for batch in reader.batches() for one in batch if hasattr(one, "timestamp"))
    begin = next(records)
    day = [begin, *takewhile(lambda one: one.timestamp - begin.timestamp < DAY, records)]
    reader.close()
    offset = time.time_ns() - BEFORE - day[-1].timestamp
    writer = RecordingWriter(target, replace(reader.header, boot_id=EARLIER_BOOT, realtime_offset=offset))
    for one in day:
        writer.write(encode(one))
    writer.close()


def copied(state: Path, name: str) -> Path:
    """Return a copy of what is known, for a sensor that will learn more."""
    copy = state.with_name(name)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(state, copy)
    return copy
