"""What a consumer can ask for: functions from an assessment to what it holds of that kind."""

from collections.abc import Callable

from pyloader.alerts import Alert
from pyloader.pipeline import Assessment
from pyloader.records import KERNEL_RECORDS, EventLoss, NetworkTraffic, ProcessSeen, Record, tag_of
from pyloader.scorer import Change

__all__ = ["alerts", "assessments", "changes", "events_of"]

_OF_THE_SENSOR: dict[str, tuple[type[Record], ...]] = {"process": (ProcessSeen,), "network": (NetworkTraffic,)}
"""Records that the sensor adds to what the monitor of this name tells."""


def assessments(assessment: Assessment) -> tuple[Assessment, ...]:
    """Return every assessment."""
    return (assessment,)


def alerts(assessment: Assessment) -> tuple[Alert, ...]:
    """Return the alerts that a record raised."""
    return assessment.alerts


def changes(assessment: Assessment) -> tuple[Change, ...]:
    """Return the change of the host's posture that a record brought about."""
    return (assessment.posture,) if assessment.posture is not None else ()


def events_of(monitor: str) -> Callable[[Assessment], tuple[Assessment, ...]]:
    """Return a function for the assessments of what a monitor tells, and of the losses among it."""
    told = {kind for kind in KERNEL_RECORDS if kind.__module__ == f"pyloader.records.{monitor}"}
    tags = {tag_of(kind) for kind in told}
    kinds = told.union(_OF_THE_SENSOR.get(monitor, ()))

    def events(assessment: Assessment) -> tuple[Assessment, ...]:
        record = assessment.record
        if type(record) in kinds or (type(record) is EventLoss and record.lost in tags):
            return (assessment,)
        return ()

    events.__name__ = f"{monitor}_events"
    return events
