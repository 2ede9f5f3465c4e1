"""A recording to try pyloader on where it cannot load kernel programs."""

from importlib import resources
from pathlib import Path

SAMPLE = Path(str(resources.files("pyloader"))) / "samples" / "intrusion.rec"
"""Ordinary shell work, then a reverse shell and a download that is piped to a shell; made by tests/kernel."""
