"""Where records come from: the kernel, or a recording."""

from pyloader.sources.live import KernelSource
from pyloader.sources.replay import ReplaySource
from pyloader.sources.source import Source

__all__ = ["KernelSource", "ReplaySource", "Source"]
