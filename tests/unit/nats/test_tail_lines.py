"""Messages become lines that no sender can forge or break."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.nats.subjects import Template
from pyloader.nats.tail_lines import Lines
from pyloader.nats.tail_reader import Sent
from pyloader.pipeline import Assessment
from pyloader.records.codec import encode
from pyloader.sinks.jsonlines import alert_object, encoded, event_object
from pyloader.sinks.textual import alert_line
from pyloader.testing import HEADER, remote_shell
from tests.unit.examples import alert

_TEMPLATE = Template("pyloader.{host}.{domain}.{type}")


def _line(data: bytes, *, as_json: bool = False, subject: str = "pyloader.web%2E1.process.record") -> str:
    return Lines(_TEMPLATE, as_json=as_json).line(Sent(subject, data, {}, 1)).decode()


def test_alerts_as_run_prints_them() -> None:
    """In text an alert is the line of `pyloader run` with the host behind it."""
    assert _line(encoded(alert_object(alert()))) == f"{alert_line(alert())} host=web.1\n"


def test_json_as_received() -> None:
    """JSON is passed on byte for byte, unless it has line breaks."""
    data = b'{ "type": "gap",  "count": 3 }'

    assert _line(data, as_json=True) == f"{data.decode()}\n"
    assert _line(data.replace(b"  ", b"\n"), as_json=True) == '{"type":"gap","count":3}\n'


def test_records_have_no_score() -> None:
    """A raw record is an event that nobody has scored."""
    shown = json.loads(_line(encode(remote_shell()), as_json=True))

    assert shown["event"] == "process_exec"
    assert shown["host"] == "web.1"
    assert "score" not in shown
    assert "score" not in _line(encode(remote_shell()))


def test_headers_and_gaps() -> None:
    """Headers and gaps are lines of their own."""
    assert _line(msgspec.msgpack.encode(HEADER)).startswith("header version=1 boot_id=9f6ba5ab-")
    assert _line(b'{"type":"gap","count":3,"reason":"too old"}') == 'gap count=3 reason="too old" host=web.1\n'


def test_a_template_without_host() -> None:
    """Where subjects do not show the host, text does not either."""
    lines = Lines(Template("pyloader.{type}"), as_json=False)

    assert lines.line(Sent("pyloader.gap", b'{"type":"gap","count":3}', {}, 1)) == b"gap count=3\n"


@pytest.mark.parametrize(
    "data",
    [
        encoded(alert_object(msgspec.structs.replace(alert(), domain="x\nHigh threat\x1b[2J"))),
        encoded(alert_object(msgspec.structs.replace(alert(), rarity="\u202ereversed\r"))),
        msgspec.json.encode({"type": "gap\n\x1b", "a\nb": {"c\n": "\x1b"}, "d": ["\n", None, 1.5]}),
        msgspec.json.encode({"type": "event", "event": "\nHigh threat", "comm": "\x1b[2J"}),
        encode(remote_shell(args=b"bash\0\n\x1b[2J\xff\0")),
    ],
)
def test_no_line_is_forged(data: bytes) -> None:
    """Whatever a sender writes, it becomes one line without control characters."""
    line = _line(data)

    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()


def test_meaningless_values_are_counted() -> None:
    """A score that is no number is counted and not shown."""
    lines = Lines(_TEMPLATE, as_json=False)
    wrong = encoded(alert_object(alert())).replace(b'"score":62.4', b'"score":1e999')

    assert lines.line(Sent("pyloader.a.b.c", wrong, {}, 1)) == b""
    assert lines.counts.total() == 1


@given(st.binary(max_size=200), st.text(max_size=20), st.booleans())
def test_any_message(data: bytes, subject: str, as_json: bool) -> None:  # noqa: FBT001 -- hypothesis draws it.
    """Any bytes on any subject give one line or none, and are counted."""
    lines = Lines(_TEMPLATE, as_json=as_json)
    line = lines.line(Sent(subject, data, {}, 1))

    assert line.count(b"\n") == len(line.splitlines()) == bool(line)
    assert lines.counts.total() == 1


def test_assessments() -> None:
    """An assessment is shown with its score."""
    shown = encoded(event_object(Assessment(remote_shell(), None, 70.0)))

    assert "score=" in _line(shown)
