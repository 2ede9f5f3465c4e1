"""What watching costs the machine: microseconds per fork+exec, and nanoseconds per system call of everybody else.

Timed, on one CPU that the timed program has been given, bare and with each watcher in turn:

- fork+exec: `spawn` creates /bin/true by vfork, execve and wait, one after another;
- getppid: a loop of a system call that nobody watches;
- the watcher's own processor time while `spawn` runs, per fork+exec; it is spent wherever the scheduler puts it.

Each round measures everything once, and ratios are taken within a round. Every watcher must have reported all
executions, or the run is an error. `bpftrace sched_process_exec` prints pid and file; `bpftrace sys_enter_execve` and
execsnoop print the arguments; `pyloader run` prints only alerts, having assessed every fork, exec and exit.
"""

import os
from collections import defaultdict
from contextlib import nullcontext

from tests.bench.figures import Figure, at_most, figure, ratios
from tests.bench.programs import elapsed
from tests.bench.watchers import BPFTRACE_EXEC, BPFTRACE_EXECVE, EXECSNOOP, PYLOADER_RUN, Running, Watcher, running

TITLE = "cost per fork+exec"
ROUNDS = 7

CYCLES = 3_000
CALLS = 2_000_000
WATCHERS = (PYLOADER_RUN, EXECSNOOP, BPFTRACE_EXEC, BPFTRACE_EXECVE)
BARE = "bare"


def measure(rounds: int) -> list[Figure]:
    """Measure with each watcher in turn."""
    present = [watcher for watcher in WATCHERS if not watcher.missing]
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(rounds):
        for watcher in (None, *present):
            for what, value in _round(watcher).items():
                times[what, watcher.name if watcher else BARE].append(value)
    names = [BARE, *(watcher.name for watcher in present)]
    return [
        *(figure(f"fork+exec, {name}", "µs", times["fork+exec", name]) for name in names),
        *_ratios(times, "fork+exec", names),
        *(figure(f"own CPU per fork+exec, {name}", "µs", times["own CPU", name]) for name in names[1:]),
        *(figure(f"getppid, {name}", "ns", times["getppid", name]) for name in names),
        *_ratios(times, "getppid", names),
    ]


def _ratios(times: dict[tuple[str, str], list[float]], what: str, names: list[str]) -> list[Figure]:
    """Return each watcher's ratio to bare, and to execsnoop what the target speaks of."""
    compared = [
        figure(f"{what}, {name} / bare", "x", ratios(times[what, name], times[what, BARE])) for name in names[1:]
    ]
    if EXECSNOOP.name in names:
        values = ratios(times[what, PYLOADER_RUN.name], times[what, EXECSNOOP.name])
        compared.append(figure(f"{what}, {PYLOADER_RUN.name} / {EXECSNOOP.name}", "x", values, at_most(1)))
    return compared


def _round(watcher: Watcher | None) -> dict[str, float]:
    cpu = max(os.sched_getaffinity(0))
    with running(watcher) if watcher else nullcontext() as state:
        elapsed("spawn", CYCLES // 10, 0, "/bin/true", cpu=cpu)
        before = _cpu_seconds(state)
        spawning = elapsed("spawn", CYCLES, 0, "/bin/true", cpu=cpu)
        own = _cpu_seconds(state) - before
        calling = elapsed("getppid", CALLS, cpu=cpu)
    if state is not None and state.reported < CYCLES:
        message = f"{watcher} reported {state.reported} of {CYCLES} executions"
        raise RuntimeError(message)
    return {"fork+exec": spawning / CYCLES / 1e3, "own CPU": own / CYCLES * 1e6, "getppid": calling / CALLS}


def _cpu_seconds(state: Running | None) -> float:
    return state.cpu_seconds() if state is not None else 0.0
