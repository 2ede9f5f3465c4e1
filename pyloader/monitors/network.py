"""The network monitor (`bpf/network_monitor.bpf.c`), and what user space decides about it."""

import os
import struct
import time

from pyloader.monitors.ladder import Hook, Monitor, Rung
from pyloader.records import Policy
from pyloader.records.network import DISPERSION_BINS, PULSE_WINDOWS, TRAFFIC_LIMIT

PROGRAM = "network_packets"

CONSTANTS = ".rodata.network"

CONSTANTS_LAYOUT = "=4QQQI4x"
"""The constants in bpf/hash.bpf.h: four words of the hash's key, a tick in nanoseconds, the owner, blocking."""

TRAFFIC_WORDS = TRAFFIC_LIMIT + DISPERSION_BINS + 2 * PULSE_WINDOWS
"""64-bit words of `struct totals` in bpf/traffic.bpf.h."""

POLICY_LAYOUT = f"={len(Policy)}i"

POLICY: dict[Policy, int] = {
    Policy.SYN: 2,
    Policy.FIN: 1,
    Policy.RST: 4,
    Policy.UDP: 1,
    Policy.ICMP: 2,
    Policy.OTHER: 1,
    Policy.HANDSHAKES: -4,
    Policy.ANOMALIES: 8,
    Policy.PORTS: 6,
    Policy.ADDRESSES: 2,
    Policy.BYTES: 0,
    Policy.FOCUS: 100,
    Policy.FLOW: 16,
    Policy.FLOW_THRESHOLD: 16,
    Policy.SOURCE_THRESHOLD: 16,
    Policy.FLOWS_PER_SECOND: 256,
    Policy.ANOMALIES_PER_SECOND: 16,
    Policy.SUMMARIES_PER_SECOND: 256,
    Policy.EPHEMERAL_PORTS: 32_768,
    Policy.FOCUSED_FLOWS_PER_SECOND: 1_024,
}
"""Four ports, sixteen unanswered SYNs or eight resets make a source salient; one that is served stays below."""

_MONOTONIC_COARSE = 6
"""CLOCK_MONOTONIC_COARSE in include/uapi/linux/time.h, whose resolution is a tick of the kernel."""


def constants() -> dict[str, bytes]:
    """Return the constants of the programs, with a key that nobody outside knows."""
    key = [int.from_bytes(os.urandom(8), "little") | 1 for _ in range(4)]
    tick = round(time.clock_getres(_MONOTONIC_COARSE) * 1e9)
    owner = int.from_bytes(os.urandom(8), "little")
    return {CONSTANTS: struct.pack(CONSTANTS_LAYOUT, *key, tick, owner, 0)}


NETWORK = Monitor(
    name="network",
    object="network_monitor.bpf.o",
    hooks=(Hook("packets", (Rung("xdp", PROGRAM, blind_to="what this host sends"),)),),
    constants=constants,
)
