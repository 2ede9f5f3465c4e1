"""Where assessments go: text for people, JSON lines for programs."""

from pyloader.sinks.jsonlines import JsonSink
from pyloader.sinks.sink import Sink
from pyloader.sinks.textual import TextSink

__all__ = ["JsonSink", "Sink", "TextSink"]
