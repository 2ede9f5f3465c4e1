"""Every rung of a monitor's ladders in one way of use: loaded by itself, then attached, with events to observe."""

import importlib
from collections.abc import Callable, Generator

from pyloader.monitors import Hook, Monitor, Rung
from pyloader.records import AnyRecord
from tests.vm.guest.verdicts import Verdict
from tests.vm.guest.ways import Loaded, Pinned
from tests.vm.report import Program, Way

Check = Generator[None, list[AnyRecord], None]
"""Provokes events, yields, gets what was observed, and asserts that it is right."""

Checks = dict[str, Callable[[Rung], Check]]


def checks_of(monitor: Monitor) -> Checks:
    """Return the checks of a monitor by hook: `HOOKS` in `tests/vm/guest/checks/NAME.py`."""
    module = importlib.import_module(f"tests.vm.guest.checks.{monitor.name}")
    checks: Checks = module.HOOKS
    return checks


def examine(monitor: Monitor, way: Loaded | Pinned, programs: list[Program]) -> None:
    """Append a result for every rung of every hook for which this machine has what it needs."""
    possible = monitor._replace(hooks=tuple(hook._replace(rungs=_possible(hook)) for hook in monitor.hooks))
    rungs = [(hook, rung) for hook in possible.hooks for rung in hook.rungs]
    found = way.verdicts(possible, [program for _, rung in rungs for program in rung.programs])
    results = {rung.program: _result(way.name, monitor, hook, rung, found) for hook, rung in rungs}
    programs += results.values()
    for rung in way.chosen(monitor):
        if rung.program:
            results[rung.program].chosen = True
    tried: set[str] = set()
    for level in range(max(len(hook.rungs) for hook in possible.hooks)):
        forced = _forced(possible, level, results)
        if not {hook.rungs[0].program for hook in forced.hooks} <= tried:
            _try_hooks(forced, way, results, tried)


def _possible(hook: Hook) -> tuple[Rung, ...]:
    return tuple(rung for rung in hook.rungs if rung.program and rung.missing() is None)


def _result(way: Way, monitor: Monitor, hook: Hook, rung: Rung, found: dict[str, Verdict]) -> Program:
    """Return what is known of a rung: its programs count as one. Some machines lack some of those beside the first."""
    verdicts = [found[rung.program], *(found[program] for program in rung.beside if program in found)]
    refusals = [one.refusal for one in verdicts if one.refusal]
    return Program(
        way=way,
        monitor=monitor.name,
        hook=hook.name,
        rung=rung.name,
        name=rung.program,
        instructions=min(one.instructions for one in verdicts) and max(one.instructions for one in verdicts),
        problem="\n".join(refusals),
        refused=bool(refusals),
    )


def _forced(monitor: Monitor, level: int, results: dict[str, Program]) -> Monitor:
    """Return the monitor with one rung per hook, at this level or else the lowest of those that are not refused."""
    usable = [
        hook._replace(rungs=tuple(rung for rung in hook.rungs if not results[rung.program].refused))
        for hook in monitor.hooks
    ]
    one_each = (hook._replace(rungs=hook.rungs[level : level + 1] or hook.rungs[-1:]) for hook in usable if hook.rungs)
    return monitor._replace(hooks=tuple(one_each))


def _try_hooks(forced: Monitor, way: Loaded | Pinned, results: dict[str, Program], tried: set[str]) -> None:
    """Run the checks of all hooks whose rung is new, under one attachment, and note what each finds wrong."""
    checks = checks_of(forced)
    new = [(hook, hook.rungs[0]) for hook in forced.hooks if hook.rungs[0].program not in tried]
    tried.update(rung.program for _, rung in new)
    running = {rung.program: checks[hook.name](rung) for hook, rung in new}

    def provoke() -> None:
        for check in running.values():
            next(check)

    try:
        records = way.observe(forced, provoke)
    except Exception as error:  # noqa: BLE001 -- each kind of failure is a result of the programs.
        for program in running:
            results[program].problem = f"{type(error).__name__}: {error}"
        return
    for program, check in running.items():
        try:
            check.send(records)
        except StopIteration:
            continue
        except Exception as error:  # noqa: BLE001 -- likewise.
            results[program].problem = f"{type(error).__name__}: {error}"
