"""A run of benches: as it is kept, and as it is shown."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from tests.bench.figures import Figure

HEADINGS = ("", "median", "min - max", "unit", "target", "")


class Report:
    """The machine, and per bench its figures or why there are none."""

    def __init__(self, machine: dict[str, str]) -> None:
        self.date = datetime.now(UTC)
        self._machine = machine
        self._benches: dict[str, list[Figure]] = {}
        self._reasons: dict[str, str] = {}

    def add(self, title: str, figures: list[Figure]) -> None:
        """Take in what a bench measured."""
        self._benches[title] = figures

    def add_unmeasured(self, title: str, reason: str) -> None:
        """Note that a bench could not measure here."""
        self._reasons[title] = reason

    def as_json(self) -> dict[str, Any]:
        """Return everything, with the value of every round."""
        return {
            "date": self.date.isoformat(timespec="seconds"),
            "machine": self._machine,
            "figures": [
                {"bench": title, "figure": one.name.strip(), "unit": one.unit, "median": one.median}
                | {"min": min(one.values), "max": max(one.values), "values": one.values}
                | ({"target": f"{one.target.sign} {one.target.bound:g}"} if one.target else {})
                for title, figures in self._benches.items()
                for one in figures
            ],
            "not measured": self._reasons,
        }

    def as_table(self) -> str:
        """Return one table for people."""
        rows: list[tuple[str, ...]] = [HEADINGS]
        for title, figures in self._benches.items():
            rows += [(title,), *map(_row, figures)]
        rows += [(f"{title}: not measured, {reason}",) for title, reason in self._reasons.items()]
        widths = [max(len(row[column]) for row in rows if len(row) > 1) for column in range(len(HEADINGS))]
        machine = [f"{what}: {told}" for what, told in self._machine.items()]
        return "\n".join([*machine, "", *(_line(row, widths) for row in rows), ""])


def _row(one: Figure) -> tuple[str, ...]:
    target = verdict = ""
    if one.target is not None:
        target = f"{one.target.sign} {_number(one.target.bound)}"
        verdict = "met" if one.target.met_by(one.median) else "missed"
    spread = f"{_number(min(one.values))} - {_number(max(one.values))}"
    return f"  {one.name}", _number(one.median), spread, one.unit, target, verdict


def _number(value: float) -> str:
    """Return three digits, or all that stand before the point."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _line(row: Iterable[str], widths: list[int]) -> str:
    """Return a row: names and units to the left, numbers to the right."""
    cells = [
        cell.rjust(width) if column in {1, 2, 4} else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=False))
    ]
    return "  ".join(cells).rstrip()
