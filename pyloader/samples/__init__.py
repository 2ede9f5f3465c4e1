"""A recording to try pyloader on where it cannot load kernel programs."""

from pathlib import Path

SAMPLE = Path(__file__).with_name("intrusion.rec")
"""Ordinary shell work, then a reverse shell and a download that is piped to a shell; made by tests/kernel."""
