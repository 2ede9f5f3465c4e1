"""`pyloader doctor`: can this host run the monitors, and if not, what is to be done?"""

import argparse
import sys
from typing import Any

import msgspec

from pyloader import kernel
from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.errors import PyloaderError
from pyloader.monitors import MONITORS, LoadedMonitor, Monitor
from pyloader.sources.live import RING_BYTES


class Check(msgspec.Struct, frozen=True):
    """One line of the report: `advice` says what to do if it is not `ok`."""

    subject: str
    ok: bool
    detail: str
    advice: str = ""


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("doctor", parents=[common], help="check what this host can run and how to mend it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Print the report; succeed if every monitor can run."""
    host = [
        Check(finding.subject, finding.problem is None, finding.detail, str(finding.problem or ""))
        for finding in kernel.findings()
    ]
    able = all(check.ok for check in host)
    monitors = [_check(monitor) for monitor in MONITORS.values()] if able else []
    if arguments.format == "json":
        report: dict[str, Any] = {
            "ok": able and all(check.ok for check in monitors),
            "host": host,
            "monitors": monitors,
        }
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write("".join(map(_line, host + monitors)))
    return Exit.DONE if able and all(check.ok for check in monitors) else Exit.UNAVAILABLE


def _check(monitor: Monitor) -> Check:
    """Load a monitor for real, without attaching it."""
    subject = f"monitor {monitor.name}"
    try:
        with LoadedMonitor(monitor, ring_bytes=RING_BYTES) as loaded:
            rungs = ", ".join(f"{hook} by {rung.name}" for hook, rung in loaded.rungs.items())
            blind = [f"cannot see {rung.blind_to}" for rung in loaded.rungs.values() if rung.blind_to]
            cost = {f"costs {rung.cost}" for rung in loaded.rungs.values() if rung.cost}
            return Check(subject, ok=True, detail="; ".join([f"loads: {rungs}", *blind, *sorted(cost)]))
    except PyloaderError as error:
        return Check(subject, ok=False, detail="does not load", advice=str(error))


def _line(check: Check) -> str:
    advice = f"\n      {check.advice}" if check.advice else ""
    return f"{'ok  ' if check.ok else 'FAIL'}  {check.subject}: {check.detail}{advice}\n"
