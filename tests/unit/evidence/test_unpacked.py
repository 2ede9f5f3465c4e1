"""What is decoded or unpacked with a password, and then executed."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest

from pyloader.evidence.programs import Program, Role
from pyloader.evidence.unpacked import Unpacked
from pyloader.host import Process
from pyloader.records import ExecFlag, Stdio
from tests.unit.evidence.stage import SECOND, Stage

MEDIUM = 50
HIGH = 62
DECODERS = [
    ["base64", "-d"],
    ["base64", "--decode", "/tmp/in"],
    ["xxd", "-r", "-p"],
    ["openssl", "enc", "-d", "-aes-256-cbc", "-k", "x"],
    ["gpg", "-d", "in.gpg"],
    ["base32", "-d"],
]


@pytest.fixture(name="shell")
def _shell(stage: Stage) -> Process:
    return stage.run(["bash"])


def script(stage: Stage, shell: Process, path: str) -> Process:
    """Execute a script by its path."""
    return stage.run(["sh", path], shell, exe="/usr/bin/dash", filename=path, flags=int(ExecFlag.SCRIPT))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("path", ["/tmp/x", "/dev/shm/run.sh", "/var/tmp/.y"])
def test_a_decoded_file_is_executed(stage: Stage, shell: Process, decoder: list[str], path: str) -> None:
    """A file in a place for temporary files that is executed right after something was decoded into a file is told."""
    stage.run(decoder, shell, stdout=Stdio.FILE)
    assert stage.score(script(stage, shell, path)) >= HIGH

    stage.run(decoder, shell, stdout=Stdio.FILE)
    assert stage.score(stage.run(["bash", path], shell)) >= HIGH

    stage.run(decoder, shell, stdout=Stdio.FILE)
    assert stage.score(stage.run([path], shell, exe=path)) >= HIGH


def test_a_decoded_file_is_made_executable(stage: Stage, shell: Process) -> None:
    """A file that was made executable in between is the one that was decoded, however deep it lies."""
    stage.run(["base64", "-d"], shell, stdout=Stdio.FILE)
    stage.run(["chmod", "+x", "/tmp/a/b/c"], shell)

    assert stage.score(script(stage, shell, "/tmp/a/b/c")) >= HIGH


@pytest.mark.parametrize("command", [["openssl", "base64", "-d", "-out", "tool"], ["gpg", "-o", "tool", "-d", "t.gpg"]])
def test_a_file_that_the_decoder_was_told_to_write(stage: Stage, shell: Process, command: list[str]) -> None:
    """The name of the output is the link, also where nothing else is odd: worth a look."""
    stage.run(command, shell)

    assert MEDIUM <= stage.score(stage.run(["./tool"], shell, exe="/srv/app/tool")) < HIGH


@pytest.mark.parametrize(
    "command",
    [["unzip", "-P", "infected", "a.zip"], ["7z", "x", "-pinfected", "a.7z"], ["unrar", "x", "-psecret", "a.rar"]],
)
@pytest.mark.parametrize("path", ["run.sh", "/tmp/d/run.sh"])
def test_a_protected_archive(stage: Stage, shell: Process, command: list[str], path: str) -> None:
    """What comes out of an archive whose password was among the arguments, and is run at once, is told."""
    stage.run(command, shell)

    assert stage.score(stage.run(["bash", path], shell)) >= HIGH


def test_a_decoded_archive(stage: Stage, shell: Process) -> None:
    """An archive that is decoded and unpacked in one go, out of which something is run, is worth a look at least."""
    pipe = stage.pipe()
    stage.run(["base64", "-d", "payload"], shell, stdout=pipe)
    stage.run(["tar", "xz"], shell, stdin=pipe)

    assert stage.score(script(stage, shell, "/tmp/d/run")) >= HIGH
    assert MEDIUM <= stage.score(script(stage, shell, "d/run")) < HIGH


def test_decoded_code_as_an_argument(stage: Stage, shell: Process) -> None:
    """`bash -c "$(… | base64 -d)"` is told by the code that follows the decoder at once."""
    copy = stage.fork(shell)
    copy.args = shell.args
    stage.run(["base64", "-d"], copy, stdout=stage.pipe())

    assert stage.score(stage.run(["bash", "-c", "#!/bin/sh\nid\nuname -a"], shell)) >= HIGH


@pytest.mark.parametrize(
    "after",
    [
        ["cat", "/tmp/x"],
        ["python3", "deploy.py"],
        ["bash", "/opt/app/deploy.sh"],
        ["/usr/bin/make"],
        ["/tmp/venv/bin/python"],
        ["sh", "-c", "test -s /tmp/cert.pem"],
        ["kubectl", "apply", "-f", "/tmp/manifest"],
    ],
)
def test_decoding_for_its_own_sake(stage: Stage, shell: Process, after: list[str]) -> None:
    """Whoever decodes a key or a certificate and goes on working is quiet."""
    stage.run(["base64", "-d"], shell, stdout=Stdio.FILE)
    stage.run(["chmod", "600", "/tmp/cert.pem"], shell)

    assert stage.score(stage.run(after, shell)) < MEDIUM


def test_ordinary_archives(stage: Stage, shell: Process) -> None:
    """Archives without a password are unpacked and their contents run all day."""
    pipe = stage.pipe()
    stage.run(["gzip", "-cd", "a.tgz"], shell, stdout=pipe)
    stage.run(["tar", "x"], shell, stdin=pipe)
    stage.run(["unzip", "a.zip", "-d", "/tmp/u"], shell)
    for path in ("/tmp/u/configure", "./install.sh"):
        assert stage.score(script(stage, shell, path)) < MEDIUM


def test_a_while_later(stage: Stage, shell: Process) -> None:
    """What is run minutes later, or by another shell, has nothing to do with it."""
    stage.run(["base64", "-d"], shell, stdout=Stdio.FILE)
    assert stage.score(script(stage, stage.run(["bash"]), "/tmp/x")) < MEDIUM

    stage.now += 180 * SECOND
    assert stage.score(script(stage, shell, "/tmp/x")) < MEDIUM


def test_shells_are_bounded(stage: Stage) -> None:
    """Only so many shells are remembered, and those that were forgotten are counted."""
    unpacked = Unpacked(capacity=4)
    for _ in range(10):
        child = stage.run(["base64", "-d"], stage.run(["bash"]), stdout=Stdio.FILE)
        unpacked.executed(child, Program("base64", Role.DECODER), child.args, "", stage.now)

    assert unpacked.evicted == 6
