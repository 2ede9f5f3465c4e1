"""The support table of the README, made from the last results: `python -m tests.vm.support`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.vm import guests, judgement, matrix
from tests.vm.matrix import Entry
from tests.vm.report import Program, Way

BEGIN = "<!-- support table: make support-table -->"
END = "<!-- end of support table -->"

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
    """Return the lines of the table: one row per kernel."""
    hooks = list(dict.fromkeys((one.monitor, one.hook) for entry in entries for one in entry.report.programs))
    monitors = {monitor for monitor, _ in hooks}
    names = [f"`{hook}`" if len(monitors) == 1 else f"{monitor}: `{hook}`" for monitor, hook in hooks]
    rows = [
        [
            "kernel",
            "machine",
            *names,
            "most verified instructions",
            "transports",
            "pinned",
            "types from a file",
            "result",
        ],
        [*["---"] * (2 + len(names)), "---:", *["---"] * 4],
        *(_row(entry, hooks) for entry in entries),
    ]
    return [f"| {' | '.join(row)} |" for row in rows]


def _row(entry: Entry, hooks: Sequence[tuple[str, str]]) -> list[str]:
    programs = entry.report.programs
    rungs = {(one.monitor, one.hook): one.rung for one in programs if one.way == Way.RING and one.chosen}
    kinds = [rungs[hook].partition("/")[0] if hook in rungs else "none" for hook in hooks]
    return [
        entry.release,
        entry.architecture,
        *kinds,
        f"{max((one.instructions for one in programs), default=0):,}",
        ", ".join(name for name, way in _TRANSPORTS if _works(programs, way)) or "none",
        _yes(_works(programs, Way.PINNED)),
        _yes(_works(programs, Way.RING_BY_FILE)),
        "passed" if judgement.passed(entry.series, entry.report) else "failed",
    ]


def _works(programs: Sequence[Program], way: Way) -> bool:
    """Return whether the monitors, left to themselves, have a rung for every hook in this way, and all are right."""
    chosen = [one for one in programs if one.way == way and one.chosen]
    hooks = {(one.monitor, one.hook) for one in programs}
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
