"""From evidence to a score: the ledger of each process, and the scale from 0 to 100."""

from pyloader.scorer.ledger import Ledger
from pyloader.scorer.scale import nats_for, score
from pyloader.scorer.scorer import Scorer, Verdict

__all__ = ["Ledger", "Scorer", "Verdict", "nats_for", "score"]
