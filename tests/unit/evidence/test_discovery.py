"""Reconnaissance in quick succession."""

from tests.unit.evidence.stage import SECOND, Stage

RECON = ["whoami", "id", "uname", "hostname", "ifconfig", "netstat", "ps", "w", "last", "lsblk", "arp"]


def test_many_different_commands_of_discovery(stage: Stage) -> None:
    """Ten commands that explore a host are told about the process that ran them, below a high alarm."""
    parent = stage.run(["bash"])
    for name in RECON:
        stage.run([name], parent)
    assert stage.codes(parent) == {"reconnaissance"}
    assert 50 <= stage.score(parent) < 62


def test_few_commands_say_nothing(stage: Stage) -> None:
    """Scripts ask for the kernel, the user and the host."""
    parent = stage.run(["bash"])
    for name in ["id", "uname", "hostname", "id", "uname"]:
        stage.run([name], parent)
    assert not stage.codes(parent)


def test_commands_among_many_others_say_nothing(stage: Stage) -> None:
    """A build that runs a few of them among hundreds of commands explores nothing."""
    parent = stage.run(["make"])
    for name in RECON:
        for _ in range(5):
            stage.run(["gcc", "-c", "x.c"], parent)
        stage.run([name], parent)
    assert not stage.codes(parent)


def test_slow_commands_say_nothing(stage: Stage) -> None:
    """The same commands over an hour are the work of a monitoring agent."""
    parent = stage.run(["agent"])
    for name in RECON:
        stage.run([name], parent)
        stage.now += 60 * SECOND
    assert not stage.codes(parent)


def test_each_command_in_a_shell_of_its_own(stage: Stage) -> None:
    """A web shell runs every command in a new shell; what counts is who starts those."""
    parent = stage.run(["backdoor"])
    for name in RECON:
        stage.run([name], stage.run(["sh", "-c", f"{name} 2>&1"], parent))
    assert "reconnaissance" in stage.codes(parent)
