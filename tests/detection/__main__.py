"""Run the simulations against a live sensor, or judge a run again: python -m tests.detection --help."""

import argparse
import os
import sys
from itertools import chain, zip_longest
from pathlib import Path

from tests.detection import judge, recorder
from tests.detection.simulations import Case, neighbours, ordinary, remote_shells, simulations, variants
from tests.detection.table import details, table


def main() -> int:
    """Record or judge."""
    options = _options()
    corpus = Path(os.environ.get("PYLOADER_CORPUS", "../shared/corpus"))
    cases = [case for case in _cases(corpus, options.ordinary) if options.only in f"{case.kind} {case.work.name}"]
    if not options.judge:
        command = [str(Path(sys.executable).with_name("pyloader")), "run", "--instance", f"detection-{os.getpid()}"]
        recorder.record(options.folder, cases, [*command, *options.sensor.split()])
    verdicts, strangers = judge.replayed(options.folder) if options.judge else judge.live(options.folder)
    sys.stdout.write(table(verdicts, (case for case in cases if case.chosen == "excluded"), strangers))
    if options.details:
        sys.stdout.writelines(f"{line}\n" for line in chain(details(verdicts), (f"OTHER {one}" for one in strangers)))
    return 0


def _cases(corpus: Path, count: int) -> list[Case]:
    """Return all cases, ordinary work between the attacks."""
    attacks = [*simulations(corpus), *remote_shells(corpus), *variants()]
    quiet = [*neighbours(), *ordinary(corpus, count)]
    return [case for pair in zip_longest(attacks, quiet) for case in pair if case is not None]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.detection", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the run is kept: it holds attacks and command lines")
    parser.add_argument("--judge", action="store_true", help="judge the records of an earlier run anew")
    parser.add_argument("--details", action="store_true", help="also say what was missed and what raised an alert")
    parser.add_argument(
        "--ordinary", type=int, default=200, help="how many ordinary command lines; default: %(default)s"
    )
    parser.add_argument("--only", default="", help="only cases whose class or name holds this")
    parser.add_argument("--sensor", default="", help="further options of `pyloader run`, as one word")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
