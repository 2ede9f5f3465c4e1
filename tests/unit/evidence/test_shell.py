"""Reading command lines and shell code."""

import pytest

from pyloader.evidence.programs import ROLES, Programs, Role, plain_name
from pyloader.evidence.shell import embeds_shell, is_interactive, pipelines, shell_code, unwrapped


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a b | c; d", [[("a", "b"), ("c",)], [("d",)]]),
        ("'a b' \"c d\" e\\ f", [[("a b", "c d", "e f")]]),
        ("X=1 a", [[("a",)]]),
        ("if a; then b; fi", [[("a",)], [("b",)], [("fi",)]]),
        ("a > f 2>&1 < g", [[("a",)]]),
        ("a $(b c) d", [[("b", "c")], [("a", "$(…)", "d")]]),
        ("a `b`", [[("b",)], [("a", "`…)")]]),
        ('a "$(b)"', [[("b",)], [("a", "$(b)")]]),
        ("X=$(a) b", [[("a",)], [("b",)]]),
        ("(a; b) | c", [[("a",)], [("b",)], [("(…)",), ("c",)]]),
        ("a # b | c", [[("a",)]]),
        ("a && b || c &", [[("a",)], [("b",)], [("c",)]]),
    ],
)
def test_pipelines(code: str, expected: list[list[tuple[str, ...]]]) -> None:
    """Words, pipelines and substitutions are told apart as a shell would."""
    assert [[command.argv for command in pipeline] for pipeline in pipelines(code)] == expected


def test_redirections() -> None:
    """A command knows the files that it writes and reads, not the descriptors that it copies."""
    ((command,),) = pipelines("a > f 2>> g < h 2>&1")
    assert (command.writes, command.reads) == (["f", "g"], ["h"])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sh -c X", "X"),
        ("bash -lc X", "X"),
        ("bash --norc -c X", "X"),
        ("sh x.sh -c y", ""),
        ("bash", ""),
        ("sh -c", ""),
    ],
)
def test_shell_code(line: str, code: str) -> None:
    """The code of a shell is the word behind `-c`, before any script."""
    assert shell_code(tuple(line.split())) == code


@pytest.mark.parametrize(
    ("line", "inner"),
    [
        ("sudo -u root -E bash -", "bash -"),
        ("sudo A=1 env B=2 nice -n 5 ls", "ls"),
        ("timeout -s KILL 5 sh", "sh"),
        ("nohup setsid x", "x"),
        ("ls -l", "ls -l"),
        ("sudo", "sudo"),
    ],
)
def test_unwrapped(line: str, inner: str) -> None:
    """What wrappers run is what counts."""
    assert unwrapped(tuple(line.split())) == tuple(inner.split())


@pytest.mark.parametrize("line", ["sh", "bash -i", "bash -p", "sh -c sh", "bash --norc -i"])
def test_bare_shell(line: str) -> None:
    """A shell without code and script waits for its user."""
    assert is_interactive(tuple(line.split()), Role.SHELL)


@pytest.mark.parametrize("line", ["sh x.sh", "bash -c ls", "sh -c make"])
def test_busy_shell(line: str) -> None:
    """A shell with code or a script does what it says."""
    assert not is_interactive(tuple(line.split()), Role.SHELL)


@pytest.mark.parametrize(
    "text", [":!/bin/sh", "!sh", 'system("/bin/sh -i")', "x;/bin/bash", "--a=/bin/sh", "/bin/sh 0<&1"]
)
def test_embedded_shell(text: str) -> None:
    """A bare shell is recognised inside an argument."""
    assert embeds_shell(text)


@pytest.mark.parametrize("text", ["/bin/sh", "publish", "sh x.sh", "['bash', 'x.sh']", "#!/bin/sh", "user:bash"])
def test_mentioned_shell(text: str) -> None:
    """The name of a shell alone, and a shell with work to do, are no escape."""
    assert not embeds_shell(text)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("python3.11", "python"),
        ("perl5.36.0", "perl"),
        ("vim.basic", "vim"),
        ("nc.openbsd", "nc"),
        ("php8.2", "php"),
        ("-bash", "bash"),
        ("lua5.4", "lua"),
        ("luajit-2.1.0-beta3", "luajit"),
        ("pypy3.9", "pypy"),
        ("gcc-12", "gcc"),
        ("base64", "base64"),
        ("x86_64", "x86_64"),
        ("foo", "foo"),
    ],
)
def test_plain_name(name: str, plain: str) -> None:
    """Versions and variants of distributions are no part of a program's name."""
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    "name", ["1" * 60 + "x", "1." * 30 + "x", "-1" * 30 + "_", "gcc" + "-12" * 80, "9" * 250 + "x"]
)
def test_name_that_is_no_version(name: str) -> None:
    """A made-up name is looked at once, not in every way to cut it into versions: those are beyond all counting."""
    assert plain_name(name) == name.removeprefix("-")


def test_programs_are_bounded() -> None:
    """However many names come, only so many are remembered, and the rest is counted."""
    programs = Programs(capacity=10)
    for number in range(25):
        programs.named(f"/usr/bin/program-x{number}y")
    assert programs.evicted == 20


def test_every_name_has_a_role() -> None:
    """The table has no empty entries."""
    assert all(ROLES.values())
