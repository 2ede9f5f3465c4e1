"""Run the simulations against a live sensor, or judge a run again: python -m tests.detection --help."""

import argparse
import os
import sys
from itertools import chain
from pathlib import Path

from tests.detection import judge, recorder
from tests.detection.learning import copied, learn
from tests.detection.simulations import everything
from tests.detection.table import details, table


def main() -> int:
    """Record or judge."""
    options = _options()
    corpus = Path(os.environ.get("PYLOADER_CORPUS", "../shared/corpus"))
    cases = [case for case in everything(corpus, options.ordinary) if options.only in f"{case.kind} {case.work.name}"]
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.learn is not None:
        learn(options.learn, options.folder)
    state = options.folder / "learned"
    known = copied(state, "state") if state.is_dir() else None
    if options.judge:
        verdicts, strangers = judge.replayed(options.folder, known)
    else:
        knowing = ["--no-state"] if known is None else ["--state-dir", str(known)]
        recorder.record(options.folder, cases, [*recorder.SENSOR, *knowing])
        verdicts, strangers = judge.live(options.folder)
    sys.stdout.write(table(verdicts, (case for case in cases if case.chosen == "excluded"), strangers))
    if options.details:
        sys.stdout.writelines(f"{line}\n" for line in chain(details(verdicts), (f"OTHER {one}" for one in strangers)))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.detection", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the run is kept: it holds attacks and command lines")
    parser.add_argument("--judge", action="store_true", help="judge the records of an earlier run anew")
    parser.add_argument("--details", action="store_true", help="also say what was missed and what raised an alert")
    parser.add_argument(
        "--ordinary", type=int, default=200, help="how many ordinary command lines; default: %(default)s"
    )
    parser.add_argument("--only", default="", help="only cases whose class or name holds this")
    parser.add_argument("--learn", type=Path, metavar="RECORDING", help="benign days, of which one is learned first")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
