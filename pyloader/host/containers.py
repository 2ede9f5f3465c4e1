"""Which container a control group belongs to.

Container runtimes name the control group after the container: `/docker/ID`, `/system.slice/docker-ID.scope`,
`/kubepods.slice/…/cri-containerd-ID.scope`, `/machine.slice/libpod-ID.scope`, `/lxc.payload.NAME`.
"""

import re

from pyloader.records import CgroupSeen, text

# The supervisor of Podman and CRI-O, conmon, has a group that is named after its container but runs on the host.
_BY_ID = re.compile(r"(?<![0-9a-f])(?<!conmon-)([0-9a-f]{64})(?![0-9a-f])")
_BY_NAME = re.compile(r"/lxc(?:\.payload[./]|/)([^/]+)")


def container_of(path: str) -> str:
    """Return the container's id (first 12 digits) or name from a control-group path, or an empty string."""
    if match := _BY_ID.search(path):
        return match[1][:12]
    if match := _BY_NAME.search(path):
        return match[1]
    return ""


class ContainerTable:
    """Containers by control-group id; the first that came leaves first when `capacity` is reached."""

    def __init__(self, capacity: int = 4_096) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._containers: dict[int, str] = {}

    def seen(self, record: CgroupSeen) -> None:
        """Learn the path of a control group."""
        if record.cgroup not in self._containers and len(self._containers) >= self.capacity:
            del self._containers[next(iter(self._containers))]
            self.evicted += 1
        self._containers[record.cgroup] = container_of(text(record.path))

    def get(self, cgroup: int) -> str:
        """Return the container of a control group, or an empty string."""
        return self._containers.get(cgroup, "")
