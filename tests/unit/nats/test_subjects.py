"""Subjects from templates."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.config.settings import SUBJECT
from pyloader.errors import UsageError
from pyloader.nats.subjects import FIELDS, Template, covers, token

VALUES = {"host": "web1", "domain": "process", "type": "alert", "instance": "default", "severity": "high"}

_VALID = re.compile(r"[^\s.*>\0-\x20\x7f-\U0010ffff]+")

anything = st.text(st.characters(exclude_categories=()), max_size=300)


def test_default() -> None:
    """By default a subject tells host, domain and type, and subscribers leave out what they do not mind."""
    template = Template(SUBJECT)

    assert template.subject(**VALUES) == "pyloader.web1.process.alert"
    assert template.pattern() == "pyloader.*.*.*"
    assert template.pattern(type="alert") == "pyloader.*.*.alert"


@given(st.lists(anything, min_size=5, max_size=5))
def test_every_subject_is_valid(values: list[str]) -> None:
    """Whatever the values are, the subject is valid, has one token for each part, and falls under its pattern."""
    template = Template("pyloader.{host}.{domain}.{type}.{instance}.of-{severity}")
    subject = template.subject(**dict(zip(FIELDS, values, strict=True)))
    tokens = subject.split(".")

    assert len(tokens) == 6
    assert all(_VALID.fullmatch(one) for one in tokens)
    assert len(subject) < 4_096
    assert covers(template.pattern(), subject)
    assert covers(template.pattern(host=values[0]), subject)


@given(anything, anything)
def test_tokens_differ(one: str, other: str) -> None:
    """Two values never become one token."""
    assert (token(one) == token(other)) == (one == other)


@given(st.text(max_size=20))
def test_field_of_a_subject(host: str) -> None:
    """From a subject a field can be told again."""
    template = Template(SUBJECT)

    assert template.field("host", template.subject(**VALUES | {"host": host})) == host
    assert template.field("severity", "pyloader.web1.process.alert") is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "something"),
        ("pyloader..x", "something"),
        ("pyloader.{host}.", "something"),
        ("pyloader.{user}", "{host}, {domain}"),
        ("pyloader.{}", "fields"),
        ("pyloader.{host!r}", "fields"),
        ("pyloader.{host:>9}", "fields"),
        ("pyloader.{host.name}", "counterpart"),
        ("pyloader.{host", "counterpart"),
        ("pyloader.host}", "counterpart"),
        ("pyloader.*", "wildcards"),
        ("pyloader.>", "wildcards"),
        ("py loader", "blanks"),
        ("pyloader.é", "ASCII"),
        ("{host}.x", "word"),
        ("$SYS.{host}", "word"),
    ],
)
def test_bad_templates(text: str, why: str) -> None:
    """A template that cannot make subjects is refused, with the reason."""
    with pytest.raises(UsageError, match=re.escape(why)):
        Template(text)


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        (">", "a.b", True),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        ("a.*", "a.b", True),
        ("a.*", "a.*", True),
        ("a.b", "a.*", False),
        ("a.*", "a.b.c", False),
        ("a.*.c", "a.>", False),
        ("a.>", "a.>", True),
    ],
)
def test_covers(pattern: str, subject: str, *, expected: bool) -> None:
    """Whether one pattern holds all of another follows the rules of NATS."""
    assert covers(pattern, subject) is expected
