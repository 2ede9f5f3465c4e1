"""What runs inside a guest: try every monitor on every rung and report."""

import contextlib
import hashlib
import io
import os
import platform
import sys
import time
import traceback
from importlib import resources

import msgspec

from pyloader.cli import main as pyloader
from pyloader.monitors import MONITORS
from tests.vm.guest import held, relocation, rungs
from tests.vm.report import Report, encode


def examine(report: Report) -> None:
    """Fill the report; what was found out before a failure stays in it."""
    before = held.ids()
    report.doctor = _doctor()
    for monitor in MONITORS.values():
        file = resources.files("pyloader") / "objects" / monitor.object
        report.objects[monitor.object] = hashlib.sha256(file.read_bytes()).hexdigest()
        rungs.examine(monitor, report.programs)
    report.relocations = relocation.examine()
    report.left_behind = held.since(before)


def _doctor() -> dict[str, bool]:
    class Check(msgspec.Struct):
        subject: str
        level: str

    class Trial(msgspec.Struct):
        name: str
        level: str

    class Answer(msgspec.Struct):
        host: list[Check]
        monitors: list[Trial]

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        pyloader(["doctor", "--format", "json"])
    answer = msgspec.json.decode(printed.getvalue(), type=Answer)
    told = {check.subject: check.level for check in answer.host}
    told |= {f"monitor {trial.name}": trial.level for trial in answer.monitors}
    return {subject: level != "problem" for subject, level in told.items()}


def main() -> None:
    """Print one line with the report."""
    os.setsid()
    begin = time.monotonic()
    report = Report(release=platform.release(), architecture=platform.machine())
    try:
        examine(report)
    except Exception:  # noqa: BLE001 -- whatever it is, it belongs into the report.
        report.problem = traceback.format_exc()
    report.seconds = round(time.monotonic() - begin, 1)
    sys.stdout.flush()
    sys.stdout.buffer.write(b"\n" + encode(report) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
