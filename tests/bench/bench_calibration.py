"""How often ordinary work raises alerts: a day, at the scores 49, 62 and 72, on days that were not learned from.

Days of work are done and recorded, stretched to their timetable and replayed (tests/calibration/README.md): four,
unless `PYLOADER_DAYS` names another number. The first half is learned from, the rest is measured.
`PYLOADER_DAYS_RECORDING` names a stretched recording of so many days that is replayed instead. The scale promises 10, 1
and 1/7 alerts a day; the target is a factor of 2 either way, and is shown where at least two alerts are to be expected.
"""

import os
import sys
from pathlib import Path
from shutil import which

from tests.bench.figures import CannotMeasureError, Figure, at_most, figure
from tests.bench.programs import ROOT
from tests.calibration.judge import LEVELS, WANTED, Verdicts, judge, report
from tests.calibration.record import record
from tests.calibration.stretch import stretch

TITLE = "alerts on benign days"
ROUNDS = 1

SEED = 1
FOLDER = ROOT / ".build" / "benign-days"
SERVICES = ("nginx", "sshd", "redis-server", "cron", "node", "ab", "pg_isready", "logrotate", "rsync", "sudo")
FACTOR = 2.0
EXPECTED = 2
"""So many alerts must be expected before their number says something about a rate."""


def measure(rounds: int) -> list[Figure]:
    """Replay the days once: a replay gives the same again."""
    del rounds
    days = int(os.environ.get("PYLOADER_DAYS", "4"))
    given = os.environ.get("PYLOADER_DAYS_RECORDING")
    recording = Path(given) if given else _recorded(days)
    verdicts = judge(recording)
    learned = days // 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "report.md").write_text("\n".join(report(verdicts, learned, days)) + "\n")
    records = sum(count for day, count in verdicts.records.items() if learned <= day < days)
    figures = [figure("records in the measured days", "", [records])]
    for level in LEVELS:
        figures += _figures(verdicts, level, learned, days)
    return figures


def _figures(verdicts: Verdicts, level: int, learned: int, days: int) -> list[Figure]:
    rate, wanted = verdicts.rate(level, learned, days), WANTED[level]
    shown = figure(f"alerts of {level} or more", "/day", [rate])
    if wanted * (days - learned) < EXPECTED:
        return [shown]
    least = 1 / (days - learned)
    off = max(rate, least) / wanted
    return [shown, figure("  times off the promised rate", "", [max(off, 1 / off)], at_most(FACTOR))]


def _recorded(days: int) -> Path:
    """Do and record so many days of work."""
    missing = [name for name in SERVICES if which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None]
    if missing or os.geteuid():
        message = f"needs {', '.join(missing)}" if missing else "needs root"
        raise CannotMeasureError(message)
    corpus = Path(os.environ.get("PYLOADER_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not corpus.is_dir():
        message = f"{corpus} is missing: set PYLOADER_CORPUS to the folder with benign_commands.txt"
        raise CannotMeasureError(message)
    slices, whole = FOLDER / "slices", FOLDER / "days.rec"
    slices.mkdir(parents=True, exist_ok=True)
    for file in slices.iterdir():
        if file.is_file():
            file.unlink()
    command = [str(Path(sys.executable).with_name("pyloader"))]
    record(slices, corpus, days=days, per_slice=4, seed=SEED, command=command, lock=FOLDER / "lock")
    done = stretch(slices, whole)
    sys.stderr.write(f"{done.records:,} records, {done.lost} lost\n")
    return whole
