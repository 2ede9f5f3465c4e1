"""The command line of the benches."""

import argparse
import json
import sys
from pathlib import Path
from types import ModuleType

from pyloader import PyloaderError
from tests.bench import (
    bench_assessment,
    bench_calibration,
    bench_detection,
    bench_exec_cost,
    bench_latency,
    bench_learning,
    bench_loss,
    bench_memory,
    bench_memory_cost,
    bench_nats,
    bench_ring,
    bench_scoring,
    bench_separation,
    bench_startup,
    bench_streams,
    bench_subscribers,
    bench_workers,
    bench_xdp,
    machine,
)
from tests.bench.figures import CannotMeasureError
from tests.bench.programs import ROOT
from tests.bench.report import Report

BENCHES: dict[str, ModuleType] = {
    "ring": bench_ring,
    "assessment": bench_assessment,
    "scoring": bench_scoring,
    "workers": bench_workers,
    "latency": bench_latency,
    "subscribers": bench_subscribers,
    "loss": bench_loss,
    "nats": bench_nats,
    "exec-cost": bench_exec_cost,
    "memory-cost": bench_memory_cost,
    "startup": bench_startup,
    "memory": bench_memory,
    "xdp": bench_xdp,
    "learning": bench_learning,
    "streams": bench_streams,
    "separation": bench_separation,
    "calibration": bench_calibration,
    "detection": bench_detection,
}
RESULT = ROOT / ".build" / "bench.json"


def main() -> int:
    """Measure, print the table and write the JSON."""
    options = _parser().parse_args()
    report = Report(machine.description())
    for name in options.benches or BENCHES:
        bench = BENCHES[name]
        sys.stderr.write(f"{name}: {bench.__doc__.partition(chr(10))[0]}\n" if bench.__doc__ else f"{name}\n")
        try:
            report.add(bench.TITLE, bench.measure(options.rounds or bench.ROUNDS))
        except (CannotMeasureError, PyloaderError) as error:
            report.add_unmeasured(bench.TITLE, str(error))
    sys.stdout.write(report.as_table())
    RESULT.parent.mkdir(exist_ok=True)
    kept = json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n"
    RESULT.write_text(kept)
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        (options.keep / f"bench-{report.date:%Y-%m-%dT%H%M%SZ}.json").write_text(kept)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python tests/bench", description="Measure pyloader on this machine.")
    parser.add_argument("benches", nargs="*", choices=[[], *BENCHES], metavar="BENCH", help=f"of: {', '.join(BENCHES)}")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of every bench, instead of its own number")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep a dated copy of the JSON in this folder")
    return parser
