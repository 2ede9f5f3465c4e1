"""What arrives of an assessment."""

import msgspec

from pyloader import Assessment, Sensor
from pyloader.samples import SAMPLE
from pyloader.sinks.events import fields
from pyloader.testing import HEADER
from pyloader.workers.told import Told
from tests.unit.workers.story import story
from tests.unit.workers.together import Together


def _carried(assessment: Assessment) -> Assessment:
    told = Told.of(assessment)
    return msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=Told).copy()


def test_all_that_is_shown_arrives() -> None:
    """Record, score, alerts, evidence with whom it is about, and every shown field are what they were."""
    with Sensor.replay(SAMPLE) as sensor:
        replayed = list(sensor)
    for assessment in [*replayed, *Together(HEADER, 1).assess(story())]:
        arrived = _carried(assessment)

        assert arrived.record == assessment.record
        assert (arrived.score, arrived.alerts, arrived.answer) == (
            assessment.score,
            assessment.alerts,
            assessment.answer,
        )
        assert fields(arrived) == fields(assessment)
        assert [(one.code, one.nats, one.text, one.entity.label) for one in arrived.evidence] == [
            (one.code, one.nats, one.text, one.entity.label) for one in assessment.evidence
        ]
        if assessment.process is not None:
            assert arrived.process is not None
            assert arrived.process.label == assessment.process.label
            assert arrived.process.args == assessment.process.args
            assert arrived.process.lineage.label == assessment.process.lineage.label
            assert arrived.process.ledger is None
