"""Bounded state of the world: processes and their lineage, pipes between them, connections, containers."""

from pyloader.host.containers import ContainerTable
from pyloader.host.flows import Ends, Flow, FlowTable
from pyloader.host.pipes import PipeTable
from pyloader.host.processes import Process, ProcessTable
from pyloader.host.state import Host

__all__ = ["ContainerTable", "Ends", "Flow", "FlowTable", "Host", "PipeTable", "Process", "ProcessTable"]
