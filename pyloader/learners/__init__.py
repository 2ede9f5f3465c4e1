"""Learners of streams of dictionaries and of literals: bounded, repeatable, and fast enough for every event."""

from pyloader.learners.population import Response
from pyloader.learners.repertoire import Repertoire, reentry
from pyloader.learners.unit import Conjunction, Origin, UnitDescription

__all__ = ["Conjunction", "Origin", "Repertoire", "Response", "UnitDescription", "reentry"]
