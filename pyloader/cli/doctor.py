"""`pyloader doctor`: can this host run the monitors, and if not, what is to be done?"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from pyloader import kernel
from pyloader.cli import options
from pyloader.cli.exits import Exit
from pyloader.errors import PyloaderError
from pyloader.kernel import Host, Level
from pyloader.kernel.interfaces import Interface, interfaces, judged
from pyloader.monitors import MONITORS, ON_INTERFACES, LoadedMonitor, Monitor
from pyloader.monitors.ladder import NONE
from pyloader.sources.live import RING_BYTES


class Check(msgspec.Struct, frozen=True):
    """One line of the report: `advice` says what to do if the level is not `ok`."""

    subject: str
    level: Level
    detail: str
    advice: str = ""


class InterfaceCheck(msgspec.Struct, frozen=True):
    """A network interface, and how it would bear an XDP program; `xdp` is how a program is attached, null if none."""

    name: str
    kind: str
    up: bool
    xdp: str | None
    xdp_id: int | None
    level: Level
    detail: str
    advice: str


class RefusedRung(msgspec.Struct, frozen=True):
    """A better way to hook that this kernel refused."""

    rung: str
    reason: str


class HookCheck(msgspec.Struct, frozen=True):
    """The rung that a hook would use, what it cannot see, and what it costs."""

    hook: str
    rung: str
    blind_to: str
    cost: str
    refused: list[RefusedRung]


class MonitorCheck(msgspec.Struct, frozen=True):
    """Whether a monitor runs, and how; without a trial or after a refusal `hooks` is empty and `transport` is null."""

    name: str
    level: Level
    detail: str
    advice: str = ""
    transport: str | None = None
    hooks: list[HookCheck] = []


class Report(msgspec.Struct, frozen=True):
    """What `doctor` found; `ok` tells whether every monitor can run."""

    ok: bool
    host: list[Check]
    interfaces: list[InterfaceCheck]
    monitors: list[MonitorCheck]


def add_to(commands: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command."""
    parser = commands.add_parser("doctor", parents=[common], help="check what this host can run and how to mend it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    options.add_btf(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> Exit:
    """Print the report; succeed if every monitor can run."""
    findings = kernel.findings(arguments.btf)
    problem = next((finding.problem for finding in findings if finding.problem is not None), None)
    logs: list[str] = []
    if problem is None:
        monitors = [_tried(monitor, arguments.btf, logs) for monitor in (MONITORS | ON_INTERFACES).values()]
    else:
        monitors = [
            MonitorCheck(name, Level.PROBLEM, "not tried", "what the host lacks, see above, stops every monitor")
            for name in MONITORS | ON_INTERFACES
        ]
    report = Report(
        ok=all(monitor.level is not Level.PROBLEM for monitor in monitors),
        host=[Check(one.subject, one.level, one.detail, one.way_out) for one in findings],
        interfaces=[],
        monitors=monitors,
    )
    try:
        report.interfaces.extend(_check(interface) for interface in interfaces(Host.this()))
    except (OSError, ImportError) as error:
        advice = "only XDP needs to know them: allow netlink sockets, and pip install pyroute2"
        report.host.append(Check("interfaces", Level.ADVICE, f"cannot be listed: {error}", advice))
    if arguments.format == "json":
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _text(report)))
    if arguments.verbose:
        sys.stderr.write("".join(logs))
    return Exit.DONE if report.ok else Exit.UNAVAILABLE


def _check(interface: Interface) -> InterfaceCheck:
    finding = judged(interface)
    return InterfaceCheck(
        name=interface.name,
        kind=interface.kind,
        up=interface.up,
        xdp=interface.xdp_mode or None,
        xdp_id=interface.xdp_id or None,
        level=finding.level,
        detail=finding.detail,
        advice=finding.way_out,
    )


def _tried(monitor: Monitor, btf: Path | None, logs: list[str]) -> MonitorCheck:
    """Load and attach a monitor for a moment, and tell on which rungs it stands; add what the kernel said to `logs`."""
    try:
        with LoadedMonitor(monitor, ring_bytes=RING_BYTES, btf=btf) as loaded:
            hooks = [
                HookCheck(
                    hook,
                    rung.name,
                    rung.blind_to,
                    rung.cost,
                    [RefusedRung(one.rung.name, str(one.reason)) for one in loaded.refusals[hook]],
                )
                for hook, rung in loaded.rungs.items()
            ]
            logs += [one.reason.log for refusals in loaded.refusals.values() for one in refusals]
            return MonitorCheck(
                monitor.name, Level.OK, f"runs, with the {loaded.transport} transport", "", loaded.transport, hooks
            )
    except PyloaderError as error:
        logs.append(error.log)
        advice = "; ".join([str(error), *getattr(error, "__notes__", ())])
        return MonitorCheck(monitor.name, Level.PROBLEM, "does not run", advice)


def _text(report: Report) -> Iterator[str]:
    for check in report.host:
        yield from _told(check.level, check.subject, check.detail, check.advice)
    for interface in report.interfaces:
        yield from _told(interface.level, f"interface {interface.name}", interface.detail, interface.advice)
    for monitor in report.monitors:
        yield from _told(monitor.level, f"monitor {monitor.name}", monitor.detail, monitor.advice)
        for hook in monitor.hooks:
            yield f"         {hook.hook} {_way(hook)}"
            yield from (f"           {note}" for note in _notes(hook))


def _told(level: Level, subject: str, detail: str, advice: str) -> Iterator[str]:
    yield f"{level:7}  {subject}: {detail}"
    if advice:
        yield f"         {advice}"


def _way(hook: HookCheck) -> str:
    return f"cannot be observed here: {hook.blind_to}" if hook.rung == NONE else f"by {hook.rung}"


def _notes(hook: HookCheck) -> Iterable[str]:
    if hook.blind_to and hook.rung != NONE:
        yield f"cannot see {hook.blind_to}"
    if hook.cost:
        yield f"costs {hook.cost}"
    for refused in hook.refused:
        yield f"not {refused.rung}: {refused.reason}"
