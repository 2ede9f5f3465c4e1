"""The table of kernels by programs: kept as JSON, from which the README's support table is made, and shown as text."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.vm.kernels import MATRIX, Series
from tests.vm.report import Program, Report


class Row(msgspec.Struct):
    """One program on one kernel."""

    series: str
    architecture: str
    release: str
    monitor: str
    hook: str
    rung: str
    program: str
    chosen: bool
    """Whether the monitor stands on this rung there when it is left to itself."""
    instructions: int
    passed: bool
    refused: bool


def keep(file: Path, reports: Mapping[Series, Report]) -> str:
    """Replace the rows of these series in the file and leave the others; return the whole table as text."""
    rows = msgspec.json.decode(file.read_bytes(), type=list[Row]) if file.exists() else []
    booted = {(series.version, series.architecture) for series in reports}
    known = {(series.version, series.architecture): place for place, series in enumerate(MATRIX)}
    rows = [row for row in rows if (row.series, row.architecture) in known.keys() - booted]
    for series, report in reports.items():
        rows += [_row(series, report.release, program) for program in report.programs]
    rows.sort(key=lambda row: known[row.series, row.architecture])
    file.write_bytes(msgspec.json.format(msgspec.json.encode(rows)))
    return "".join(f"{line}\n" for line in _table(rows))


def _row(series: Series, release: str, program: Program) -> Row:
    return Row(
        series=series.version,
        architecture=series.architecture,
        release=release,
        monitor=program.monitor,
        hook=program.hook,
        rung=program.rung,
        program=program.name,
        chosen=program.chosen,
        instructions=program.instructions,
        passed=not program.problem,
        refused=program.refused,
    )


def _table(rows: list[Row]) -> list[str]:
    """Return a line per program and a column per kernel: instructions, `*` for the rung used, or what went wrong."""
    kernels = list(dict.fromkeys((row.release, row.architecture) for row in rows))
    cells = {((row.monitor, row.program), (row.release, row.architecture)): _cell(row) for row in rows}
    programs = list(dict.fromkeys(program for program, _ in cells))
    heads = [
        [release.partition("-cloud")[0].partition("+")[0] for release, _ in kernels],
        [name for _, name in kernels],
    ]
    lines = [["", *head] for head in heads]
    lines += [["/".join(program), *(cells.get((program, kernel), "") for kernel in kernels)] for program in programs]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cell(row: Row) -> str:
    if row.refused:
        return "refused"
    return f"{row.instructions}{'*' if row.chosen else ''}{'' if row.passed else ' FAILED'}"
