"""What is wrong in the report of a guest. The tests fail by it, and the README's support table tells it."""

from collections.abc import Callable, Iterator

from pyloader.monitors import MONITORS, ON_INTERFACES, Monitor
from tests.vm.kernels import EXPECTED_REFUSALS, INSTRUCTION_BUDGET, Series
from tests.vm.report import Depth, Program, Report, Way

BY_OWN_TYPES = ("tp_btf", "fentry")
"""Kinds of rungs that a kernel without types of its own does not have."""

NOWHERE = "none"
"""The rung of a hook that no program stands behind."""


def monitors_in(way: Way) -> dict[str, Monitor]:
    """Return the monitors that are used in a way."""
    return MONITORS if way.pinned else MONITORS | ON_INTERFACES


def failed(series: Series, report: Report) -> Iterator[str]:
    """Yield what kept programs from working, except for what this kernel may refuse."""
    if report.problem:
        yield report.problem
    for program in report.programs:
        if program.problem and not (program.refused and _may_be_refused(series, program)):
            yield f"{program.way}, {program.monitor}/{program.name}: {program.problem}"


def untried(_series: Series, report: Report) -> Iterator[str]:
    """Yield the programs that were not tried although this kernel has what they need, as deep as the way goes."""
    for way in Way:
        tried = {(program.monitor, program.name) for program in report.programs if program.way == way}
        for monitor in monitors_in(way).values():
            for hook in monitor.hooks:
                ladder = [one for one in hook.rungs if one.program and not (way.by_file and one.kind in BY_OWN_TYPES)]
                left = [one.program for one in ladder if (monitor.name, one.program) not in tried]
                if way.depth is Depth.BEST:
                    left = left if len(left) == len(ladder) else []
                elif way.depth is Depth.ENDS:
                    left = [name for name in left if name == ladder[-1].program]
                yield from (f"{way}, {monitor.name}/{name}" for name in left)


def unrefused(series: Series, report: Report) -> Iterator[str]:
    """Yield the programs that this kernel should have refused and did not: then `EXPECTED_REFUSALS` is out of date."""
    for program in report.programs:
        if not program.refused and _may_be_refused(series, program):
            yield f"{program.way}, {program.monitor}/{program.name}"


def misplaced(_series: Series, report: Report) -> Iterator[str]:
    """Yield the hooks for which a monitor, left to itself, does not take the best rung that is not refused."""
    usable = [program for program in reversed(report.programs) if not program.refused]
    best = {(program.way, program.monitor, program.hook): program.name for program in usable}
    chosen = {(one.way, one.monitor, one.hook): one.name for one in report.programs if one.chosen}
    for hook in sorted(best.keys() | chosen.keys()):
        if best.get(hook) != chosen.get(hook):
            yield f"{', '.join(hook)}: {chosen.get(hook)} instead of {best.get(hook)}"


def costly(_series: Series, report: Report) -> Iterator[str]:
    """Yield the programs that take more than a quarter of the instructions that verifiers allow.

    The number must be known where every rung is tried. What the verifier refuses is not counted.
    """
    for program in report.programs:
        least = 1 if program.way.depth is Depth.ALL else 0
        if not program.refused and not least <= program.instructions <= INSTRUCTION_BUDGET:
            yield f"{program.way}, {program.monitor}/{program.name}: {program.instructions}"


def left_behind(_series: Series, report: Report) -> Iterator[str]:
    """Yield what the kernel still held in the end."""
    if report.left_behind != {"prog": [], "map": [], "link": []}:
        yield str(report.left_behind)


def misdiagnosed(_series: Series, report: Report) -> Iterator[str]:
    """Yield what `pyloader doctor` gets wrong: nothing is missing, but for the kernel's types when they are hidden."""
    for types, way in (("kernel", Way.RING), ("file", Way.RING_BY_FILE)):
        doctor = report.doctors.get(types)
        monitors = monitors_in(way).values()
        stands = {f"{monitor.name}/{hook.name}": NOWHERE for monitor in monitors for hook in monitor.hooks}
        stands |= {f"{one.monitor}/{one.hook}": one.rung for one in report.programs if one.chosen and one.way == way}
        if doctor is None or doctor.problems or doctor.rungs != stands or doctor.transport != "ring":
            yield f"types from the {types}: {doctor}, while the rungs are {stands}"
    nowhere = report.doctors.get("nowhere")
    if nowhere is None or nowhere.problems.keys() != {"kernel types", *MONITORS, *ON_INTERFACES}:
        yield f"types from nowhere: {nowhere}"


CHECKS: tuple[Callable[[Series, Report], Iterator[str]], ...] = (
    failed,
    untried,
    unrefused,
    misplaced,
    costly,
    left_behind,
    misdiagnosed,
)


def passed(series: Series, report: Report) -> bool:
    """Return whether nothing is wrong."""
    return not any(True for check in CHECKS for _ in check(series, report))


def _may_be_refused(series: Series, program: Program) -> bool:
    return any(
        series == one.series and program.way in one.ways and {program.kind, program.rung} & set(one.rungs)
        for one in EXPECTED_REFUSALS
    )
