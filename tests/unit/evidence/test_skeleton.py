"""Command lines whose differences do not matter have one skeleton."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.evidence.skeleton import BYTES, WORDS, skeleton, without_numbers


def form(*argv: str) -> str:
    """Return the skeleton of an argument vector."""
    return skeleton(without_numbers(b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in argv)))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["ls"], ""),
        (["git", "log", "-n20", "/srv/app"], "log -n /srv"),
        (["nginx", "-s", "reload"], "-s …"),
        (["nginx", "-c", "/tmp/x.conf"], "-c /tmp"),
        (["kill", "-9", "4711"], "- 0"),
        (["curl", "https://example.org/x", "--output=/tmp/x"], "…:// --output"),
        (["ping", "192.0.2.7"], "…"),
        (["tool", "/strange/place", ""], "/other 0"),
        (["gcc", "-O2", "-c", "main.c", "util.c"], "-O -c … …"),
    ],
)
def test_skeleton(argv: list[str], expected: str) -> None:
    """Options keep their names; numbers, values and paths are told by their class."""
    assert form(*argv) == expected


def test_numbers_and_names_make_no_difference() -> None:
    """Two runs that differ in numbers, in file names and in values of options have one skeleton."""
    one = form("tool", "--input", "/srv/data/1.csv", "--seed", "7919", "--name=a", "x.c")
    other = form("tool", "--input", "/srv/other/file.csv", "--seed", "1", "--name=bcd", "y.c")

    assert one == other


def test_place_of_a_file_makes_a_difference() -> None:
    """A configuration from a place for temporary files is another form of command."""
    assert form("nginx", "-c", "/etc/nginx/nginx.conf") != form("nginx", "-c", "/tmp/nginx.conf")


@given(st.binary(max_size=2 * BYTES))
def test_any_bytes_have_a_short_skeleton(args: bytes) -> None:
    """Whatever the arguments are, their skeleton has few words, each of them short."""
    words = skeleton(without_numbers(args)).split(" ")

    assert len(words) <= WORDS * 25
    assert len(" ".join(words)) <= WORDS * 25
