"""What the network monitor costs: nanoseconds per packet, and throughput over a virtual cable.

Timed by the kernel itself (BPF_PROG_RUN), for SYNs of 54 bytes from 1, 1,024 and a million random sources, each way in
turn in every round: an empty program, a plain counter per source in an LRU hash map, and the network monitor. The
program that changes the source before each packet is in every figure alike; "1 source, alone" is without it. The
monitor's figures include all that it does for these packets: totals, flows, sources, networks, and the records that are
told.

Throughput is one TCP stream of iperf3 between two network namespaces over veth, with the monitor on the receiving end
in native and in generic mode, and without it.
"""

import json
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from shutil import which
from typing import Any

from bpf.build.failure import BuildError
from tests.bench.figures import CannotMeasureError, Figure, at_most, figure, ratios
from tests.kernel.packets import IPV4, ethernet, ipv4, packet_monitor, run_program, tcp
from tests.kernel.varying import companions

TITLE = "cost per packet"
ROUNDS = 5

REPEAT = 1_000_000
SOURCES = {"1 source": (1, 60), "1,024 sources": (1_024, 150), "1,048,576 random sources": (1 << 20, 250)}
SECONDS = 3
MODES = {"without": 0, "native": 4, "generic": 2}
"""XDP_FLAGS_* of the modes."""

FRAME = ethernet(IPV4, ipv4(tcp()))


def measure(rounds: int) -> list[Figure]:
    """Measure packets, then throughput."""
    return [*_packets(rounds), *_throughput(rounds)]


def _packets(rounds: int) -> list[Figure]:
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    with ExitStack() as held:
        try:
            others = held.enter_context(companions())
        except BuildError as error:
            message = f"the programs to compare with cannot be compiled: {error}"
            raise CannotMeasureError(message) from error
        monitor = held.enter_context(packet_monitor())
        programs = {
            "empty program": others.program("empty"),
            "LRU counter per source": others.program("count_sources"),
            "network monitor": monitor.program,
        }
        for _ in range(rounds):
            for name, program in programs.items():
                times["1 source, alone", name].append(run_program(program, FRAME, repeat=REPEAT)[1])
                for sources, (number, _) in SOURCES.items():
                    duration = others.run(program, FRAME, number=number, repeat=REPEAT)
                    times[sources, name].append(duration)
            monitor.records()
    bounds = {"1 source, alone": 60} | {sources: bound for sources, (_, bound) in SOURCES.items()}
    return [
        figure(f"{name}, {sources}", "ns", values, at_most(bounds[sources]) if name == "network monitor" else None)
        for (sources, name), values in sorted(times.items(), key=lambda one: list(bounds).index(one[0][0]))
    ]


def _throughput(rounds: int) -> list[Figure]:
    if which("iperf3") is None:
        message = "iperf3 is missing"
        raise CannotMeasureError(message)
    from pyroute2 import IPRoute  # noqa: PLC0415 -- takes half a second.

    rates: dict[str, list[float]] = defaultdict(list)
    with packet_monitor() as monitor, _cable() as (near, far), IPRoute(netns=near) as route:
        (number,) = route.link_lookup(ifname="v0")
        for _ in range(rounds):
            for mode, flag in MODES.items():
                if flag:
                    _attach(route, number, monitor.program, flag)
                try:
                    rates[mode].append(_iperf(near, far))
                finally:
                    if flag:
                        _attach(route, number, -1, flag)
                monitor.records()
    return [
        *(figure(f"iperf3 over veth, {mode}", "Gbit/s", values) for mode, values in rates.items()),
        *(
            figure(f"iperf3 over veth, {mode} / without", "x", ratios(rates[mode], rates["without"]))
            for mode in ("native", "generic")
        ),
    ]


def _attach(route: Any, number: int, program_fd: int, flag: int) -> None:  # noqa: ANN401 -- pyroute2 ships no types.
    route.link("set", index=number, xdp={"attrs": [["IFLA_XDP_FD", program_fd], ["IFLA_XDP_FLAGS", flag]]})


@contextmanager
def _cable() -> Iterator[tuple[str, str]]:
    """Lay a virtual cable between two network namespaces; yield their names."""
    near, far = f"plb{os.getpid()}", f"plb{os.getpid()}o"
    with ExitStack() as held:
        for name in (near, far):
            _ip("netns", "add", name)
            held.callback(_ip, "netns", "del", name)
        _ip("-n", near, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", far)
        for end, number, name in (("v0", 1, near), ("v1", 2, far)):
            _ip("-n", name, "addr", "add", f"10.9.0.{number}/24", "dev", end)
            _ip("-n", name, "link", "set", end, "up")
        yield near, far


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _iperf(near: str, far: str) -> float:
    """Return the gigabits per second of one TCP stream."""
    within = ["ip", "netns", "exec"]
    with subprocess.Popen([*within, near, "iperf3", "-s", "-1"], stdout=subprocess.DEVNULL) as server:
        try:
            time.sleep(0.5)
            client = [*within, far, "iperf3", "-c", "10.9.0.1", "-t", str(SECONDS), "-J"]
            done = subprocess.run(client, check=True, capture_output=True, timeout=60)
        finally:
            server.terminate()
    return float(json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]) / 1e9
