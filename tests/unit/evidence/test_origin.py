"""Where system calls come from."""

import pytest

from pyloader.records import Area, Call, Protection, Suspicion
from tests.unit.evidence.stage import Stage

ALERT = 50
HIGH = 62
DATA = Protection.READ | Protection.WRITE
ALL = DATA | Protection.EXECUTE


def test_shellcode_loader(stage: Stage) -> None:
    """A program that makes code which executes another program by itself is a loader."""
    process = stage.run(["loader"], exe="/opt/loader")
    stage.protect(process)
    stage.call(process, suspicions=Suspicion.CODE | Suspicion.FRESH_CODE)

    assert stage.codes(process) == {"run_time_code", "call_from_fresh_code", "code_then_exec"}
    assert stage.score(process) >= HIGH


def test_call_from_memory(stage: Stage) -> None:
    """A call from code without a file is rare, and alone no alert."""
    process = stage.run(["app"], exe="/opt/app")
    stage.call(process, call=Call.MAP, suspicions=Suspicion.CODE)

    assert stage.codes(process) == {"call_from_memory"}
    assert stage.score(process) < ALERT


def test_emulator_calls_from_memory(stage: Stage) -> None:
    """A program that is known to compile makes calls from what it compiled."""
    process = stage.run(["wine64-preloader"])
    stage.protect(process)
    stage.call(process, call=Call.CONNECT, suspicions=Suspicion.CODE | Suspicion.FRESH_CODE)

    assert 0 < stage.score(process) < ALERT


@pytest.mark.parametrize(
    ("call", "area", "protection"),
    [
        (Call.EXEC, Area.ANONYMOUS, ALL),
        (Call.CONNECT, Area.ANONYMOUS, ALL),
        (Call.EXEC, Area.HEAP, DATA),
        (Call.PROTECT, Area.HEAP, DATA),
    ],
)
def test_stack_pivot(stage: Stage, call: Call, area: Area, protection: Protection) -> None:
    """A stack in executable memory, or in the heap at a call that chains are made for, is a high alert alone."""
    process = stage.run(["app"], exe="/opt/app")
    stage.call(process, call=call, suspicions=Suspicion.STACK, sp=0x7000, sp_area=area, sp_protection=protection)

    assert stage.codes(process) == {"stack_pivot"}
    assert stage.score(process) >= HIGH


@pytest.mark.parametrize(("call", "low", "high"), [(Call.EXEC, ALERT, HIGH), (Call.CONNECT, 0, ALERT)])
def test_foreign_stack(stage: Stage, call: Call, low: int, high: int) -> None:
    """Coroutines connect on stacks of their own, but seldom execute programs there."""
    process = stage.run(["app"], exe="/opt/app")
    stage.call(process, call=call, suspicions=Suspicion.STACK, sp=0x7000, sp_area=Area.ANONYMOUS)

    assert stage.codes(process) == {"foreign_stack"}
    assert low < stage.score(process) < high


@pytest.mark.parametrize(
    ("sp", "codes"),
    [
        (0xC0_0000_0000, set()),
        (0xC7_FFFF_FFFF, set()),
        (0xC8_0000_0000, {"foreign_stack"}),
        (0xBF_FFFF_FFFF, {"foreign_stack"}),
    ],
)
def test_goroutines(stage: Stage, sp: int, codes: set[str]) -> None:
    """Go keeps the stacks of goroutines where it alone does, and there they are no evidence."""
    process = stage.run(["app"], exe="/opt/app")
    stage.call(process, suspicions=Suspicion.STACK, sp=sp, sp_area=Area.ANONYMOUS, sp_protection=DATA)

    assert stage.codes(process) == codes


def test_pivots_are_learned(stage: Stage) -> None:
    """A library with stacks of its own is a habit of its program."""
    for _ in range(5):
        process = stage.run(["app"], exe="/opt/app")
        stage.call(process, call=Call.CONNECT, suspicions=Suspicion.STACK, sp_area=Area.ANONYMOUS)
        stage.exit(process)
        stage.close(process)

    assert not stage.last
    assert not stage.codes(process)


def test_ordinary_call(stage: Stage) -> None:
    """A call without an oddity is no evidence."""
    process = stage.run(["app"], exe="/opt/app")
    stage.call(process)

    assert not stage.last


def test_sentence(stage: Stage) -> None:
    """The sentence names the call and where it came from."""
    process = stage.run(["app"], exe="/opt/app")
    stage.call(process, suspicions=Suspicion.CODE, ip=0x1000, ip_protection=ALL)

    assert stage.last[0].text.endswith(
        "made a system call from code without a file: exec in anonymous memory (rwx) at 0x1000"
    )
