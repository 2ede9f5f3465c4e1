"""One voice in the verdict.

Evidence is told in nats: the natural logarithm of how much more often this is seen in attacks than in ordinary work.
Items of one group depend on each other and are not simply added; the six groups are taken as independent
(see `pyloader.scorer`).
"""

from enum import IntEnum
from typing import Final

import msgspec

from pyloader.host.entity import Entity


class Group(IntEnum):
    """What kind of observation an item rests on."""

    INBOUND = 0
    OUTBOUND = 1
    PROCESS = 2
    CREDENTIALS = 3
    MEMORY = 4
    SEQUENCE = 5


class Evidence(msgspec.Struct, frozen=True):
    """One observation that speaks for or against an attack.

    `code` names the kind of observation and is stable, `nats` its weight, `text` says it in one sentence without a
    full stop, `technique` is the MITRE ATT&CK id or empty. `entity` is whom it is about, which is not always the
    process of the record: a pipe may show late who reads from it. `floor` is the lowest score (0-100) for an
    invariant, which no other evidence can talk away; 0 for ordinary items. `context` finds the baseline again that
    weighed it: the table, what was counted, and what was rare in it; empty if no baseline did.
    """

    code: str
    group: Group
    nats: float
    text: str
    technique: str
    entity: Entity
    floor: int = 0
    context: tuple[str, ...] = ()


NOTHING: Final[tuple[Evidence, ...]] = ()
