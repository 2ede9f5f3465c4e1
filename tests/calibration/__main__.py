"""The command line: `python -m tests.calibration record|stretch|judge …`."""

import argparse
import sys
from pathlib import Path

from tests.calibration.judge import judge, report
from tests.calibration.record import record
from tests.calibration.stretch import stretch


def main() -> None:
    """Do one of the three steps."""
    options = _parser().parse_args()
    if options.step == "record":
        record(
            options.folder,
            options.corpus,
            days=options.days,
            per_slice=options.per_slice,
            seed=options.seed,
            command=[options.pyloader],
            lock=options.lock,
            first=options.first,
        )
    elif options.step == "stretch":
        done = stretch(options.folder, options.recording)
        told = f"{done.records:,} records, {done.lost} lost, and {done.idle:,} idle seconds"
        sys.stdout.write(f"{done.days} days, {told}\n")
    else:
        for line in report(judge(options.recording), options.learned, options.days):
            sys.stdout.write(line + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.calibration")
    steps = parser.add_subparsers(required=True, dest="step")
    one = steps.add_parser("record", help="do days of work and record them, as root")
    one.add_argument("folder", type=Path, help="where slices go")
    one.add_argument("corpus", type=Path, help="the folder with benign_commands.txt")
    one.add_argument("--days", type=int, default=28)
    one.add_argument("--first", type=int, default=0, help="day to begin with, to go on with what was interrupted")
    one.add_argument("--per-slice", type=int, default=4, help="days in which the lock is held")
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--pyloader", default="pyloader", help="the command")
    one.add_argument("--lock", type=Path, default=Path("/run/lock/pyloader-days"))
    two = steps.add_parser("stretch", help="turn slices into one recording of whole days")
    two.add_argument("folder", type=Path)
    two.add_argument("recording", type=Path)
    three = steps.add_parser("judge", help="replay it and report")
    three.add_argument("recording", type=Path)
    three.add_argument("--days", type=int, default=28)
    three.add_argument("--learned", type=int, default=14)
    return parser


if __name__ == "__main__":
    main()
