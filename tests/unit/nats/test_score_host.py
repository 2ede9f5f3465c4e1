"""One host is scored from its messages alike, whoever does it and however often it changes hands."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.alerts import Alert
from pyloader.errors import StateError
from pyloader.nats.score_host import DAMAGED, LOST, NO_HEADER, REPEATED, SCORED, HostScoring
from pyloader.pipeline import Pipeline
from pyloader.records import AnyRecord
from pyloader.records.codec import encode
from pyloader.records.recording import Header, RecordingReader
from pyloader.samples import SAMPLE
from pyloader.testing import remote_shell

_SECOND = 1_000_000_000

Message = tuple[bytes, str]


def _sample() -> tuple[Header, list[AnyRecord]]:
    reader = RecordingReader.open(SAMPLE)
    records = [record for batch in reader.batches() for record in batch]
    reader.close()
    return reader.header, records


_HEADER, _RECORDS = _sample()


def _header(**fields: Any) -> Message:  # noqa: ANN401 -- each field has a type of its own.
    return msgspec.msgpack.encode(msgspec.structs.replace(_HEADER, **fields)), ""


def _record(record: AnyRecord, number: int) -> Message:
    return encode(record), f"boot:process:{number}"


_MESSAGES = [_header(), *(_record(record, number) for number, record in enumerate(_RECORDS))]


def _gap(**fields: object) -> Message:
    gap = {"type": "gap", "lost": "record", "boot_id": _HEADER.boot_id, "count": 7}
    return msgspec.json.encode(gap | fields), ""


def _scoring() -> HostScoring:
    return HostScoring(Counter())


def _alerts(scoring: HostScoring, messages: Sequence[Message]) -> list[Alert]:
    taken = (scoring.take(data, identifier) for data, identifier in messages)
    return [alert for assessment in taken if assessment is not None for alert in assessment.alerts]


def _handed_over(scoring: HostScoring) -> HostScoring:
    successor = _scoring()
    successor.restore(scoring.save())
    return successor


def test_the_same_alerts_as_here() -> None:
    """Messages give the alerts that their records give to a sensor's own pipeline."""
    pipeline = Pipeline(_HEADER)
    local = [alert for record in _RECORDS for alert in pipeline.assess(record).alerts]

    assert local
    assert _alerts(_scoring(), _MESSAGES) == local


@given(st.lists(st.integers(0, len(_MESSAGES)), max_size=3), st.integers(0, 8))
@settings(max_examples=25, deadline=None)
def test_takeovers_change_nothing(places: list[int], again: int) -> None:
    """Wherever others take over, after what was kept is scored once more or not, alerts have the same ids and texts."""
    scoring, found, at = _scoring(), [], 0
    for place in sorted(places):
        found += _alerts(scoring, _MESSAGES[at:place])
        kept = max(at, place - again)
        # What was kept ends before the place up to which alerts are out: from there to it they are found once more.
        earlier = _scoring()
        _alerts(earlier, _MESSAGES[:kept])
        scoring = _handed_over(earlier)
        assert _alerts(scoring, _MESSAGES[kept:place]) == _alerts(_handed_over(earlier), _MESSAGES[kept:place])
        at = place
    found += _alerts(scoring, _MESSAGES[at:])

    assert found == _alerts(_scoring(), _MESSAGES)


@given(st.integers(1, len(_MESSAGES)), st.integers(1, 20))
@settings(max_examples=25, deadline=None)
def test_what_is_sent_again_is_left_out(place: int, count: int) -> None:
    """Records that a sensor sends again are known by their identifier, by a successor as well."""
    scoring = _scoring()
    found = _alerts(scoring, _MESSAGES[:place])
    successor = _handed_over(scoring)
    repeated = [one for one in _MESSAGES[max(0, place - count) : place] if one[1]]
    found += _alerts(successor, repeated)
    found += _alerts(successor, _MESSAGES[place:])

    assert found == _alerts(_scoring(), _MESSAGES)
    assert successor.counts[REPEATED] == len(repeated)


def test_identifiers_are_remembered_up_to_a_bound() -> None:
    """The latest identifiers are kept, and no more than the bound."""
    scoring = _scoring()
    scoring.take(*_header())
    for number in range(20_000):
        scoring.take(*_record(_RECORDS[0], number))
    scoring.take(*_record(_RECORDS[0], 19_999))
    scoring.take(*_record(_RECORDS[0], 0))

    assert scoring.counts == {SCORED: 20_001, REPEATED: 1}


def test_a_gap_lowers_the_confidence() -> None:
    """What a sensor gave up is counted, and doubts about the alerts after it are said as with losses in the kernel."""
    scoring = _scoring()
    sure = _alerts(_scoring(), _MESSAGES)
    found = _alerts(scoring, [_MESSAGES[0], _MESSAGES[1], _gap(), *_MESSAGES[2:]])

    assert scoring.counts[LOST] == 7
    assert [one.id for one in found] == [one.id for one in sure]
    assert all(one.confidence < other.confidence for one, other in zip(found, sure, strict=True))
    assert "7 records were lost" in found[0].summary


@pytest.mark.parametrize("gap", [_gap(lost="alert"), _gap(boot_id="another")])
def test_gaps_of_no_concern(gap: Message) -> None:
    """Alerts that were given up, and records of another boot, say nothing about the records of this one."""
    scoring = _scoring()

    assert _alerts(scoring, [_MESSAGES[0], gap, *_MESSAGES[1:]]) == _alerts(_scoring(), _MESSAGES)
    assert scoring.counts[LOST] == 0


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "7", None, 1 << 64])
def test_malformed_gaps(count: object) -> None:
    """A gap of no true number is counted as a bad payload."""
    scoring = _scoring()
    _alerts(scoring, [_MESSAGES[0], _gap(count=count)])

    assert scoring.counts == {"malformed object": 1}


def test_records_before_any_header() -> None:
    """Nobody can say when records were without a header: they are counted, and scoring begins with one."""
    scoring = _scoring()

    assert _alerts(scoring, [*_MESSAGES[1:], *_MESSAGES]) == _alerts(_scoring(), _MESSAGES)
    assert scoring.counts[NO_HEADER] == len(_RECORDS)


def test_a_header_that_comes_again() -> None:
    """A header that says the same as the last, with a clock that was measured anew, changes nothing."""
    again = _header(realtime_offset=_HEADER.realtime_offset + 999)
    half = len(_MESSAGES) // 2

    assert _alerts(_scoring(), [*_MESSAGES[:half], again, *_MESSAGES[half:]]) == _alerts(_scoring(), _MESSAGES)


def test_a_reboot_leaves_what_was_learned() -> None:
    """After a reboot no process is known from before, and what was learned still is."""
    scoring, fresh = _scoring(), _scoring()
    _alerts(scoring, _MESSAGES)
    before = msgspec.msgpack.decode(scoring.save())["pipeline"]
    for one in (scoring, fresh):
        one.take(*_header(boot_id="another boot"))
    after, new = (msgspec.msgpack.decode(one.save())["pipeline"] for one in (scoring, fresh))

    assert scoring.header is not None
    assert scoring.header.boot_id == "another boot"
    assert len(new) < len(after) < len(before)
    shells = [
        remote_shell(timestamp=one * _SECOND, pid=one, start=one * _SECOND, session=one) for one in range(1000, 1003)
    ]
    found = _alerts(scoring, [_record(shell, 10_000 + number) for number, shell in enumerate(shells)])
    assert [one.id.partition("-")[0] for one in found] == ["another "] * 3


@given(st.binary(max_size=200))
def test_damaged_states_are_refused(saved: bytes) -> None:
    """Bytes that are no state raise `StateError` and nothing else."""
    with pytest.raises(StateError):
        _scoring().restore(saved)


@given(st.lists(st.tuples(st.binary(max_size=100), st.text(max_size=20)), max_size=20))
def test_any_bytes_do_no_harm(messages: list[Message]) -> None:
    """Whatever messages hold, the records among them are scored as without them."""
    scoring = _scoring()
    half = len(_MESSAGES) // 2

    assert _alerts(scoring, [*_MESSAGES[:half], *messages, *_MESSAGES[half:]]) == _alerts(_scoring(), _MESSAGES)


def test_a_state_that_makes_everything_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state with which no record can be judged is given up, and scoring begins anew."""
    scoring = _scoring()
    _alerts(scoring, _MESSAGES)
    successor = _handed_over(scoring)
    pipeline = successor._pipeline  # noqa: SLF001 -- nobody else can put a defect into it.
    assert pipeline is not None
    monkeypatch.setattr(pipeline.host, "apply", lambda _: 1 / 0)
    shells = [
        remote_shell(timestamp=one * _SECOND, pid=one, start=one * _SECOND, session=one) for one in range(3000, 3050)
    ]
    found = _alerts(successor, [_record(shell, 10_000 + number) for number, shell in enumerate(shells)])

    assert successor.counts[DAMAGED] == 1
    assert len(found) == 50 - 32
