"""The reports of all kernels: kept as JSON, from which the README's support table is made, and shown as text."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.vm.kernels import MATRIX, Series
from tests.vm.report import Program, Report


class Entry(msgspec.Struct):
    """What is known of one series."""

    version: str
    architecture: str
    report: Report

    @property
    def series(self) -> Series:
        """Which series it is."""
        return Series(self.version, self.architecture)

    @property
    def release(self) -> str:
        """The release of the kernel, short."""
        return self.report.release.partition("-cloud")[0].partition("+")[0]


def read(file: Path) -> list[Entry]:
    """Return what is known, the oldest kernel first.

    A series that has left the matrix is left out, and everything if the file was written when reports had another form.
    """
    try:
        entries = msgspec.json.decode(file.read_bytes(), type=list[Entry])
    except (FileNotFoundError, msgspec.ValidationError):
        return []
    return sorted((one for one in entries if one.series in MATRIX), key=lambda one: MATRIX.index(one.series))


def keep(file: Path, reports: Mapping[Series, Report]) -> str:
    """Replace what is known of these series and leave the others; return the whole table as text."""
    entries = [one for one in read(file) if one.series not in reports]
    entries += [Entry(*series, report) for series, report in reports.items()]
    file.write_bytes(msgspec.json.format(msgspec.json.encode(entries)))
    return "".join(f"{line}\n" for line in _table(read(file)))


def _table(entries: list[Entry]) -> list[str]:
    """Return a line per program and a column per kernel: instructions, `*` for the rung used, or what went wrong."""
    columns = [{(one.way, one.monitor, one.name): _cell(one) for one in entry.report.programs} for entry in entries]
    lines = [["", "", *(one.release for one in entries)], ["", "", *(one.architecture for one in entries)]]
    for key in dict.fromkeys(key for column in columns for key in column):
        way, monitor, program = key
        lines.append([f"{monitor}/{program}", way, *(column.get(key, "") for column in columns)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _cell(program: Program) -> str:
    if program.refused:
        return "refused"
    return f"{program.instructions}{'*' if program.chosen else ''}{' FAILED' if program.problem else ''}"
