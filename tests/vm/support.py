"""The support table of the README, made from the last results: `python -m tests.vm.support`."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.vm import guests, judgement, matrix
from tests.vm.matrix import Entry
from tests.vm.report import Program, Way

BEGIN = "<!-- support table: make support-table -->"
END = "<!-- end of support table -->"

_LEFT = "kernel", "machine"
_RIGHT = "most verified instructions", "transports", "pinned", "types from a file", "result"
_TRANSPORTS = ("ring", Way.RING), ("perf", Way.PERF)


class MarkerError(Exception):
    """The README has no place for the table."""


def write(readme: Path, entries: Sequence[Entry]) -> None:
    """Replace what stands between the markers. Raises `MarkerError` if they are not there."""
    text = readme.read_text()
    before, begin, rest = text.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"{readme.name} has no lines {BEGIN} and {END}"
        raise MarkerError(message)
    lines = "".join(f"{line}\n" for line in table(entries))
    readme.write_text(f"{before}{begin}{lines}{end}{after}")


def table(entries: Sequence[Entry]) -> list[str]:
    """Return the lines of the table: one row per kernel, and for each monitor on how many rungs of a kind it stands."""
    monitors = list(dict.fromkeys(one.monitor for entry in entries for one in entry.report.programs))
    rows = [
        [*_LEFT, *(f"{monitor} monitor" for monitor in monitors), *_RIGHT],
        [*["---"] * (len(_LEFT) + len(monitors)), "---:", *["---"] * (len(_RIGHT) - 1)],
        *(_row(entry, monitors) for entry in entries),
    ]
    return [f"| {' | '.join(row)} |" for row in rows]


def _row(entry: Entry, monitors: Sequence[str]) -> list[str]:
    programs = entry.report.programs
    return [
        entry.release,
        entry.architecture,
        *(_standing([one for one in programs if one.monitor == monitor]) for monitor in monitors),
        f"{max((one.instructions for one in programs), default=0):,}",
        ", ".join(name for name, way in _TRANSPORTS if _works(programs, way)) or "none",
        _yes(_works(programs, Way.PINNED)),
        _yes(_works(programs, Way.RING_BY_FILE)),
        "passed" if judgement.passed(entry.series, entry.report) else "failed",
    ]


def _standing(programs: Sequence[Program]) -> str:
    """Return how many hooks of a monitor stand on each kind of rung, the most first, and how many on none."""
    kinds = Counter(one.kind for one in programs if one.way == Way.RING and one.chosen)
    counts = kinds.most_common()
    if nowhere := len({one.hook for one in programs}) - kinds.total():
        counts.append((judgement.NOWHERE, nowhere))
    return ", ".join(f"{kind} {count}" for kind, count in counts)


def _works(programs: Sequence[Program], way: Way) -> bool:
    """Return whether the monitors, left to themselves, have a rung for every hook in this way, and all are right."""
    chosen = [one for one in programs if one.way == way and one.chosen]
    hooks = {(one.monitor, one.hook) for one in programs if one.monitor in judgement.monitors_in(way)}
    return {(one.monitor, one.hook) for one in chosen} == hooks and not any(one.problem for one in chosen)


def _yes(true: bool) -> str:  # noqa: FBT001 -- the word for it.
    return "yes" if true else "no"


def main() -> int:
    """Rewrite the README of this checkout; return the exit code."""
    entries = matrix.read(guests.MATRIX_FILE)
    if not entries:
        sys.stderr.write("there are no results: run `make test-vm` first\n")
        return 1
    try:
        write(guests.ROOT / "README.md", entries)
    except MarkerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
