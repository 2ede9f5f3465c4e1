"""What share of attacks is told, by what they do, when they are run for real against a sensor that has learned a day.

Every simulation of the corpus that should be flagged (tests/detection/README.md tells the rule), the remote shells of
the corpus, and attacks of our own run once, ordinary work between them. Recall is the share of which a process raised
an alert of at least 62, or 50. The whole report, with every alert, is left in `.build/detection`.

`PYLOADER_DAYS_RECORDING` names a stretched recording of benign days, of which the first is learned from; without it one
day is done and recorded first.
"""

import os
import sys
from pathlib import Path

from tests.bench.figures import CannotMeasureError, Figure, at_least, figure
from tests.bench.programs import ROOT
from tests.calibration.record import record as record_days
from tests.calibration.stretch import stretch
from tests.detection import judge
from tests.detection.judge import Verdict
from tests.detection.learning import copied, learn
from tests.detection.recorder import SENSOR, record
from tests.detection.simulations import NAMED, everything
from tests.detection.table import HIGH, MEDIUM, details, table

TITLE = "detection of simulated attacks"
ROUNDS = 1

ORDINARY = 200
WANTED = 80.0
FOLDER = ROOT / ".build" / "detection"
SEED = 1


def measure(rounds: int) -> list[Figure]:
    """Run everything so many times."""
    if os.geteuid():
        message = "needs root"
        raise CannotMeasureError(message)
    corpus = Path(os.environ.get("PYLOADER_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not corpus.is_dir():
        message = f"{corpus} is missing: set PYLOADER_CORPUS to the folder with attack_simulations.jsonl"
        raise CannotMeasureError(message)
    FOLDER.mkdir(parents=True, exist_ok=True)
    given = os.environ.get("PYLOADER_DAYS_RECORDING")
    state = learn(Path(given) if given else _day(corpus), FOLDER)
    return _figures([_run(state, corpus) for _ in range(rounds)])


def _run(state: Path, corpus: Path) -> list[Verdict]:
    """Run everything once and leave the report."""
    cases = list(everything(corpus, ORDINARY))
    record(FOLDER, cases, [*SENSOR, "--state-dir", str(copied(state, "state"))])
    verdicts, strangers = judge.live(FOLDER)
    report = table(verdicts, (case for case in cases if case.chosen == "excluded"), strangers)
    (FOLDER / "report.txt").write_text(report + "\n" + "\n".join(details(verdicts)) + "\n")
    sys.stderr.write(report)
    return verdicts


def _figures(runs: list[list[Verdict]]) -> list[Figure]:
    kinds: dict[tuple[str, str], None] = {}
    for one in runs[0]:
        case = one.entry.case
        if case.chosen == "yes":
            kinds[case.kind, "own" if case.origin == "variant" else "corpus"] = None
    named = [(kind, source) for source in ("corpus", "own") for kind in NAMED if (kind, source) in kinds]
    others = [key for key in kinds if key[0] not in NAMED]
    figures = []
    for kind, source in named + others:
        for threshold in (HIGH, MEDIUM):
            shares = [_recall(run, kind, source, threshold) for run in runs]
            wanted = at_least(WANTED) if threshold == HIGH and kind in NAMED else None
            figures.append(figure(f"{kind}, {source}: at {threshold:.0f}", "%", shares, wanted))
    for threshold in (HIGH, MEDIUM):
        counts = [float(sum(one.score >= threshold for one in _quiet(run))) for run in runs]
        figures.append(figure(f"of {len(_quiet(runs[0]))} benign pieces of work: at {threshold:.0f}", "", counts))
    return figures


def _recall(run: list[Verdict], kind: str, source: str, threshold: float) -> float:
    scores = [
        one.score
        for one in run
        if one.entry.case.chosen == "yes"
        and one.entry.case.kind == kind
        and (one.entry.case.origin == "variant") == (source == "own")
    ]
    return 100.0 * sum(score >= threshold for score in scores) / len(scores)


def _quiet(run: list[Verdict]) -> list[Verdict]:
    return [one for one in run if one.entry.case.chosen != "yes"]


def _day(corpus: Path) -> Path:
    """Do and record a day of ordinary work."""
    slices, whole = FOLDER / "slices", FOLDER / "days.rec"
    slices.mkdir(parents=True, exist_ok=True)
    for file in slices.iterdir():
        if file.is_file():
            file.unlink()
    command = [str(Path(sys.executable).with_name("pyloader"))]
    record_days(slices, corpus, days=1, per_slice=1, seed=SEED, command=command, lock=FOLDER / "lock")
    stretch(slices, whole)
    return whole
