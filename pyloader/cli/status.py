"""`pyloader status`: what is pinned, since when, and how it does."""

import argparse
import sys
import time
from datetime import UTC, datetime

import msgspec

from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.errors import NotPermittedError
from pyloader.monitors import PinnedMonitor, Pins
from pyloader.monitors.ladder import NONE
from pyloader.records import EVENTS


class ProgramStatus(msgspec.Struct, frozen=True):
    """A program: its hook and rung, and what the kernel counts if `kernel.bpf_stats_enabled` is set."""

    hook: str
    rung: str
    name: str
    id: int
    runs: int
    run_time_ns: int
    verified_instructions: int


class MonitorStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A monitor: `loaded` tells whether it is pinned; the rest is there only then."""

    monitor: str
    loaded: bool
    folder: str
    since: str = ""
    current: bool = True
    """Whether the programs are those of the installed package."""
    programs: list[ProgramStatus] = []
    unobserved: dict[str, str] = {}
    """What nobody sees here, by the hook that would: this kernel offers no way."""
    written: dict[str, int] = {}
    lost: dict[str, int] = {}
    waiting: int = 0
    """Bytes in the rings that no reader has acknowledged."""


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "status", parents=[common], argument_default=argparse.SUPPRESS, help="show what is pinned and how it does"
    )
    options.add_config(parser)
    options.add_monitors(parser)
    options.add_instance(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Print the state of each monitor."""
    instance = options.settings(arguments).instance
    report = [_status(Pins(monitor, instance)) for monitor in options.chosen(arguments)]
    if arguments.format == "json":
        body = {"instance": instance, "monitors": report}
        sys.stdout.write(msgspec.json.encode(body).decode() + "\n")
    else:
        sys.stdout.write("".join(map(_text, report)))
    return Exit.DONE


def _status(pins: Pins) -> MonitorStatus:
    try:
        found = pins.find()
        if found is None:
            return MonitorStatus(pins.monitor.name, loaded=False, folder=str(pins.folder))
        with found as pinned:
            return _pinned_status(pins, pinned)
    except PermissionError as error:
        message = f"cannot look into {pins.folder}: {error.strerror}; run as root"
        raise NotPermittedError(message) from error


def _pinned_status(pins: Pins, pinned: PinnedMonitor) -> MonitorStatus:
    written: dict[str, int] = {}
    lost: dict[str, int] = {}
    for tag, tallies in pinned.tallies():
        written[EVENTS[tag]] = sum(tally.written for tally in tallies)
        lost[EVENTS[tag]] = sum(tally.lost for tally in tallies)
    return MonitorStatus(
        monitor=pins.monitor.name,
        loaded=True,
        folder=str(pins.folder),
        since=_date(min(info.load_time for info in pinned.programs.values())),
        current=pinned.is_of_this_version(),
        programs=[
            ProgramStatus(
                hook=hook,
                rung=rung.name,
                name=program,
                id=pinned.programs[program].id,
                runs=pinned.programs[program].run_cnt,
                run_time_ns=pinned.programs[program].run_time_ns,
                verified_instructions=pinned.programs[program].verified_insns,
            )
            for hook, rung in pinned.rungs.items()
            for program in rung.programs
            if program in pinned.programs
        ],
        unobserved={hook: rung.blind_to for hook, rung in pinned.rungs.items() if rung.name == NONE},
        written=written,
        lost=lost,
        waiting=pinned.reader.pending(),
    )


def _date(boot_time: int) -> str:
    """Return the date of a moment of the boot-time clock."""
    since = time.time() - (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - boot_time) / 1e9
    return datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _text(status: MonitorStatus) -> str:
    if not status.loaded:
        return f"{status.monitor}: not loaded\n"
    lines = [f"{status.monitor}: loaded since {status.since} at {status.folder}"]
    if not status.current:
        lines.append("  of another version than this package; `pyloader load` upgrades it without a gap")
    for program in status.programs:
        cost = f", {program.run_time_ns / program.runs:.0f} ns a run in {program.runs} runs" if program.runs else ""
        way = f"{program.rung} ({program.name})"
        lines.append(f"  {program.hook}: {way}, {program.verified_instructions} instructions verified{cost}")
    lines += [f"  {hook}: cannot be observed here: {blind_to}" for hook, blind_to in status.unobserved.items()]
    lines += [
        f"  {name}: {count} written, {status.lost[name]} lost"
        for name, count in status.written.items()
        if count or status.lost[name]
    ]
    lines.append(f"  {status.waiting} bytes wait for a reader")
    return "".join(f"{line}\n" for line in lines)
