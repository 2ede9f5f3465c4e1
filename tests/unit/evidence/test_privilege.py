"""Abuse of privileged programs, and credentials that nothing explains."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest

from pyloader.records import ExecFlag, Explanation, Stdio
from tests.unit.evidence.stage import Stage

HIGH = 62
SETUID = int(ExecFlag.SETUID)


@pytest.mark.parametrize(
    "argv",
    [
        ["find", ".", "-exec", "/bin/sh", ";", "-quit"],
        ["vim", "-c", ":!/bin/sh"],
        ["awk", 'BEGIN {system("/bin/sh")}'],
        ["env", "/bin/sh"],
        ["nice", "/bin/bash"],
        ["timeout", "7d", "/bin/sh"],
        ["python3", "-c", 'import os; os.system("/bin/sh")'],
        ["perl", "-e", 'exec "/bin/sh";'],
        ["ruby", "-e", 'exec "/bin/sh"'],
        ["lua", "-e", 'os.execute("/bin/sh")'],
        ["tar", "cf", "/dev/null", "x", "--checkpoint=1", "--checkpoint-action=exec=/bin/sh"],
        ["zip", "x.zip", "x", "-T", "-TT", "/bin/sh #"],
        ["ssh", "-o", "ProxyCommand=;/bin/sh 0<&2 1>&2", "x"],
        ["gdb", "-nx", "-ex", "!sh", "-ex", "quit"],
        ["make", "-s", "--eval=x:\n\t-/bin/sh"],
        ["ip", "netns", "exec", "foo", "/bin/sh"],
        ["rsync", "-e", "sh -c 'sh 0<&2 1>&2'", "x", "x:"],
    ],
)
def test_way_to_a_shell_through_sudo(stage: Stage, argv: list[str]) -> None:
    """A tool that is run through sudo to get a shell is an escape from what sudo allows."""
    assert stage.score(stage.sudo(argv)) >= HIGH


@pytest.mark.parametrize(
    "argv",
    [
        ["apt", "install", "bash"],
        ["find", "/", "-name", "sh"],
        ["find", "/var/www", "-type", "f", "-exec", "chmod", "644", "{}", ";"],
        ["find", "/srv", "-exec", "grep", "-l", "#!/bin/sh", "{}", ";"],
        ["usermod", "-s", "/bin/bash", "user"],
        ["useradd", "-m", "-s", "/bin/bash", "user"],
        ["grep", "-r", ":/bin/bash", "/etc/passwd"],
        ["sed", "-i", "s|/bin/sh|/bin/bash|", "/opt/x"],
        ["awk", "-F:", '$7 == "/bin/bash" { print $1 }', "/etc/passwd"],
        ["docker", "exec", "-it", "web", "bash"],
        ["docker", "run", "--rm", "-it", "ubuntu", "/bin/bash"],
        ["kubectl", "exec", "-it", "pod", "--", "sh"],
        ["chroot", "/mnt", "/bin/bash"],
        ["bash"],
        ["su", "-"],
        ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"],
        ["systemctl", "restart", "nginx"],
        ["ls", "-l", "/bin/sh"],
        ["vim", "/etc/fstab"],
        ["python3", "setup.py", "install"],
        ["python3", "-c", "import subprocess; subprocess.run(['bash', 'build.sh'])"],
        ["env", "FOO=1", "make", "install"],
        ["timeout", "10", "sh", "-c", "sleep 1"],
        ["tar", "czf", "backup.tgz", "/home"],
    ],
)
def test_ordinary_commands_through_sudo(stage: Stage, argv: list[str]) -> None:
    """Administrators name shells in many commands that open none."""
    assert stage.score(stage.sudo(argv)) < 50


@pytest.mark.parametrize("tool", ["vim", "less", "man", "find", "ftp", "gdb", "python3", "git", "nmap", "more"])
def test_root_shell_out_of_a_tool(stage: Stage, tool: str) -> None:
    """A bare root shell whose parent is an editor or a pager under sudo needs no arguments to be understood."""
    shell = stage.run(["sh"], stage.sudo([tool, "x"]))
    assert "escaped_shell" in stage.codes(shell)
    assert stage.score(shell) >= HIGH


@pytest.mark.parametrize("tool", ["bash", "su", "tmux", "screen", "docker", "script", "chroot", "machinectl"])
def test_root_shells_of_administrators(stage: Stage, tool: str) -> None:
    """Shells, terminals and containers under sudo open shells because they are asked to."""
    assert not stage.codes(stage.run(["bash"], stage.sudo([tool])))


@pytest.mark.parametrize("code", ["ls -l", "make -j4", "git diff"])
def test_commands_of_tools_under_sudo(stage: Stage, code: str) -> None:
    """Tools under sudo run commands in a shell, which is not bare then."""
    assert not stage.codes(stage.run(["sh", "-c", code], stage.sudo(["make", "install"])))


@pytest.mark.parametrize("name", ["bash", "python3.11", "find", "vim.basic", "cp", "base64", "env", "nmap", "awk"])
def test_setuid_tool(stage: Stage, name: str) -> None:
    """An everyday tool with a set-uid bit gives its rights to anyone."""
    process = stage.run([name, "x"], exe=f"/usr/bin/{name}", flags=SETUID, uid=1000, euid=0)
    assert "setuid_tool" in stage.codes(process)
    assert stage.score(process) >= HIGH


def test_setuid_copy_in_a_temporary_place(stage: Stage) -> None:
    """Nothing that is set-uid lies where everyone may write, whatever its name."""
    process = stage.run(["./x", "-p"], exe="/tmp/x", flags=SETUID, uid=1000, euid=0)
    assert stage.score(process) >= HIGH


@pytest.mark.parametrize("name", ["sudo", "su", "passwd", "mount", "ping", "pkexec", "crontab", "chsh", "newgrp"])
def test_setuid_programs_of_the_system(stage: Stage, name: str) -> None:
    """Programs that systems bring with a set-uid bit are ordinary."""
    assert stage.score(stage.run([name, "x"], flags=SETUID, uid=1000, euid=0)) < 50


def test_shell_out_of_a_setuid_program(stage: Stage) -> None:
    """A set-uid program that gives no shells was exploited if a bare root shell comes out of it."""
    tool = stage.run(["passwd"], flags=SETUID, uid=1000, euid=0)
    assert stage.score(stage.run(["sh"], tool, uid=0)) >= HIGH


@pytest.mark.parametrize(
    ("argv", "exe"),
    [
        ([], "/usr/bin/pkexec"),
        (["sudoedit", "-s", "\\", "x"], "/usr/bin/sudo"),
        (["sudo", "-u#-1", "id"], "/usr/bin/sudo"),
    ],
)
def test_arguments_of_known_exploits(stage: Stage, argv: list[str], exe: str) -> None:
    """Arguments that only an exploit gives to a set-uid program are decisive."""
    process = stage.run(argv, exe=exe, flags=SETUID, uid=1000, euid=0)
    assert "exploit_arguments" in stage.codes(process)
    assert stage.score(process) >= HIGH


def test_interpreter_with_capabilities(stage: Stage) -> None:
    """An interpreter whose file may change uids is root for everyone."""
    process = stage.run(
        ["python3", "x.py"], flags=int(ExecFlag.FILE_CAPABILITIES), capabilities=1 << 7, uid=1000, euid=1000
    )
    assert "capable_interpreter" in stage.codes(process)


def test_low_port_capability_is_ordinary(stage: Stage) -> None:
    """The capability to bind low ports leads nowhere."""
    process = stage.run(
        ["node", "x.js"], flags=int(ExecFlag.FILE_CAPABILITIES), capabilities=1 << 10, uid=1000, euid=1000
    )
    assert not stage.codes(process)


def test_unexplained_credentials_are_an_invariant(stage: Stage) -> None:
    """Credentials that changed without a call or an execution have a floor that nothing talks away."""
    process = stage.run(["x"], uid=1000)
    stage.change(process, Explanation.NONE, (1000, 1000), (0, 0))
    assert stage.last[0].floor == 90
    assert stage.score(process) >= 90


@pytest.mark.parametrize("explanation", [Explanation.EXEC, Explanation.USER_NAMESPACE])
def test_explained_credentials(stage: Stage, explanation: Explanation) -> None:
    """Set-uid execution and user namespaces change credentials by the rules."""
    process = stage.run(["x"], uid=1000)
    stage.change(process, explanation, (1000, 1000), (1000, 0))
    assert not stage.codes(process)


def test_becoming_root_by_a_capability(stage: Stage) -> None:
    """A process that was nobody and makes itself root by a call had a capability that leads to root."""
    process = stage.run(["python3"], uid=1000)
    stage.change(process, Explanation.SET_ID, (1000, 1000), (0, 0))
    assert "capability_to_root" in stage.codes(process)


def test_dropping_privileges_is_ordinary(stage: Stage) -> None:
    """Services give up root, and set-uid programs take what they have."""
    process = stage.run(["nginx"], uid=0)
    stage.change(process, Explanation.SET_ID, (0, 0), (33, 33))
    sudo = stage.run(["sudo", "ls"], flags=SETUID, uid=1000, euid=0)
    stage.change(sudo, Explanation.SET_ID, (1000, 0), (0, 0))
    assert not stage.codes(process)
    assert not stage.codes(sudo)


def test_script_that_a_privileged_program_feeds(stage: Stage) -> None:
    """A shell under sudo that reads its commands from a pipe serves a program."""
    shell = stage.run(["bash"], stage.sudo(["python3", "deploy.py"]), stdin=stage.pipe(), stdout=Stdio.CHARACTER)
    assert stage.score(shell) < 50
