"""Reconnaissance: many different commands that explore a host, run by one process in quick succession.

One `id` or `uname` says nothing, and a script that calls a few of them among hundreds of other commands neither. What
counts is how many different ones a process ran within `WINDOW`, and that they are most of what it ran.
"""

from typing import Final

from pyloader.evidence.catalogue import RECONNAISSANCE
from pyloader.evidence.item import Evidence
from pyloader.evidence.programs import Program, Role
from pyloader.evidence.shell import Argv
from pyloader.evidence.traits import Trait
from pyloader.host import Process

WINDOW: Final = 120_000_000_000
"""Two minutes, in nanoseconds."""

FEWEST: Final = 5
"""Fewer different commands than this are nothing."""

_IDENTITY: Final = frozenset({"whoami", "id"})
_TELLING_FILES: Final = (
    "/etc/passwd",
    "/etc/group",
    "/etc/issue",
    "/etc/os-release",
    "/proc/version",
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/crontab",
    "/etc/sudoers",
    "/proc/cpuinfo",
    "/proc/net/",
    "/etc/fstab",
    "/etc/ssh/",
)


class _Burst:
    """What one process ran within the current window."""

    __slots__ = ("commands", "names", "since")

    def __init__(self, since: int) -> None:
        self.since = since
        self.commands = 0
        self.names: set[str] = set()


class Reconnaissance:
    """Follows the processes that run commands of discovery; the oldest leaves when `capacity` is reached."""

    def __init__(self, capacity: int = 2_048) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._bursts: dict[tuple[int, int], _Burst] = {}

    def judge(self, process: Process, program: Program, argv: Argv, timestamp: int) -> list[Evidence]:
        """Count a new program for its parent, and for the one before it if the parent only runs a `-c` for it."""
        name = discovery(program, argv)
        found: list[Evidence] = []
        parent = process.parent
        for _ in range(2):
            if parent is None or parent.pid <= 1:
                break
            item = self._count(parent, name, timestamp)
            if item is not None:
                found.append(item)
            if not parent.traits & Trait.COMMAND:
                break
            parent = parent.parent
        return found

    def _count(self, parent: Process, name: str, timestamp: int) -> Evidence | None:
        key = (parent.pid, parent.start)
        burst = self._bursts.get(key)
        if burst is None or timestamp - burst.since > WINDOW:
            if not name:
                if burst is not None:
                    del self._bursts[key]
                return None
            burst = self._begin(key, timestamp)
        burst.commands += 1
        if not name or name in burst.names:
            return None
        burst.names.add(name)
        different = len(burst.names)
        if different < FEWEST or different * 2 < burst.commands:
            return None
        return RECONNAISSANCE.about(parent, ", ".join(sorted(burst.names)), nats=_weight(burst.names))

    def _begin(self, key: tuple[int, int], timestamp: int) -> _Burst:
        self._bursts.pop(key, None)
        if len(self._bursts) >= self.capacity:
            del self._bursts[next(iter(self._bursts))]
            self.evicted += 1
        burst = self._bursts[key] = _Burst(timestamp)
        return burst


def _weight(names: set[str]) -> float:
    weight = 2.0 + 0.7 * (len(names) - FEWEST)
    return min(weight, RECONNAISSANCE.nats if names & _IDENTITY else 4.0)


def discovery(program: Program, argv: Argv) -> str:
    """Return what a command explores, or an empty string if it explores nothing."""
    if program.roles & Role.DISCOVERY:
        if program.name in ("mount", "env", "ip", "hostname") and _changes(program.name, argv):
            return ""
        return program.name
    if program.name in ("cat", "head", "less", "grep", "tail", "more"):
        return next((word for word in argv[1:] if word.startswith(_TELLING_FILES)), "")
    if program.name in ("sudo", "crontab", "iptables") and argv[1:2] in (("-l",), ("-L",)):
        return program.name
    return ""


def _changes(name: str, argv: Argv) -> bool:
    """Whether a command with two uses is used to change something or to run another one."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    if name == "ip":
        return any(word in ("add", "del", "set", "exec", "replace", "flush") for word in words)
    return bool(words)
