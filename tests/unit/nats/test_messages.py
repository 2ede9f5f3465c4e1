"""What is published."""

import json
from io import BytesIO

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pyloader.config.settings import SUBJECT
from pyloader.nats.losses import Loss, Losses
from pyloader.nats.messages import Composer, domain_of, identifier_of
from pyloader.nats.segments import Entry
from pyloader.nats.subjects import Template
from pyloader.pipeline import Assessment
from pyloader.records import KERNEL_RECORDS, SENSOR_RECORDS, AnyRecord
from pyloader.records.codec import encode
from pyloader.records.recording import Header, RecordingReader
from tests.unit.examples import HEADER, alert, exec_record, loss_record, opened_record

NOW = 1_700_000_000_000_000_000


def _composer(start: int = 1, subject: str = SUBJECT) -> Composer:
    return Composer(HEADER, Template(subject), instance="one", start=start)


def test_a_header_and_records_are_a_recording() -> None:
    """The payloads of a header and of the records behind it, back to back, are a recording."""
    records: list[AnyRecord] = [exec_record(), opened_record(), loss_record()]
    header = _composer().header(NOW)
    entries = list(_composer().records(records, [encode(one) for one in records], NOW))
    whole = b"".join([header.data, *(entry.data for entry in entries)])

    assert [[*batch] for batch in RecordingReader(BytesIO(whole), "x").batches()] == [records]
    assert [entry.subject for entry in entries] == [
        "pyloader.host.process.record",
        "pyloader.host.connection.record",
        "pyloader.host.sensor.record",
    ]
    assert msgspec.msgpack.decode(header.data, type=Header) == HEADER


def test_identifiers_of_records() -> None:
    """The same bytes have the same identifier, whoever reads them when; other bytes, and another boot, another one."""
    record = exec_record()
    raw = encode(record)

    def identifier(data: bytes = raw, composer: Composer | None = None, now: int = NOW) -> str:
        [entry] = (composer or _composer()).records([record], [data], now)
        return entry.id

    rebooted = Composer(msgspec.structs.replace(HEADER, boot_id="other"), Template(SUBJECT), instance="one", start=1)
    assert identifier() == identifier(composer=_composer(start=2), now=NOW + 1)
    assert identifier().startswith(f"{HEADER.boot_id}:process:{record.timestamp:x}:")
    assert len({identifier(), identifier(raw + b"\0"), identifier(composer=rebooted)}) == 3


def test_identifiers_of_alerts_and_assessments() -> None:
    """An alert is identified by itself and the number of its update, an assessment by its record."""
    [one] = _composer().assessments([Assessment(exec_record(), None, 70.0)], NOW)
    [other] = _composer(start=2).assessments([Assessment(exec_record(), None, 80.0)], NOW)

    assert one.id == other.id
    assert one.subject == "pyloader.host.process.assessment"
    assert identifier_of(alert(id="x", update=2)) == "x:2"
    assert _composer().alert(alert(id="x"), NOW).subject == "pyloader.host.process.alert"


def test_gap() -> None:
    """A gap says what is missing, how much of it, why and of which time, and each is another message."""
    composer = _composer(subject="x.{instance}.{type}")
    loss = Loss("record", "spool full", 7, NOW, NOW + 1_000_000_000)
    entries = [composer.gap(loss, NOW), composer.gap(loss, NOW), _composer(start=2).gap(loss, NOW)]

    assert json.loads(entries[0].data) == {
        "type": "gap",
        "host": "host",
        "boot_id": HEADER.boot_id,
        "lost": "record",
        "count": 7,
        "reason": "spool full",
        "from": "2023-11-14T22:13:20Z",
        "to": "2023-11-14T22:13:21Z",
    }
    assert len({entry.id for entry in entries}) == 3
    assert entries[0].subject == "x.one.gap"


def test_names_that_are_no_text() -> None:
    """What is no UTF-8 in a name makes no message impossible."""
    [entry] = _composer().assessments([Assessment(exec_record(comm=b"\xff".ljust(16, b"\0")), None, 70.0)], NOW)
    shown = _composer().alert(alert(summary="\udcff"), NOW)

    assert json.loads(entry.data)["comm"] == "\\xff"
    assert json.loads(shown.data)["summary"] == "\\xff"


def test_domains() -> None:
    """Every record belongs to a monitor or to the sensor."""
    assert {domain_of(kind) for kind in KERNEL_RECORDS} == {"process", "memory", "network", "connection"}
    assert {domain_of(kind) for kind in SENSOR_RECORDS} == {"sensor"}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(1, 5), st.integers(0, 9))))
def test_losses_add_up(found: list[tuple[str, str, int, int]]) -> None:
    """However losses come, by kind and reason they add up, and the times cover them."""
    losses = Losses()
    for kind, reason, count, time in found:
        losses.add(Loss(kind, reason, count, time, time))
    taken = losses.take()

    assert sum(one.messages for one in taken) == sum(count for _, _, count, _ in found) == sum(losses.total.values())
    assert len(taken) == len({(kind, reason) for kind, reason, _, _ in found})
    for one in taken:
        times = [time for kind, reason, _, time in found if (kind, reason) == (one.kind, one.reason)]
        assert (one.begin, one.end) == (min(times), max(times))
    assert losses.take() == []


def test_entries_that_are_lost() -> None:
    """Entries are counted by their kind, with the times at which they were handed over."""
    losses = Losses()
    losses.add_entries([Entry("alert", time, "", "", b"") for time in (3, 5)], "closed")

    assert losses.take() == [Loss("alert", "closed", 2, 3, 5)]


def test_announcements_that_are_lost() -> None:
    """A gap that is lost itself is announced again; it is no further loss, and neither is a header."""
    losses = Losses()
    loss = Loss("record", "spool full", 7, NOW, NOW + 1_000_000_000)
    losses.add_entries([_composer().gap(loss, NOW), _composer().header(NOW)], "closed")

    assert losses.take() == [loss]
    assert losses.total == {}
