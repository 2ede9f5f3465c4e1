"""What images say by their place, their flags and their names."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest

from pyloader.records import ExecFlag
from tests.unit.evidence.stage import Stage

HIGH = 62


def test_memory_file(stage: Stage) -> None:
    """A program that was never a file is decisive."""
    process = stage.run(["x"], exe="/memfd:x", filename="/proc/self/fd/3", flags=int(ExecFlag.MEMFD))
    assert stage.codes(process) == {"memory_file"}
    assert stage.score(process) >= HIGH


@pytest.mark.parametrize("parent", ["containerd-shim", "runc", "dockerd"])
def test_container_runtime_runs_itself_from_memory(stage: Stage, parent: str) -> None:
    """A container runtime clones itself into memory before it enters a container."""
    runtime = stage.run([parent])
    process = stage.run(
        ["runc", "init"], runtime, exe="/memfd:runc_cloned:/proc/self/exe", filename="/proc/self/exe",
        flags=int(ExecFlag.MEMFD),
    )  # fmt: skip
    assert not stage.codes(process)


def test_name_of_a_runtime_is_no_excuse(stage: Stage) -> None:
    """Anyone can name a memory file like that of a container runtime."""
    shell = stage.run(["bash"])
    process = stage.run(["runc"], shell, exe="/memfd:runc_cloned:/proc/self/exe", flags=int(ExecFlag.MEMFD))
    assert stage.codes(process) == {"memory_file"}


@pytest.mark.parametrize(
    ("exe", "flags", "code", "most"),
    [
        ("/tmp/build/conftest", 0, "temporary_image", 35),
        ("/var/tmp/x", 0, "temporary_image", 35),
        ("/srv/drop/x", int(ExecFlag.WORLD_WRITABLE), "temporary_image", 35),
        ("/dev/shm/x", 0, "shared_memory_image", 61),
        ("/home/u/.secret/x", 0, "hidden_image", 35),
        ("/tmp/.x/miner", 0, "hidden_system_image", 49),
        ("/opt/app/server", int(ExecFlag.DELETED), "deleted_image", 49),
        ("/tmp/x", int(ExecFlag.DELETED), "deleted_drop", 100),
    ],
)
def test_places(stage: Stage, exe: str, flags: int, code: str, most: int) -> None:
    """A place is as suspicious as it is unusual: alone, a temporary folder is next to nothing."""
    process = stage.run(["x"], exe=exe, flags=flags)
    assert code in stage.codes(process)
    assert stage.score(process) <= most


@pytest.mark.parametrize(
    "exe",
    [
        "/usr/bin/ls",
        "/home/u/.local/bin/x",
        "/home/u/.cargo/bin/x",
        "/root/.nvm/versions/node/v20/bin/node",
        "/home/u/project/.venv/bin/python",
        "/home/u/.vscode-server/bin/x/node",
        "/opt/app/bin/server",
        "/home/u/bin/x",
    ],
)
def test_ordinary_places(stage: Stage, exe: str) -> None:
    """Where tools install programs for their users says nothing."""
    assert not stage.codes(stage.run(["x"], exe=exe))


@pytest.mark.parametrize("name", ["[kworker/0:0]", "[kthreadd]", "[rcu_sched]"])
def test_fake_kernel_thread(stage: Stage, name: str) -> None:
    """A kernel thread executes nothing, so that a program by such a name hides."""
    process = stage.run([name], exe="/home/u/x")
    assert "fake_kernel_thread" in stage.codes(process)
    assert stage.score(process) >= HIGH


def test_test_command_is_no_kernel_thread(stage: Stage) -> None:
    """`[` is a command, and its last argument is a bracket."""
    assert not stage.codes(stage.run(["[", "-f", "x", "]"]))


def test_daemon_in_a_temporary_place(stage: Stage) -> None:
    """The name of a daemon on a file where everyone may write is a disguise."""
    assert "fake_daemon" in stage.codes(stage.run(["sshd"], exe="/tmp/sshd"))


def test_interpreter_under_the_name_of_a_daemon(stage: Stage) -> None:
    """`exec -a sshd perl …` hides an interpreter in the list of processes."""
    assert "fake_daemon" in stage.codes(stage.run(["/usr/sbin/sshd", "x.pl"], exe="/usr/bin/perl"))


@pytest.mark.parametrize(
    ("argv", "exe"), [(["-bash"], "/usr/bin/bash"), (["sh"], "/usr/bin/dash"), (["python3"], "/usr/bin/python3.11")]
)
def test_ordinary_names(stage: Stage, argv: list[str], exe: str) -> None:
    """Login shells, links and versions make names differ from files."""
    assert not stage.codes(stage.run(argv, exe=exe))
