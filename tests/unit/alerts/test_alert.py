"""The classes of severity."""

import pytest

from pyloader.alerts import Severity, severity_of


@pytest.mark.parametrize(
    ("score", "severity"),
    [
        (0.0, Severity.LOW),
        (49.9, Severity.LOW),
        (50.0, Severity.MEDIUM),
        (61.9, Severity.MEDIUM),
        (62.0, Severity.HIGH),
        (79.9, Severity.HIGH),
        (80.0, Severity.CRITICAL),
        (100.0, Severity.CRITICAL),
    ],
)
def test_severity_of_a_score(score: float, severity: Severity) -> None:
    """Each class begins exactly at its score."""
    assert severity is severity_of(score)
