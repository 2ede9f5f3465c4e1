"""A Linux host threat sensor on eBPF.

Example:
    from pyloader import Sensor

    with Sensor(monitors=["process"]) as sensor:
        for assessment in sensor:
            for alert in assessment.alerts:
                print(alert.score, alert.domain, alert.summary)
"""

from pyloader.alerts import Alert, NetworkSubject, Severity, Subject
from pyloader.errors import (
    ClosedError,
    LoadError,
    NotPermittedError,
    PyloaderError,
    RecordingError,
    UnsupportedError,
)
from pyloader.evidence import Evidence
from pyloader.pipeline import Assessment, Summary
from pyloader.sensor import Sensor

__all__ = [
    "Alert",
    "Assessment",
    "ClosedError",
    "Evidence",
    "LoadError",
    "NetworkSubject",
    "NotPermittedError",
    "PyloaderError",
    "RecordingError",
    "Sensor",
    "Severity",
    "Subject",
    "Summary",
    "UnsupportedError",
]
