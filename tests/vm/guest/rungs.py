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
    found = way.verdicts(possible, [rung.program for hook in possible.hooks for rung in hook.rungs])
    results = {
        rung.program: _result(way.name, monitor, hook, rung, found[rung.program])
        for hook in possible.hooks
        for rung in hook.rungs
    }
    programs += results.values()
    for rung in way.chosen(monitor):
        results[rung.program].chosen = True
    for level in range(max(len(hook.rungs) for hook in possible.hooks)):
        forced = _forced(possible, level, results)
        if forced.hooks:
            _try_hooks(forced, way, results)


def _possible(hook: Hook) -> tuple[Rung, ...]:
    return tuple(rung for rung in hook.rungs if rung.missing() is None)


def _result(way: Way, monitor: Monitor, hook: Hook, rung: Rung, verdict: Verdict) -> Program:
    return Program(
        way=way,
        monitor=monitor.name,
        hook=hook.name,
        rung=rung.name,
        name=rung.program,
        instructions=verdict.instructions,
        problem=verdict.refusal,
        refused=bool(verdict.refusal),
    )


def _forced(monitor: Monitor, level: int, results: dict[str, Program]) -> Monitor:
    """Return the monitor with one rung per hook, at this level or else the lowest of those that are not refused."""
    usable = [
        hook._replace(rungs=tuple(rung for rung in hook.rungs if not results[rung.program].refused))
        for hook in monitor.hooks
    ]
    one_each = (hook._replace(rungs=hook.rungs[level : level + 1] or hook.rungs[-1:]) for hook in usable if hook.rungs)
    return monitor._replace(hooks=tuple(one_each))


def _try_hooks(forced: Monitor, way: Loaded | Pinned, results: dict[str, Program]) -> None:
    """Run the checks of all hooks under one attachment, and note what each finds wrong."""
    checks = checks_of(forced)
    running = {hook.rungs[0].program: checks[hook.name](hook.rungs[0]) for hook in forced.hooks}

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
