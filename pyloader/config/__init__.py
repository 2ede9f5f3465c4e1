"""What a sensor is told by its users: a file, the environment and flags, in rising order of strength."""

from pyloader.config.keys import KEYS, Key
from pyloader.config.redacted import redacted
from pyloader.config.settings import NatsSettings, OutputSettings, Settings

__all__ = ["KEYS", "Key", "NatsSettings", "OutputSettings", "Settings", "redacted"]
