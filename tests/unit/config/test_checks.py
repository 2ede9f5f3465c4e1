"""The checks of single values."""

import math
from typing import Any

import pytest

from pyloader.config import KEYS
from pyloader.config.checks import threshold_of


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("min_score", 100.1, "100.1 is not between 0 and 100"),
        ("min_score", math.nan, "nan is not between 0 and 100"),
        ("nats.min_score", -1, "-1 is not between 0 and 100"),
        ("min_score", "high", "expected a number, got 'high'"),
        ("min_score", True, "expected a number, got True"),
        ("min_score", 10**400, "expected a number, got 1000"),
        ("alert_budget", "0/day", "'0/day' is no budget"),
        ("alert_budget", f"{'9' * 400}/day", "is no budget"),
        ("duration", 0, "0 is not a positive number of seconds"),
        ("duration", math.inf, "inf is not a positive number of seconds"),
        ("workers", 0, "0 is not a number of workers from 1 to 16"),
        ("workers", 17, "17 is not a number of workers from 1 to 16"),
        ("workers", 2.0, "expected a whole number, got 2.0"),
        ("ring_bytes", 65_537, "65537 is not a power of two from 65536"),
        ("nats.spool_bytes", 1, "1 is not a number of bytes from 65536"),
        ("nats.spool_bytes", 10**400, "is not a number of bytes"),
        ("instance", "a.b", "'a.b' is not a name of up to 32 letters"),
        ("nats.stream", "a.b", "'a.b' is not a name of up to 64 letters"),
        ("interfaces", ["eth0", "a b"], "'a b' is no name of an interface"),
        ("interfaces", "eth0", "expected a list, each text, got 'eth0'"),
        ("monitors", [], "there is no monitor ''"),
        ("monitors", ["process", "nothing"], "there is no monitor 'nothing'; there are: process"),
        ("state_dir", "", "expected a path, got ''"),
        ("state_dir", "a\0b", "expected a path, got 'a\\x00b'"),
        ("state", "yes", "expected true or false, got 'yes'"),
        ("transport", "mail", "expected one of ring, perf, got 'mail'"),
        ("output.format", "xml", "expected one of text, json, got 'xml'"),
        ("nats.publish", ["mail"], "expected a list, each one of alerts, assessments, records, got ['mail']"),
        ("nats.url", ["nats://me:secret@host"], "expected text, got ['nats://***@host']"),
    ],
)
def test_what_is_refused(key: str, value: object, message: str) -> None:
    """A value that cannot be meant is refused with words that say what was expected and what was there."""
    with pytest.raises(ValueError, match=r"[\s\S]") as caught:
        KEYS[key].decode(value)

    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("min_score", 0),
        ("min_score", 100),
        ("duration", 0.1),
        ("workers", 16),
        ("ring_bytes", 65_536),
        ("ring_bytes", 1 << 30),
        ("instance", "a" * 32),
        ("interfaces", ["eth0", "x" * 15]),
        ("monitors", ["network", "memory"]),
    ],
)
def test_what_is_taken(key: str, value: Any) -> None:  # noqa: ANN401 -- each key has a type of its own.
    """The bounds themselves are allowed."""
    assert KEYS[key].decode(value) == (tuple(value) if isinstance(value, list) else value)


def test_budgets() -> None:
    """One alert a day is one in twenty-four hours, and seven a week."""
    assert threshold_of("1/day") == pytest.approx(threshold_of("7/week"))
    assert threshold_of("24/day") == pytest.approx(threshold_of("1/hour"))
    assert threshold_of("30/month") == pytest.approx(threshold_of("1.0/day"))
