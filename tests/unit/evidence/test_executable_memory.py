"""Memory that becomes executable."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest

from pyloader.host import Process
from pyloader.records import Area, Call, Exposure, Suspicion, Technique
from tests.unit.evidence.stage import Stage

ALERT = 50
HIGH = 62


def _served(stage: Stage, *argv: str, exe: str = "") -> Process:
    """Let an instance make its first code while it faces the network, and end."""
    process = stage.run(list(argv), exe=exe)
    stage.protect(process, exposure=Exposure.LISTENS)
    stage.exit(process)
    return process


@pytest.mark.parametrize("exposure", [Exposure.LISTENS, Exposure.CONNECTED])
@pytest.mark.parametrize(
    "technique", [Technique.WRITTEN, Technique.WRITABLE, Technique.STACK, Technique.HEAP, Technique.DUAL_MAPPING]
)
def test_first_code_in_front_of_the_network(stage: Stage, technique: Technique, exposure: Exposure) -> None:
    """A process that makes its first code while it faces the network is what a loader of shellcode looks like."""
    server = stage.run(["server"], exe="/opt/server")
    stage.protect(server, technique=technique, exposure=exposure)

    assert stage.codes(server) == {"facing_code"}
    assert stage.score(server) >= HIGH


def test_nginx_that_ran_before_the_sensor(stage: Stage) -> None:
    """A server that is known not to compile stands out, whenever it began."""
    server = stage.seen(77, "/usr/sbin/nginx", ["nginx: worker process"])
    stage.protect(server, exposure=Exposure.LISTENS)

    assert stage.score(server) >= HIGH


def test_unknown_program_that_ran_before_the_sensor(stage: Stage) -> None:
    """Of a program that ran before the sensor nobody knows what it did first, which is no alert by itself."""
    server = stage.seen(77, "/opt/server", ["server"])
    stage.protect(server, exposure=Exposure.LISTENS)
    child = stage.fork(server)
    stage.protect(child, exposure=Exposure.LISTENS)

    assert 0 < stage.score(server) < ALERT
    assert stage.score(child) < ALERT


def test_restart_forgets_what_ran_before_the_sensor(stage: Stage) -> None:
    """An image that the sensor has seen start has no unknown past."""
    server = stage.execute(stage.seen(77, "/opt/server", ["server"]), ["server"], "/opt/server")
    stage.protect(server, exposure=Exposure.LISTENS)

    assert stage.score(server) >= HIGH


@pytest.mark.parametrize("exe", ["/usr/bin/node", "/usr/lib/jvm/java-17/bin/java", "/usr/bin/pypy3.9", "/opt/unknown"])
def test_compiler_that_starts_before_it_serves(stage: Stage, exe: str) -> None:
    """A run time that compiles before it faces the network stays below an alert, known or not."""
    process = stage.run([exe], exe=exe)
    for technique in (Technique.ANONYMOUS, Technique.WRITABLE, Technique.WRITTEN):
        stage.protect(process, technique=technique)
    for exposure in (Exposure.LISTENS, Exposure.LISTENS | Exposure.CONNECTED):
        stage.protect(process, exposure=exposure)
        stage.protect(process, technique=Technique.WRITABLE, exposure=exposure)
    stage.call(process, call=Call.CONNECT, suspicions=Suspicion.FRESH_CODE)
    stage.execute(stage.fork(process), ["sh", "-c", "uname"])

    assert stage.score(process) < ALERT


@pytest.mark.parametrize("exe", ["/usr/bin/luajit-2.1.0-beta3", "/usr/bin/pypy3", "/usr/bin/node", "/usr/bin/dotnet"])
def test_known_compiler_that_serves_first(stage: Stage, exe: str) -> None:
    """A run time that is known to compile may begin when it already serves."""
    process = stage.run([exe], exe=exe)
    for technique in (Technique.WRITABLE, Technique.WRITTEN, Technique.DUAL_MAPPING):
        stage.protect(process, technique=technique, exposure=Exposure.LISTENS)

    assert stage.score(process) < ALERT


def test_name_of_a_compiler_on_a_temporary_file(stage: Stage) -> None:
    """A file that anyone may have put there gains nothing by the name of a run time."""
    process = stage.run(["node"], exe="/tmp/node")
    stage.protect(process, exposure=Exposure.CONNECTED)

    assert stage.score(process) >= HIGH


def test_child_of_a_compiler(stage: Stage) -> None:
    """A child that was forked after its parent compiled has the parent's code, and compiles on."""
    parent = stage.run(["app"], exe="/opt/app")
    stage.protect(parent)
    worker = stage.fork(parent)
    stage.protect(worker, exposure=Exposure.LISTENS)

    assert stage.codes(worker) == {"run_time_code"}


def test_network_that_was_left_again(stage: Stage) -> None:
    """A process that once faced the network and closed its socket has faced it."""
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process, technique=Technique.ANONYMOUS, exposure=Exposure.CONNECTED)
    stage.protect(process)

    assert "facing_code" in stage.codes(process)


def test_server_that_is_excused_falls_silent(stage: Stage) -> None:
    """What an analyst has called benign in a server is no evidence against its next instance."""
    [item] = stage.items[_served(stage, "server", exe="/opt/server").label]
    stage.evidence.teach(item.context, 20.0, stage.now)

    assert not stage.codes(_served(stage, "server", exe="/opt/server"))


def test_exploited_server_teaches_nothing(stage: Stage) -> None:
    """The next exploitation is told as the first was."""
    for _ in range(4):
        stage.close(_served(stage, "server", exe="/opt/server"))
        assert [item.code for items in stage.items.values() for item in items][-1] == "facing_code"
    process = stage.run(["server"], exe="/opt/server")
    stage.protect(process, exposure=Exposure.LISTENS)

    assert stage.score(process) >= HIGH


@pytest.mark.parametrize(
    ("technique", "code"),
    [
        (Technique.WRITABLE, "run_time_code"),
        (Technique.WRITTEN, "run_time_code"),
        (Technique.ANONYMOUS, "run_time_code"),
        (Technique.STACK, "stack_code"),
        (Technique.HEAP, "stack_code"),
        (Technique.TEXT_RELOCATION, "text_relocation"),
        (Technique.MEMFD, "memory_file_code"),
        (Technique.DUAL_MAPPING, "dual_mapping"),
        (Technique.MOVED, "run_time_code"),
    ],
)
def test_every_way_is_told(stage: Stage, technique: Technique, code: str) -> None:
    """Each way to make memory executable is told by its kind, and none alone is a high alert."""
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process, technique=technique)

    assert stage.codes(process) == {code}
    assert stage.score(process) < HIGH


def test_repetition_adds_nothing(stage: Stage) -> None:
    """A process that does the same a thousand times is told once."""
    process = stage.run(["app"], exe="/opt/app")
    for count in (1, 2, 3, 4, 8, 16, 1024):
        stage.protect(process, count=count)

    assert len(stage.items[process.label]) == 1


def test_sentence(stage: Stage) -> None:
    """The sentence says how much memory, of what kind, where, and how it became code."""
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process, technique=Technique.TEXT_RELOCATION, area=Area.FILE, length=8192, file=b"/lib/x.so")

    assert stage.last[0].text == (
        f"app (pid {process.pid}) runs changed pages of a file: 8 KiB of a file (r-x) at 0x7f0000000000 of /lib/x.so,"
        " changed in memory"
    )


def test_sentence_carries_the_counts(stage: Stage) -> None:
    """The sentence says how many instances of the program ever did the same."""
    for _ in range(1_234):
        stage.exit(stage.run(["nginx"]))
    process = stage.run(["nginx"])
    stage.protect(process)

    assert stage.last[0].text.endswith("; nginx: 0 of 1,234 instances ever did this")
    assert stage.last[0].context == ("habit", "/usr/bin/nginx", "WRITTEN_CODE")


@pytest.mark.parametrize("program", ["node", "java", "qemu-system-x86_64", "/opt/unknown"])
def test_instances_that_compile_fall_silent(stage: Stage, program: str) -> None:
    """After one instance whose episode closed quietly, those that compile are no evidence; an nginx that does is."""
    stage.seen(77, "/usr/sbin/nginx", ["nginx: worker process"])
    for _ in range(50):
        process = stage.run([program])
        stage.protect(process)
        stage.exit(process)
        stage.close(process)
    fresh = stage.run([program])
    stage.protect(fresh)
    other = stage.run(["nginx"])
    stage.protect(other)

    assert not stage.codes(fresh)
    assert stage.codes(other) == {"run_time_code"}


def test_technique_of_another_version(stage: Stage) -> None:
    """A technique without a meaning is no evidence."""
    process = stage.run(["app"], exe="/opt/app")
    stage.protect(process, technique=200, area=200)

    assert not stage.last
