"""What the live pipeline knows survives its end: nobody who reads the output can tell where it was."""

import io
import os
import subprocess
import sys
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyloader.pipeline import Assessment, Pipeline
from pyloader.records import AnyRecord
from pyloader.sinks import JsonSink, Sink, TextSink
from tests.unit.examples import HEADER
from tests.unit.state.story import story
from tests.unit.strategies import any_records


def _restarted(pipeline: Pipeline) -> Pipeline:
    """Return a new pipeline that knows what another one knows."""
    fresh = Pipeline(HEADER, min_score=0)
    data = pipeline.save()

    assert fresh.restore(data, same_boot=True) == {}
    assert fresh.save() == data
    return fresh


def _shown(records: list[AnyRecord], cuts: Iterable[int] = ()) -> bytes:
    """Return all output for these records, of as many pipelines after each other as there are cuts and one."""
    pipeline = Pipeline(HEADER, min_score=0)
    batch: list[Assessment] = []
    begin = 0
    for cut in sorted(cuts):
        batch += pipeline.assess_all(records[begin:cut])
        pipeline = _restarted(pipeline)
        begin = cut
    batch += pipeline.assess_all(records[begin:])
    binary, text, diagnostics = io.BytesIO(), io.StringIO(), io.StringIO()
    sinks: list[Sink] = [JsonSink(binary, events=True), TextSink(text, diagnostics, events=True)]
    for sink in sinks:
        sink.write(batch)
        sink.end(pipeline.summary())
    return binary.getvalue() + text.getvalue().encode() + diagnostics.getvalue().encode()


@pytest.fixture(name="uninterrupted", scope="module")
def _uninterrupted() -> bytes:
    shown = _shown(story())

    assert shown.count(b'"type":"alert"') > 5
    return shown


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(0, len(story())), min_size=1, max_size=3))
def test_restarts_do_not_show(uninterrupted: bytes, cuts: set[int]) -> None:
    """However often and wherever the sensor begins anew from what it saved, the output is the same byte for byte."""
    assert _shown(story(), cuts) == uninterrupted


@settings(max_examples=30, deadline=None)
@given(st.lists(any_records, max_size=20), st.integers(0, 20))
def test_any_records_can_be_cut(records: list[AnyRecord], cut: int) -> None:
    """So it is with any records, however strange."""
    assert _shown(records, [min(cut, len(records))]) == _shown(records)


def test_an_empty_pipeline_can_be_saved() -> None:
    """A sensor that has seen nothing yet is saved as well."""
    assert _shown(story(), [0]) == _shown(story())


def test_the_same_records_give_the_same_snapshot() -> None:
    """What is saved follows from the records alone."""
    saved = []
    for _ in range(2):
        pipeline = Pipeline(HEADER)
        pipeline.assess_all(story())
        saved.append(pipeline.save())

    assert saved[0] == saved[1]


_DIGEST = """\
from hashlib import blake2b
from tests.unit.state.story import story
from tests.unit.state.test_pipeline_state import _shown
from pyloader.pipeline import Pipeline
from tests.unit.examples import HEADER
pipeline = Pipeline(HEADER, min_score=0)
pipeline.assess_all(story())
print(blake2b(pipeline.save() + _shown(story(), [700])).hexdigest())
"""


def test_every_process_gives_the_same_bytes() -> None:
    """Snapshot and output do not depend on the process that makes them: Python orders sets anew in each."""
    digests = set()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", _DIGEST], env=environment, capture_output=True, check=True, text=True
        )
        digests.add(done.stdout)

    assert len(digests) == 1
