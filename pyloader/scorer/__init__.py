"""From evidence to a score: what is held against everyone, how rare that is on this host, and how alert the host is."""

from pyloader.scorer.calibration import Tail
from pyloader.scorer.episodes import Episode
from pyloader.scorer.journal import Journal, Label, Past, Similar
from pyloader.scorer.ledger import Counted, Ledger
from pyloader.scorer.posture import Change, Level, Posture
from pyloader.scorer.scale import CALM, in_words, nats_for, score, threshold_for
from pyloader.scorer.scorer import Baseline, Scorer, Turn, Verdict
from pyloader.scorer.signature import HEARD, Signature

__all__ = [
    "CALM",
    "HEARD",
    "Baseline",
    "Change",
    "Counted",
    "Episode",
    "Journal",
    "Label",
    "Ledger",
    "Level",
    "Past",
    "Posture",
    "Scorer",
    "Signature",
    "Similar",
    "Tail",
    "Turn",
    "Verdict",
    "in_words",
    "nats_for",
    "score",
    "threshold_for",
]
