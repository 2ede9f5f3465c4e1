"""A payload is told for what it is, or refused by one kind of error."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.alerts import Alert
from pyloader.alerts.alert import NetworkSubject, Subject
from pyloader.nats.tail_payloads import PayloadError, told
from pyloader.records.codec import encode
from pyloader.sinks.jsonlines import alert_object, encoded
from pyloader.testing import HEADER, remote_shell
from tests.unit.examples import alert

_PACKETS = NetworkSubject("192.0.2.1", 1, "192.0.2.2", 22, "tcp", 2, [22])


def test_records_and_headers() -> None:
    """Records and headers come back as they were sent."""
    assert told(encode(remote_shell())) == remote_shell()
    assert told(msgspec.msgpack.encode(HEADER)) == HEADER


@pytest.mark.parametrize("one", [alert(), msgspec.structs.replace(alert(), subject=_PACKETS)])
def test_alerts(one: Alert) -> None:
    """Alerts come back with the right kind of subject."""
    found = told(encoded(alert_object(one)))

    assert isinstance(found, Alert)
    assert isinstance(found.subject, Subject | NetworkSubject)
    assert alert_object(found) == alert_object(one)


def test_other_objects() -> None:
    """What else has a type comes as it is."""
    assert told(b'{"type":"gap","count":3}') == {"type": "gap", "count": 3}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "malformed record"),
        (b"\xc1", "malformed record"),
        (b"[1]", "malformed record"),
        (b"\x91" * 100_000, "oversized record"),
        (b"{", "malformed object"),
        (b"{}", "malformed object"),
        (b'{"type":1}', "malformed object"),
        (b'{"type":"alert"}', "malformed object"),
        (b'{"type":"\xff"}', "malformed object"),
        (b'{"a":' * 5_000, "malformed object"),
        (msgspec.msgpack.encode(["pyloader"]), "malformed record"),
        (msgspec.msgpack.encode(["pyloader", 1]), "malformed record"),
        (msgspec.msgpack.encode(["pyloader", 2, "what comes after"]), "unknown format"),
    ],
)
def test_bad_payloads(data: bytes, kind: str) -> None:
    """What is wrong is said in two words, of which there are few."""
    with pytest.raises(PayloadError) as caught:
        told(data)

    assert caught.value.kind == kind


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda rest: b'{"type":"alert"' + rest))
def test_nothing_but_payload_errors(data: bytes) -> None:
    """Any bytes are told or refused."""
    with contextlib.suppress(PayloadError):
        told(data)
