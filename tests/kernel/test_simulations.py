"""Attacks of every kind that the sensor is for, run for real in throw-away containers, raise alerts; neighbours do not.

`python -m tests.detection` and `make bench BENCH=detection` run many more, with a day of learning before them.
"""

import os
from pathlib import Path

import pytest

from tests.detection import judge
from tests.detection.judge import Verdict
from tests.detection.recorder import SENSOR, record
from tests.detection.simulations import NAMED, neighbours, remote_shells, simulations
from tests.detection.table import HIGH, details, recall

WANTED = 0.8
LIMIT_SECONDS = 3.0
"""Shells that wait for callers wait for ever; what they did was told long before."""


@pytest.fixture(name="verdicts", scope="module")
def _verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """Run the simulations of the named classes, and the ordinary work that resembles them, against one sensor."""
    beside = Path(__file__).parents[2] / ".." / "shared" / "corpus"
    corpus = Path(os.environ.get("PYLOADER_CORPUS", beside)).resolve()
    if not (corpus / "attack_simulations.jsonl").is_file():
        pytest.fail(f"no corpus in {corpus}: set PYLOADER_CORPUS to the folder that holds attack_simulations.jsonl")
    chosen = [case for case in (*simulations(corpus), *remote_shells(corpus)) if case.chosen == "yes"]
    cases = [*(case for case in chosen if case.kind in NAMED), *neighbours()]
    folder = tmp_path_factory.mktemp("simulations")
    record(folder, cases, [*SENSOR, "--no-state"], limit=LIMIT_SECONDS, quiet=True)
    return judge.live(folder)[0]


@pytest.mark.parametrize("kind", NAMED)
def test_simulated_attacks_are_told(verdicts: list[Verdict], kind: str) -> None:
    """At least 80 % of the simulations of a class raise a high alert about a process of theirs."""
    assert recall(verdicts, kind) >= WANTED, "\n".join(details(verdicts))


def test_ordinary_work_that_resembles_attacks(verdicts: list[Verdict]) -> None:
    """Nothing that administrators do with the same tools raises a high alert."""
    quiet = [one for one in verdicts if one.entry.case.chosen != "yes"]

    assert len(quiet) > 20
    assert [one.alerts for one in quiet if one.score >= HIGH] == []
