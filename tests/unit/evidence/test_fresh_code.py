"""What follows on code that was just made."""

import pytest

from pyloader.alerts.alert import MEDIUM_FROM
from pyloader.records import Call, Suspicion
from tests.unit.evidence.stage import SECOND, Stage


@pytest.mark.parametrize(
    ("call", "codes"),
    [
        (Call.EXEC, {"run_time_code", "code_then_exec"}),
        (Call.CONNECT, {"run_time_code", "code_then_connect"}),
        (Call.MAP, {"run_time_code"}),
    ],
)
def test_call_after_code(stage: Stage, call: Call, codes: set[str]) -> None:
    """A process that connects or executes within a minute after it made code has completed a sequence."""
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process)
    stage.call(process, call=call, suspicions=Suspicion.FRESH_CODE)

    assert stage.codes(process) == codes


@pytest.mark.parametrize(("seconds", "told"), [(59, True), (61, False)])
def test_execution_after_code(stage: Stage, seconds: int, told: bool) -> None:  # noqa: FBT001 -- a table.
    """An execution by the process completes the sequence within a minute; one by its child is told of the process."""
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process)
    stage.now += seconds * SECOND
    stage.run(["/opt/next"], process)
    assert told == ("code_then_child" in stage.codes(process))
    stage.execute(process, ["/opt/next"])

    assert told == ("code_then_exec" in stage.codes(process))


def test_run_time_that_starts_programs(stage: Stage) -> None:
    """A program that makes code, is not known for it and starts other programs gives no alert for any of them."""
    for _ in range(5_000):
        stage.exit(stage.run(["python3", "a.py"], exe="/usr/bin/python3"))
    process = stage.run(["python3", "b.py"], exe="/usr/bin/python3")
    stage.protect(process)
    children = [stage.run(["/usr/bin/tool"], process) for _ in range(10)]

    assert stage.score(process) < MEDIUM_FROM
    assert all(stage.score(child) < MEDIUM_FROM for child in children)


def test_silent_code_is_not_followed(stage: Stage) -> None:
    """A program whose instances are known to make code may execute and connect after it."""
    for _ in range(2):
        process = stage.run(["app"], exe="/opt/app")
        stage.protect(process)
        stage.exit(process)
        stage.close(process)
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process)
    stage.call(process, call=Call.CONNECT, suspicions=Suspicion.FRESH_CODE)
    stage.run(["/opt/next"], process)

    assert not stage.codes(process)
    assert not stage.last


def test_sequence_keeps_the_baseline_clean(stage: Stage) -> None:
    """A process that made code and executed a program at once does not teach that making code is normal."""
    for _ in range(5):
        process = stage.run(["app"], exe="/opt/app")
        stage.protect(process)
        assert "run_time_code" in stage.codes(process)
        stage.call(process, call=Call.EXEC, suspicions=Suspicion.FRESH_CODE)
        stage.exit(process)
