"""From a record and the state of the host to evidence: zero to three items per record."""

from pyloader.evidence.item import Evidence, Group
from pyloader.evidence.process import ProcessEvidence

__all__ = ["Evidence", "Group", "ProcessEvidence"]
