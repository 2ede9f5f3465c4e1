"""From a record and the state of the host to evidence: zero to three items per record, process and domain."""

from pyloader.evidence.item import Evidence, Group
from pyloader.evidence.stage import EvidenceStage

__all__ = ["Evidence", "EvidenceStage", "Group"]
