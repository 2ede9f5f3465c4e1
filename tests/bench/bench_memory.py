"""How much memory `pyloader run` keeps resident: mebibytes.

Read from /proc/PID/smaps_rollup of a `pyloader run` that has attached its programs and is at rest, and again after
60,000 processes, each with an argument of its own. RSS counts every resident page, also those that are the kernel's
(the ring) or shared with other programs (libc, the interpreter); PSS counts shared pages in part; anonymous is what
the process itself has allocated.
"""

from pathlib import Path

from tests.bench.figures import Figure, at_most, figure
from tests.bench.programs import elapsed, program
from tests.bench.watchers import PYLOADER_RUN, running

TITLE = "memory of pyloader run"
ROUNDS = 3

PROCESSES = 60_000
KINDS = {"Rss": "RSS", "Pss": "PSS", "Anonymous": "anonymous"}


def measure(rounds: int) -> list[Figure]:
    """Measure one run of pyloader per round."""
    early, late = [], []
    for _ in range(rounds):
        with running(PYLOADER_RUN) as state:
            early.append(_resident(state.pid))
            elapsed("spawn", PROCESSES, 0, program("nothing"))
            late.append(_resident(state.pid))
        if state.reported < PROCESSES:
            message = f"{state.reported} of {PROCESSES} executions were assessed"
            raise RuntimeError(message)
    after = f"after {PROCESSES:,} processes"
    return [
        figure(f"{KINDS[kind]} {when}", "MiB", [one[kind] for one in found], at_most(60) if kind == "Rss" else None)
        for when, found in (("at rest", early), (after, late))
        for kind in KINDS
    ]


def _resident(pid: int) -> dict[str, float]:
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return {name.rstrip(":"): int(size) / 1024 for name, size, *_ in lines if name.rstrip(":") in KINDS}
