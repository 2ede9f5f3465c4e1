"""Carry assessments from a sensor to a sink until the end."""

import time

from pyloader.cli.exits import Exit
from pyloader.errors import RecordingError
from pyloader.sensor import Sensor
from pyloader.sinks import Sink


def show(sensor: Sensor, sink: Sink, *, duration: float | None = None) -> Exit:
    """Show everything until the source ends or `duration` seconds are over.

    A recording that is damaged is shown up to the damage, with the summary of what was read.
    """
    deadline = None if duration is None else time.monotonic() + duration
    damage: RecordingError | None = None
    try:
        for batch in sensor.batches(_until(deadline)):
            sink.write(batch)
            if deadline is not None and time.monotonic() >= deadline:
                sensor.stop()
                deadline = None
    except RecordingError as error:
        damage = error
    sink.end(sensor.summary())
    if damage is not None:
        raise damage
    return Exit.DONE


def _until(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())
