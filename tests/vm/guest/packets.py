"""The network monitor, which stands on interfaces instead of rungs: on the loopback interface, with packets to tell."""

import socket

from pyloader.monitors import NETWORK
from pyloader.records import AnyRecord, NetworkFlow, NetworkTraffic, Traffic, address
from tests.vm.guest.ways import LOOPBACK, Loaded
from tests.vm.report import Program

_FAMILIES = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


def examine(way: Loaded) -> Program:
    """Return what is found of the one program of the network monitor."""
    (hook,) = NETWORK.hooks
    (rung,) = hook.rungs
    verdict = way.verdicts(NETWORK, rung.programs)[rung.program]
    found = Program(
        way.name, NETWORK.name, hook.name, rung.name, rung.program, verdict.instructions, problem=verdict.refusal
    )
    found.refused = bool(verdict.refusal)
    found.chosen = not found.refused
    if not found.refused:
        try:
            _check(way)
        except Exception as error:  # noqa: BLE001 -- each kind of failure is a result of the program.
            found.problem = f"{type(error).__name__}: {error}"
    return found


def _check(way: Loaded) -> None:
    """Send a datagram over each family, and fail unless each is told as a new flow, and counted."""
    ends: list[tuple[str, int, int]] = []

    def act() -> None:
        for family, host in _FAMILIES:
            with socket.socket(family, socket.SOCK_DGRAM) as receiver, socket.socket(family, socket.SOCK_DGRAM) as one:
                receiver.bind((host, 0))
                one.bind((host, 0))
                one.sendto(b"x", receiver.getsockname())
                receiver.recv(1)
                ends.append((host, one.getsockname()[1], receiver.getsockname()[1]))

    records = way.observe(NETWORK, lambda _: act())
    number = socket.if_nametoindex(LOOPBACK)
    flows = [one for one in records if isinstance(one, NetworkFlow)]
    told = {
        (str(address(one.source)), one.source_port, one.destination_port)
        for one in flows
        if (one.interface, one.protocol) == (number, socket.IPPROTO_UDP)
    }
    assert told >= set(ends), f"the flows are {flows} and not {ends}"
    counted = _sum(records, Traffic.IPV4), _sum(records, Traffic.IPV6), _sum(records, Traffic.UDP)
    assert min(counted) >= 1, f"{counted} packets are counted"
    assert counted[2] >= len(_FAMILIES), f"{counted} packets are counted"


def _sum(records: list[AnyRecord], what: Traffic) -> int:
    return sum(one.count(what) for one in records if isinstance(one, NetworkTraffic))
