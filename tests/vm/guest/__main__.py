"""What runs inside a guest: try every monitor in every way, as deep as the way goes, and report."""

import hashlib
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from pyloader.monitors import MONITORS, ON_INTERFACES, Transport
from tests.vm.guest import doctor, held, hidden_types, packets, relocation, rungs
from tests.vm.guest.ways import Loaded, Pinned
from tests.vm.report import Report, Way, encode


class Examination:
    """Fills a report; what was found out before a failure stays in it."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def run(self) -> None:
        """Do everything."""
        before = held.ids()
        for monitor in (MONITORS | ON_INTERFACES).values():
            for name in filter(None, (monitor.object, monitor.untyped_object)):
                file = resources.files("pyloader") / "objects" / name
                self.report.objects[name] = hashlib.sha256(file.read_bytes()).hexdigest()
        with self._timed("doctor"):
            self.report.doctors["kernel"] = doctor.ask()
        for way in (Loaded(Way.RING, Transport.RING), Loaded(Way.PERF, Transport.PERF), Pinned(Way.PINNED)):
            self._try(way)
        with self._timed("relocation"):
            self.report.relocations = relocation.examine()
        with hidden_types.given_as_file() as file:
            self.report.doctors["nowhere"] = doctor.ask()
            self.report.doctors["file"] = doctor.ask("--btf", str(file))
            for way in (
                Loaded(Way.RING_BY_FILE, Transport.RING, file),
                Loaded(Way.PERF_BY_FILE, Transport.PERF, file),
                Pinned(Way.PINNED_BY_FILE, file),
            ):
                self._try(way)
        self.report.left_behind = held.since(before)

    def _try(self, way: Loaded | Pinned) -> None:
        with self._timed(way.name):
            for monitor in MONITORS.values():
                self.report.programs += rungs.Examination(monitor, way).run()
            if isinstance(way, Loaded):
                self.report.programs.append(packets.examine(way))

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        begin = time.monotonic()
        try:
            yield
        finally:
            self.report.seconds[part] = round(time.monotonic() - begin, 1)


def main() -> None:
    """Print one line with the report."""
    os.setsid()
    report = Report(release=platform.release(), architecture=platform.machine())
    try:
        Examination(report).run()
    except Exception:  # noqa: BLE001 -- whatever it is, it belongs into the report.
        report.problem = traceback.format_exc()
    sys.stdout.flush()
    sys.stdout.buffer.write(b"\n" + encode(report) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
