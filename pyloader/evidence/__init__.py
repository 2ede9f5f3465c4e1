"""From a record and the state of the host to evidence: zero to three items per record."""

from pyloader.evidence.item import Evidence, Group

__all__ = ["Evidence", "Group"]
