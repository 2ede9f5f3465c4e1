"""What a sensor is told by its users: a file, the environment and flags, in rising order of strength."""

from pyloader.config.keys import KEYS, Key
from pyloader.config.load import Configuration, given, load
from pyloader.config.redacted import redacted
from pyloader.config.settings import NatsSettings, OutputSettings, Settings
from pyloader.config.toml import plain, value_of, written

__all__ = [
    "KEYS",
    "Configuration",
    "Key",
    "NatsSettings",
    "OutputSettings",
    "Settings",
    "given",
    "load",
    "plain",
    "redacted",
    "value_of",
    "written",
]
