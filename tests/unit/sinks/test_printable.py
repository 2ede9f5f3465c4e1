"""Text that an attacker chose can do no harm."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.records import text
from pyloader.sinks.printable import encodable, printable

hostile = st.binary().map(text) | st.text()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text", "plain text"),
        ("naïve 日本", "naïve 日本"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\u200b\ufeff", "\\u200b\\ufeff"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
        ("\ue000", "\\ue000"),
        ("", ""),
    ],
)
def test_printable(raw: str, shown: str) -> None:
    """What is not plainly visible is shown as an escape, and all else as it is."""
    assert shown == printable(raw)


@given(hostile)
def test_printable_is_one_visible_line(raw: str) -> None:
    """Whatever the text, the result is one line of visible characters that can be encoded."""
    shown = printable(raw)

    assert len(f"x{shown}".splitlines()) == 1
    assert not {char for char in shown if unicodedata.category(char)[0] == "C"}
    assert shown.encode().decode() == shown


@given(hostile)
def test_printable_changes_nothing_twice(raw: str) -> None:
    """What is printable stays as it is."""
    assert printable(raw) == printable(printable(raw))


@given(st.binary().map(text))
def test_encodable(raw: str) -> None:
    """Text of kernel bytes can be encoded, and what was UTF-8 is unchanged."""
    shown = encodable(raw)

    assert shown.encode().decode() == shown
    assert shown == raw or any(0xDC80 <= ord(char) <= 0xDCFF for char in raw)
