"""What is wrong in a report is found, and only that."""

from collections.abc import Callable

import pytest

from tests.vm import judgement
from tests.vm.kernels import X86_64, Refusal, Series
from tests.vm.made_up import flawless
from tests.vm.report import Report, Way

OLD, ANY = X86_64[0], X86_64[-1]
"""One that refuses something, and one that refuses nothing."""


def _program(report: Report, way: Way, name: str, **details: object) -> None:
    """Change what a report says of a program."""
    (program,) = [one for one in report.programs if one.way == way and one.name == name]
    for field, value in details.items():
        setattr(program, field, value)


def _broken(report: Report) -> None:
    report.problem = "Traceback"


def _wrong(report: Report) -> None:
    _program(report, Way.PERF, "exec_btf", problem="uid is 1 and not 0")


def _refused(report: Report) -> None:
    _program(report, Way.PINNED, "exec_tp", problem="Invalid argument", refused=True)


def _missing(report: Report) -> None:
    report.programs.remove([one for one in report.programs if one.way == Way.RING and not one.chosen][-1])


def _low(report: Report) -> None:
    _program(report, Way.RING, "exec_btf", chosen=False)
    _program(report, Way.RING, "exec_tp", chosen=True)


def _costly(report: Report) -> None:
    _program(report, Way.RING, "exec_tp", instructions=250_001)


def _uncounted(report: Report) -> None:
    _program(report, Way.RING, "exec_tp", instructions=0)


def _left(report: Report) -> None:
    report.left_behind["link"] = [7]


def _ailing(report: Report) -> None:
    report.doctors["kernel"].problems["lockdown"] = "confidentiality"


def _naive(report: Report) -> None:
    report.doctors["nowhere"].problems.clear()


@pytest.mark.parametrize(
    ("harm", "found_by"),
    [
        (_broken, {judgement.failed}),
        (_wrong, {judgement.failed}),
        (_refused, {judgement.failed}),
        (_missing, {judgement.untried}),
        (_low, {judgement.misplaced, judgement.misdiagnosed}),
        (_costly, {judgement.costly}),
        (_uncounted, {judgement.costly}),
        (_left, {judgement.left_behind}),
        (_ailing, {judgement.misdiagnosed}),
        (_naive, {judgement.misdiagnosed}),
    ],
)
def test_each_flaw_is_found(harm: Callable[[Report], None], found_by: set[object]) -> None:
    """A report is faultless until something is wrong in it, and then the right questions answer so."""
    report = flawless()
    assert judgement.passed(ANY, report)

    harm(report)

    assert found_by == {check for check in judgement.CHECKS if list(check(ANY, report))}


def test_a_refusal_that_is_expected_must_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kernel may refuse is no failure there, and a failure on others; when it is not refused, that is told."""
    expected = Refusal(OLD, ("lsm", "tp/sched/sched_process_exec"), (Way.PINNED,), "for this test")
    monkeypatch.setattr(judgement, "EXPECTED_REFUSALS", (expected,))

    def wrong(series: Series, report: Report) -> list[str]:
        return [line for check in judgement.CHECKS for line in check(series, report)]

    report = flawless()
    assert wrong(OLD, report) == ["pinned, process/exec_tp", "pinned, memory/image_tp"]
    for program in report.programs:
        if program.way == Way.PINNED and program.rung == "tp/sched/sched_process_exec":
            program.refused, program.problem = True, "the link cannot be pinned"
    assert wrong(OLD, report) == []
    assert len(wrong(ANY, report)) == 2
    monkeypatch.setattr(judgement, "EXPECTED_REFUSALS", (expected._replace(rungs=("tp",)),))
    assert len(wrong(OLD, report)) == len({(one.monitor, one.name) for one in report.programs if one.kind == "tp"}) - 2
