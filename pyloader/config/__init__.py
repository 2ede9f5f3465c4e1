"""What a sensor is told by its users: a file, the environment and flags, in rising order of strength."""

from pyloader.config.settings import NatsSettings, OutputSettings, Settings

__all__ = ["NatsSettings", "OutputSettings", "Settings"]
