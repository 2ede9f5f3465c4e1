"""The wheel on other kernels: every program of every monitor, loaded, attached, observing, and gone."""

from pyloader.monitors import MONITORS
from tests.vm.kernels import EXPECTED_REFUSALS, INSTRUCTION_BUDGET, Series
from tests.vm.report import Report


def test_every_program_observes_every_field(series: Series, report: Report) -> None:
    """Each rung of each ladder loads and attaches, and its records of real events are right in every field."""
    wrong = [
        f"{program.name}: {program.problem}"
        for program in report.programs
        if program.problem and not (program.refused and (series, program.name) in EXPECTED_REFUSALS)
    ]

    assert not report.problem, report.problem
    assert not wrong, "\n".join(wrong)
    rungs = {rung.program for monitor in MONITORS.values() for hook in monitor.hooks for rung in hook.rungs}
    assert rungs == {program.name for program in report.programs}


def test_a_monitor_stands_on_its_best_rungs(report: Report) -> None:
    """Left to itself, a monitor takes for each hook the first rung of the ladder that this kernel does not refuse."""
    usable = [program for program in report.programs if not program.refused]
    best = {(program.monitor, program.hook): program.name for program in reversed(usable)}

    assert {(one.monitor, one.hook): one.name for one in report.programs if one.chosen} == best


def test_no_program_is_too_much_for_a_verifier(report: Report) -> None:
    """Every verified program takes at most a quarter of the instructions that verifiers allow."""
    counts = {program.name: program.instructions for program in report.programs if not program.refused}

    assert all(0 < count <= INSTRUCTION_BUDGET for count in counts.values()), counts


def test_nothing_stays_in_the_kernel(report: Report) -> None:
    """After every program was used and closed, the kernel holds no program, map or link that it did not hold before."""
    assert report.left_behind == {"prog": [], "map": [], "link": []}


def test_the_doctor_finds_nothing_missing(series: Series, report: Report) -> None:
    """`pyloader doctor` says of a plain Debian kernel that everything is there, on the architecture that was meant."""
    assert report.doctor
    assert all(report.doctor.values()), report.doctor
    assert series.architecture == report.architecture
