"""Learners of streams of dictionaries and of literals: bounded, repeatable, and fast enough for every event."""

from pyloader.learners.anomaly import AnomalyScorer
from pyloader.learners.literals import Features, literals
from pyloader.learners.logistic import LogisticRegression, sigmoid
from pyloader.learners.population import Response
from pyloader.learners.repertoire import Repertoire, reentry
from pyloader.learners.supervised import ConvexLearner, EnsembleLearner, PopulationLearner
from pyloader.learners.unit import Conjunction, Origin, UnitDescription

__all__ = [
    "AnomalyScorer",
    "Conjunction",
    "ConvexLearner",
    "EnsembleLearner",
    "Features",
    "LogisticRegression",
    "Origin",
    "PopulationLearner",
    "Repertoire",
    "Response",
    "UnitDescription",
    "literals",
    "reentry",
    "sigmoid",
]
