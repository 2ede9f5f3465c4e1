"""The wheel on other kernels: every program of every monitor, loaded, attached, observing, and gone."""

from collections.abc import Iterable

from tests.vm import judgement
from tests.vm.kernels import Series
from tests.vm.report import Report


def test_every_program_observes_every_field(series: Series, report: Report) -> None:
    """Through rings, perf buffers and pins, with types from the kernel or a file, records are right in every field."""
    assert _told(judgement.failed(series, report)) == ""


def test_every_program_was_tried(series: Series, report: Report) -> None:
    """In each way the rungs of each ladder are tried as deep as the way goes: all of them where it is thorough."""
    assert _told(judgement.untried(series, report)) == ""


def test_only_what_is_refused_is_expected_to_be(series: Series, report: Report) -> None:
    """What a kernel is said to lack is really refused there, with the kernel's own reason."""
    assert _told(judgement.unrefused(series, report)) == ""


def test_a_monitor_stands_on_its_best_rungs(series: Series, report: Report) -> None:
    """Left to itself, a monitor takes for each hook the first rung of the ladder that this kernel does not refuse."""
    assert _told(judgement.misplaced(series, report)) == ""


def test_no_program_is_too_much_for_a_verifier(series: Series, report: Report) -> None:
    """Every verified program takes at most a quarter of the instructions that verifiers allow."""
    assert _told(judgement.costly(series, report)) == ""


def test_nothing_stays_in_the_kernel(series: Series, report: Report) -> None:
    """After every program was used and closed, the kernel holds no program, map or link that it did not hold before."""
    assert _told(judgement.left_behind(series, report)) == ""


def test_the_doctor_is_right(series: Series, report: Report) -> None:
    """`pyloader doctor` finds nothing missing in a plain Debian kernel, names the rungs, and misses hidden types."""
    assert _told(judgement.misdiagnosed(series, report)) == ""


def test_the_architecture_is_the_one_that_was_meant(series: Series, report: Report) -> None:
    """A guest runs on the architecture that its series names."""
    assert series.architecture == report.architecture


def _told(wrong: Iterable[str]) -> str:
    return "\n".join(wrong)
