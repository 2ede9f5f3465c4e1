"""Reaching into other processes."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest

from pyloader.records import AccessMethod
from tests.unit.evidence.stage import Stage

ALERT = 50
HIGH = 62
CHANGES = [AccessMethod.POKE, AccessMethod.SET_REGISTERS, AccessMethod.VM_WRITE, AccessMethod.WRITE]


@pytest.mark.parametrize("method", CHANGES)
def test_stranger_changes_a_process(stage: Stage, method: AccessMethod) -> None:
    """An unknown program that changes a process that is none of its own is a high alert with one record."""
    target = stage.run(["victim"], exe="/opt/victim")
    process = stage.run(["injector"], exe="/opt/injector")
    stage.access(process, target, method=method)

    assert stage.score(process) >= HIGH
    assert f"victim (pid {target.pid})" in stage.last[0].text
    assert stage.last[0].technique.startswith("T1055")


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [
        (AccessMethod.OPEN, HIGH, 65),
        (AccessMethod.OPEN_TO_READ, HIGH, 65),
        (AccessMethod.ATTACH, 38, 44),
        (AccessMethod.VM_READ, 30, 40),
    ],
)
def test_weaker_methods(stage: Stage, method: AccessMethod, low: int, high: int) -> None:
    """Opening the memory file, attaching and copying by calls say less than changing, in this order."""
    process = stage.run(["app"], exe="/opt/app")
    stage.access(process, stage.run(["victim"]), method=method)

    assert low < stage.score(process) < high


@pytest.mark.parametrize("method", list(AccessMethod))
def test_own_child(stage: Stage, method: AccessMethod) -> None:
    """What a process does to its own descendants is no evidence."""
    process = stage.run(["app"], exe="/opt/app")
    stage.access(process, stage.run(["child"], process), method=method, descent=1)
    stage.access(process, stage.run(["grandchild"]), method=method, descent=3)

    assert not stage.codes(process)


@pytest.mark.parametrize("method", [method for method in AccessMethod if method != AccessMethod.WRITE])
def test_own_self(stage: Stage, method: AccessMethod) -> None:
    """A process may copy its own memory and open its own memory file."""
    process = stage.run(["app"], exe="/opt/app")
    stage.access(process, process, method=method)

    assert not stage.codes(process)


def test_own_memory_file(stage: Stage) -> None:
    """Writing to one's own memory by its file goes around the protection of pages, which few programs need."""
    process = stage.run(["app"], exe="/opt/app")
    stage.access(process, process, method=AccessMethod.WRITE)

    assert stage.codes(process) == {"own_memory_written"}
    assert 45 < stage.score(process) < ALERT


def test_own_memory_file_of_a_debugger(stage: Stage) -> None:
    """Debuggers try at their start whether they can write to memory files, and nothing is made of it."""
    process = stage.run(["gdb", "app"], exe="/usr/bin/gdb")
    stage.access(process, process, method=AccessMethod.WRITE)

    assert stage.codes(process) == set()


@pytest.mark.parametrize("tracer", ["gdb", "strace", "lldb-server", "perf", "criu"])
def test_debugger_attaches_to_a_stranger(stage: Stage, tracer: str) -> None:
    """A debugger may do everything to a process without an alert."""
    target = stage.run(["victim"])
    process = stage.run([tracer, "-p", str(target.pid)])
    for method in AccessMethod:
        stage.access(process, target, method=method)

    assert 0 < stage.score(process) < ALERT


def test_name_of_a_debugger_on_a_temporary_file(stage: Stage) -> None:
    """A file that anyone may have put there gains nothing by the name of a debugger."""
    process = stage.run(["gdb"], exe="/tmp/gdb")
    stage.access(process, stage.run(["victim"]))

    assert stage.score(process) >= HIGH


@pytest.mark.parametrize("method", [AccessMethod.VM_READ, AccessMethod.OPEN, AccessMethod.OPEN_TO_READ])
@pytest.mark.parametrize("keeper", ["sshd", "ssh-agent", "gpg-agent", "gnome-keyring-daemon", "sudo"])
def test_reading_what_holds_secrets(stage: Stage, keeper: str, method: AccessMethod) -> None:
    """Reading a process that holds passwords or keys is a high alert."""
    target = stage.seen(77, f"/usr/bin/{keeper}", [keeper])
    process = stage.run(["app"], exe="/opt/app")
    stage.access(process, target, method=method)

    assert stage.codes(process) == {"keeper_read"}
    assert stage.score(process) >= HIGH


def test_a_dump_of_what_holds_secrets(stage: Stage) -> None:
    """A debugger that dumps such a process is a high alert; a tracer that follows its calls is none."""
    target = stage.seen(77, "/usr/bin/ssh-agent", ["ssh-agent"])
    dumper = stage.run(["gdb", "--batch", "-ex", "attach 77", "-ex", "gcore /tmp/core"])
    stage.access(dumper, target, method=AccessMethod.ATTACH)
    stage.access(dumper, target, method=AccessMethod.OPEN)
    tracer = stage.run(["strace", "-p", "77"])
    stage.access(tracer, target, method=AccessMethod.ATTACH)
    stage.access(tracer, target, method=AccessMethod.VM_READ)

    assert stage.score(dumper) >= HIGH
    assert stage.score(tracer) < ALERT


@pytest.mark.parametrize(
    "command",
    [
        "call (int)getpid()",
        'print (int)system("id")',
        "set {int}0x4000 = 1",
        "set $rip = 5",
        'p dlopen("/tmp/x.so", 1)',
    ],
)
@pytest.mark.parametrize("way", [["-p", "77"], ["--pid=77"], ["-ex", "attach 77"]])
def test_code_that_a_debugger_is_told_to_run(stage: Stage, command: str, way: list[str]) -> None:
    """A debugger whose arguments make another process run or change code is a high alert."""
    assert stage.score(stage.run(["gdb", *way, "-batch", "-ex", command])) >= HIGH


@pytest.mark.parametrize(
    "command",
    [
        "bt",
        "thread apply all bt full",
        "info registers",
        "print counter",
        "p list->next",
        "x/4i $pc",
        "set pagination off",
        "detach",
    ],
)
def test_a_debugger_that_looks(stage: Stage, command: str) -> None:
    """A debugger that is told to look at a process is below an alert."""
    assert stage.score(stage.run(["gdb", "-p", "77", "-batch", "-ex", command])) < ALERT


def test_target_that_is_not_known(stage: Stage) -> None:
    """A target that the sensor has not seen is known by its name alone, and a pid that was used again is not it."""
    stage.seen(77, "/usr/bin/other", ["other"])
    process = stage.run(["app"], exe="/opt/app")
    stage.access(process, process, method=AccessMethod.VM_READ, target_pid=77, target_start=5, target_comm=b"ssh-agent")

    assert stage.codes(process) == {"keeper_read"}


@pytest.mark.parametrize("method", list(AccessMethod))
def test_refusal(stage: Stage, method: AccessMethod) -> None:
    """An attempt that was refused says less, but something, and does not hide the one that succeeds."""
    target = stage.run(["victim"])
    process = stage.run(["app"], exe="/opt/app")
    stage.access(process, target, method=method, error=1)
    refused = stage.score(process)
    assert stage.codes(process) == {"reach_refused"}
    stage.access(process, target, method=method)

    assert 22.2 < refused < ALERT
    assert stage.score(process) > refused


def test_crash_handler(stage: Stage) -> None:
    """A child may look at its parent, as handlers of crashes do, but changing it is what injected shells do."""
    parent = stage.run(["app"], exe="/opt/app")
    handler = stage.run(["handler"], parent, exe="/opt/handler")
    stage.access(handler, parent, method=AccessMethod.ATTACH)
    stage.access(handler, parent, method=AccessMethod.VM_READ)
    looked = stage.score(handler)
    stage.access(handler, parent, method=AccessMethod.WRITE)

    assert looked < 35
    assert stage.score(handler) >= HIGH


def test_ranks_of_a_parallel_program(stage: Stage) -> None:
    """Processes of one program and parent copy between each other, as MPI does."""
    parent = stage.run(["mpirun"])
    one, other = (stage.run(["solver"], parent, exe="/opt/solver") for _ in range(2))
    stage.access(one, other, method=AccessMethod.VM_WRITE, target_uid=one.uid)
    stranger = stage.run(["solver2"], parent, exe="/opt/solver2")
    stage.access(stranger, other, method=AccessMethod.VM_WRITE, target_uid=stranger.uid)

    assert stage.score(one) < ALERT
    assert stage.score(stranger) >= HIGH


def test_method_of_another_version(stage: Stage) -> None:
    """A method without a meaning is no evidence."""
    process = stage.run(["app"])
    stage.access(process, stage.run(["victim"]), method=99)

    assert not stage.last
