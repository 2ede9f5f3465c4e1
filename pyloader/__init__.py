"""A Linux host threat sensor on eBPF.

Example:
    from pyloader import Sensor

    with Sensor(monitors=["process"]) as sensor:
        for assessment in sensor:
            for alert in assessment.alerts:
                print(alert.score, alert.domain, alert.summary)
"""

from pyloader.alerts import Alert, NetworkSubject, Severity, Subject
from pyloader.alerts.alert import Reason
from pyloader.errors import (
    BusyError,
    ClosedError,
    ForkedError,
    LoadError,
    NotPermittedError,
    PyloaderError,
    RecordingError,
    StateError,
    UnsupportedError,
    UsageError,
    WorkerError,
)
from pyloader.evidence import Evidence
from pyloader.host import Process
from pyloader.hub import ConsumerStats, Subscription, WhenFull
from pyloader.pipeline import Assessment, Hook, Summary, WorkerSummary
from pyloader.scorer import Baseline, Change, Label, Level, Similar
from pyloader.sensor import Sensor, Stats

__all__ = [
    "Alert",
    "Assessment",
    "Baseline",
    "BusyError",
    "Change",
    "ClosedError",
    "ConsumerStats",
    "Evidence",
    "ForkedError",
    "Hook",
    "Label",
    "Level",
    "LoadError",
    "NetworkSubject",
    "NotPermittedError",
    "Process",
    "PyloaderError",
    "Reason",
    "RecordingError",
    "Sensor",
    "Severity",
    "Similar",
    "StateError",
    "Stats",
    "Subject",
    "Subscription",
    "Summary",
    "UnsupportedError",
    "UsageError",
    "WhenFull",
    "WorkerError",
    "WorkerSummary",
]
