"""Bounded state of the world: processes and their lineage, pipes, connections, sources of packets, containers."""

from pyloader.host.containers import ContainerTable
from pyloader.host.entity import Entity
from pyloader.host.flows import FlowTable
from pyloader.host.focus import Focus
from pyloader.host.lineage import Lineage
from pyloader.host.pipes import PipeTable
from pyloader.host.processes import Process, ProcessTable
from pyloader.host.sources import Activity, Source, SourceTable
from pyloader.host.state import Host

__all__ = [
    "Activity",
    "ContainerTable",
    "Entity",
    "FlowTable",
    "Focus",
    "Host",
    "Lineage",
    "PipeTable",
    "Process",
    "ProcessTable",
    "Source",
    "SourceTable",
]
