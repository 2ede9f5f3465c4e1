"""Alerts: what they say, and when one is raised."""

from pyloader.alerts.alert import Alert, NetworkSubject, Severity, Subject, severity_of
from pyloader.alerts.policy import AlertPolicy

__all__ = ["Alert", "AlertPolicy", "NetworkSubject", "Severity", "Subject", "severity_of"]
