"""By what somebody is known again: for what an analyst said of it, and for what it did before."""

from typing import Final

from pyloader.evidence import Evidence
from pyloader.host import Activity, Entity, Process
from pyloader.scorer.feedback import Circumstance

_OF_THE_SYSTEM: Final = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/snap/")


def who_of(entity: Entity) -> tuple[str, str]:
    """Return the program of a process and the one that started it, or a source of packets and nothing."""
    if isinstance(entity, Process):
        return entity.exe or entity.comm, entity.parent.exe if entity.parent is not None else ""
    return scar_of(entity), ""


def circumstance_of(item: Evidence) -> Circumstance:
    """Return in which circumstances an item was found."""
    return (item.code, *who_of(item.entity))


def scar_of(entity: Entity) -> str:
    """Return by what an attacker is known again: the source, or a program that no system brings; else nothing."""
    if isinstance(entity, Activity):
        return str(entity.source) if entity.source is not None else ""
    exe = entity.exe if isinstance(entity, Process) else ""
    return "" if exe.startswith(_OF_THE_SYSTEM) else exe
