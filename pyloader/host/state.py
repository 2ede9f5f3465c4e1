"""The host as the records tell it."""

from collections.abc import Callable
from typing import Any

from pyloader.host.containers import ContainerTable
from pyloader.host.flows import FlowTable
from pyloader.host.pipes import PipeTable
from pyloader.host.processes import Process, ProcessTable
from pyloader.host.sources import SourceTable
from pyloader.records import (
    AnyRecord,
    CallOrigin,
    CgroupSeen,
    ConnectionClosed,
    ConnectionOpened,
    CredentialChange,
    DatagramSent,
    Elsewhere,
    MemoryAccess,
    MemoryFault,
    MemoryProtection,
    MemoryRequest,
    MemoryUsage,
    NetworkFlow,
    OomKill,
    PacketAnomaly,
    ProcessExec,
    ProcessExit,
    ProcessFork,
    ProcessSeen,
    Record,
    SocketCreated,
    SocketListening,
    SocketRecord,
    SourceSummary,
    UsageReason,
)

_EXIT = int(UsageReason.EXIT)


class Host:
    """Every table, and the one way to bring them up to date.

    `processes` is the cap on live processes that are followed; the other tables have caps of their own.
    """

    def __init__(self, processes: int = 32_768) -> None:
        self.processes = ProcessTable(processes)
        self.pipes = PipeTable()
        self.containers = ContainerTable()
        self.flows = FlowTable()
        self.sources = SourceTable()
        self._apply: dict[type[Record], Callable[[Any], Process | None]] = {
            ProcessExec: self._executed,
            ProcessFork: self.processes.forked,
            ProcessExit: self.processes.exited,
            ProcessSeen: self._seen,
            CredentialChange: self._changed_credentials,
            CgroupSeen: self.containers.seen,
            ConnectionOpened: self._opened,
            ConnectionClosed: self._closed,
            SocketListening: self._listening,
            DatagramSent: self._sent,
            SocketCreated: self._owner,
            SourceSummary: self.sources.summarised,
            NetworkFlow: self.sources.appeared,
            PacketAnomaly: self.sources.appeared,
            MemoryProtection: self._placed,
            MemoryFault: self._placed,
            MemoryAccess: self._named,
            MemoryRequest: self._named,
            CallOrigin: self._named,
            MemoryUsage: self._used_memory,
            OomKill: self._chosen,
            Elsewhere: self._judged_elsewhere,
        }

    def apply(self, record: AnyRecord) -> Process | None:
        """Take in one record and return the process it is about, if it is about one."""
        apply = self._apply.get(type(record))
        return apply(record) if apply is not None else None

    @property
    def evicted(self) -> dict[str, int]:
        """How many entries each table gave up for new ones."""
        return {
            "processes": self.processes.evicted,
            "pipes": self.pipes.evicted,
            "containers": self.containers.evicted,
            "flows": self.flows.evicted,
            "sources": self.sources.evicted,
        }

    def _judged_elsewhere(self, record: Elsewhere) -> None:
        """Take in what another worker judges; here it is about nobody."""
        self.apply(record.record)

    def _executed(self, record: ProcessExec) -> Process:
        process = self.processes.executed(record)
        process.container = self.containers.get(record.cgroup)
        self.pipes.connect(process)
        return process

    def _seen(self, record: ProcessSeen) -> Process:
        process = self.processes.seen(record)
        process.container = self.containers.get(record.cgroup)
        return process

    def _named(self, record: MemoryAccess | MemoryRequest | CallOrigin | MemoryProtection | MemoryFault) -> Process:
        process = self.processes.named(record.pid, record.start, record.ppid, record.comm)
        process.uid = record.uid
        return process

    def _placed(self, record: MemoryProtection | MemoryFault) -> Process:
        process = self._named(record)
        self._place(process, record.cgroup)
        return process

    def _used_memory(self, record: MemoryUsage) -> Process:
        # A process whose end was told already does not come to life again.
        find = self.processes.recalled if record.reasons & _EXIT else self.processes.named
        process = find(record.pid, record.start, record.ppid, record.comm)
        process.uid = record.uid
        self._place(process, record.cgroup)
        return process

    def _chosen(self, record: OomKill) -> Process:
        process = self.processes.named(record.pid, record.start, 0, record.comm)
        process.uid = record.uid
        self._place(process, record.cgroup)
        return process

    def _place(self, process: Process, cgroup: int) -> None:
        """Note the control group of a process whose execution was not seen."""
        if not process.cgroup:
            process.cgroup = cgroup
            process.container = self.containers.get(cgroup)

    def _changed_credentials(self, record: CredentialChange) -> Process:
        process = self.processes.named(record.pid, record.start, record.ppid, record.comm)
        process.uid = record.uid
        return process

    def _owner(self, record: SocketRecord) -> Process | None:
        """Return the process that a socket is attributed to; one that is not known yet is added."""
        if not record.pid:
            return None
        process = self.processes.find(record.pid, record.start)
        if process is None:
            process = self.processes.named(record.pid, record.start, record.ppid, record.comm)
            process.uid = record.uid
            process.cgroup = record.cgroup
            process.container = self.containers.get(record.cgroup)
        return process

    def _opened(self, record: ConnectionOpened) -> Process | None:
        process = self._owner(record)
        self.flows.opened(record, process)
        self.sources.connected(record)
        return process

    def _sent(self, record: DatagramSent) -> Process | None:
        self.sources.sent(record)
        return self._owner(record)

    def _closed(self, record: ConnectionClosed) -> Process | None:
        owner = self.flows.closed(record)
        # The end may come long after the process.
        return self.processes.find(record.pid, record.start) or owner

    def _listening(self, record: SocketListening) -> Process | None:
        self.sources.listening(record)
        return self._owner(record)
