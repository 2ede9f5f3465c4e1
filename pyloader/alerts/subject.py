"""What an alert is about, as it is shown."""

from typing import Final

from pyloader.alerts.alert import NetworkSubject, Subject
from pyloader.host import Activity, Entity, Process
from pyloader.records import address

MANY: Final = "many"
"""The source of what has no single one."""

_PROTOCOLS: Final = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmpv6", 132: "sctp"}
_WITH_PORTS: Final = {6, 17, 132}


def subject_of(entity: Entity) -> Subject | NetworkSubject:
    """Return what an alert says of its entity."""
    if isinstance(entity, Process):
        return Subject(
            pid=entity.pid,
            ppid=entity.ppid,
            start=entity.start,
            comm=entity.comm,
            exe=entity.exe,
            args=list(entity.args),
            uid=entity.uid,
            container=entity.container,
        )
    if isinstance(entity, Activity):
        return _packets(entity)
    message = f"no alert can be about a {type(entity).__name__}"
    raise TypeError(message)


def _packets(activity: Activity) -> NetworkSubject:
    with_ports = activity.protocol in _WITH_PORTS
    return NetworkSubject(
        src=str(activity.source) if activity.source is not None else MANY,
        src_port=activity.source_port if with_ports else 0,
        dst=str(address(activity.destination)) if activity.destination else "",
        dst_port=activity.destination_port if with_ports else 0,
        protocol=_PROTOCOLS.get(activity.protocol, str(activity.protocol)),
        interface=activity.interface,
        ports=sorted(activity.ports),
    )
