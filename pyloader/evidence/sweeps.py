"""Sweeps: a script that asks address after address of one network whether a host is there, by a program for each.

`ping` needs no connection, so its outcomes are not told. What is told is the execution: which address it was for, and
which shell started it.
"""

from typing import Final

from pyloader.evidence.catalogue import HOST_SWEEP
from pyloader.evidence.item import Evidence
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Program, names
from pyloader.evidence.shell import Argv
from pyloader.host import Process

ASKERS: Final = names("ping ping4 arping")
WITHIN: Final = 300_000_000_000
"""So long (ns) one sweep may take from its first address on."""

FEWEST: Final = 12
"""So many addresses of one /24 are looked at by hand, or watched by a script of an administrator."""

SURE: Final = 24
DOUBT: Final = 2.2
"""Nats taken off as long as it may be that."""

_ADDRESS = pattern(r"(\d{1,3}\.\d{1,3}\.\d{1,3})\.(\d{1,3})")
_COPIES: Final = 3

Key = tuple[int, int, str]


class Sweeps:
    """The networks that shells lately asked for; the oldest leaves when `capacity` is reached."""

    def __init__(self, capacity: int = 512) -> None:
        self.capacity = capacity
        self.evicted = 0
        self._asked: dict[Key, tuple[int, set[str]]] = {}

    def judge(self, process: Process, program: Program, argv: Argv, now: int) -> list[Evidence]:
        """Count the address that a program asks for, and judge the shell that started it."""
        if program.name not in ASKERS:
            return []
        address = next((found for word in argv[1:] if (found := _ADDRESS.fullmatch(word))), None)
        shell = _shell(process)
        if address is None or shell is None:
            return []
        network, host = address[1], address[2]
        key = (shell.pid, shell.start, network)
        since, hosts = self._asked.pop(key, (now, set()))
        if now - since > WITHIN:
            since, hosts = now, set()
        if len(self._asked) >= self.capacity:
            del self._asked[next(iter(self._asked))]
            self.evicted += 1
        self._asked[key] = (since, hosts)
        if host in hosts:
            return []
        hosts.add(host)
        if len(hosts) not in (FEWEST, SURE):
            return []
        weight = HOST_SWEEP.nats - (DOUBT if len(hosts) < SURE else 0.0)
        return [HOST_SWEEP.about(shell, f"{len(hosts)} addresses of {network}.0/24 by {argv[0]}", weight)]


def _shell(process: Process) -> Process | None:
    """Return the shell that a program belongs to; what runs in the background is started by a copy of it."""
    shell = process.parent
    for _ in range(_COPIES):
        if shell is None or shell.parent is None or shell.parent.args != shell.args:
            break
        shell = shell.parent
    return shell if shell is not None and shell.pid > 1 else None
