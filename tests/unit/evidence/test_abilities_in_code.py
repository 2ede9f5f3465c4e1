"""Code on a command line: what one-liners do, words taken apart, and shells that it opens or plants."""

import pytest

from tests.unit.evidence.stage import Stage


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("perl -e 'print `id`; system(\"id\")'", "code_runs_program"),
        ("php -r 'echo shell_exec(\"id\");'", "code_runs_program"),
        ('node -e \'require("child_process").execSync("id")\'', "code_runs_program"),
        ('python3 -c \'import urllib.request as u; u.urlretrieve("http://h/x","x")\'', "code_talks"),
        ("php -r 'readfile(\"http://h/x\");'", "code_talks"),
        ('ruby -e \'require "net/ftp"; Net::FTP.open("h")\'', "code_talks"),
        ("python3 -c 'print(open(\"/root/x\").read())'", "code_handles_file"),
        ('lua -e \'io.open("/root/x", "w"):write(1)\'', "code_handles_file"),
        ("ruby -e 'File.write(\"/root/x\", 1)'", "code_handles_file"),
    ],
)
def test_what_a_one_liner_does(stage: Stage, line: str, code: str) -> None:
    """One-liners that run programs, use the network or handle files are told, far below an alarm."""
    process = stage.typed(line)
    assert stage.codes(process) == {code}
    assert stage.score(process) < 40


@pytest.mark.parametrize(
    "line",
    [
        "python3 -c 'import sys; print(sys.version)'",
        "perl -pe 's/a/b/' f",
        "ruby -e 'puts 1 + 1'",
        "node -p process.platform",
        "php -r 'echo 1;'",
        "lua -e 'print(1)'",
    ],
)
def test_one_liners_that_compute(stage: Stage, line: str) -> None:
    """One-liners that only compute say nothing."""
    assert not stage.codes(stage.typed(line))


@pytest.mark.parametrize(
    "code",
    ["w\\ho\\am\\i", "wh''oa''mi", "cat$IFS/etc/passwd", "cat${IFS}x", "${PATH:0:1}bin${PATH:0:1}id", "who$@ami"],
)
def test_words_taken_apart(stage: Stage, code: str) -> None:
    """Words that are written so as not to be found are told."""
    assert "scrambled_code" in stage.codes(stage.run(["sh", "-c", code]))


@pytest.mark.parametrize(
    "code",
    [
        "echo -e 'line1\\r\\nline2\\n'",
        "sed -r 's/([0-9]+)-([a-z]+)/\\2\\1/; s/\\s\\w//' f",
        "find . -printf '%p$IFS'",
        'IFS="$IFS_save"',
        "grep -P 'a\\sb\\sc' f",
        "printf 'a\\tb\\n'",
    ],
)
def test_escapes_in_quotes(stage: Stage, code: str) -> None:
    """Escapes that the command itself reads hide nothing."""
    assert "scrambled_code" not in stage.codes(stage.run(["sh", "-c", code]))


@pytest.mark.parametrize(
    "code",
    [
        "echo 'exec /bin/sh 0<&2 1>&2' > x; chmod +x x",
        "printf '/bin/bash -i' | tee /tmp/x",
        "echo '/bin/sh <$(tty) >$(tty)' | at now",
        "echo '#!/bin/bash -p' >> x",
    ],
)
def test_planted_shell(stage: Stage, code: str) -> None:
    """Shell code that writes what opens a shell is told."""
    assert "shell_planted" in stage.codes(stage.run(["sh", "-c", code]))


@pytest.mark.parametrize(
    "code", ["echo '#!/bin/sh' > x", "echo SHELL=/bin/sh >> Makefile", "echo use /bin/sh please", "cat x | sh"]
)
def test_text_that_plants_no_shell(stage: Stage, code: str) -> None:
    """A first line of a script, a setting and a sentence open no shell."""
    assert "shell_planted" not in stage.codes(stage.run(["sh", "-c", code]))


def test_shell_that_keeps_rights(stage: Stage) -> None:
    """Only a set-uid shell needs to be told to keep its rights."""
    parent = stage.run(["bash"], uid=1000)
    assert "shell_keeps_rights" in stage.codes(stage.run(["bash", "-p"], parent))
    assert "shell_keeps_rights" not in stage.codes(stage.run(["bash", "-l"], parent))


def test_bare_shell_in_a_shell(stage: Stage) -> None:
    """A bare shell out of a shell weighs little, and none where a terminal opens it or a pipe feeds it."""
    parent = stage.run(["bash"], uid=1000)
    nested = stage.run(["zsh"], parent)
    assert stage.codes(nested) == {"nested_shell"}
    assert stage.score(nested) < 30
    assert not stage.codes(stage.run(["bash"], stage.run(["tmux"])))
    assert not stage.codes(stage.run(["sh"], parent, stdin=stage.pipe()))
