"""Every rung of a monitor's ladders: loaded by itself, then attached, with real events to observe."""

import importlib
from collections.abc import Callable, Generator

from pyloader.errors import LoadError
from pyloader.monitors import Hook, LoadedMonitor, Monitor, Rung
from pyloader.records import AnyRecord
from pyloader.sources import KernelSource
from tests.vm.guest import verdicts
from tests.vm.report import Program

RING_BYTES = 1 << 20

Check = Generator[None, list[AnyRecord], None]
"""Provokes events, yields, gets what was observed, and asserts that it is right."""

Checks = dict[str, Callable[[Rung], Check]]


def checks_of(monitor: Monitor) -> Checks:
    """Return the checks of a monitor by hook: `HOOKS` in `tests/vm/guest/checks/NAME.py`."""
    module = importlib.import_module(f"tests.vm.guest.checks.{monitor.name}")
    checks: Checks = module.HOOKS
    return checks


def observe(monitor: Monitor, action: Callable[[], None]) -> list[AnyRecord]:
    """Return what a monitor observes while an action runs."""
    source = KernelSource([monitor], ring_bytes=RING_BYTES)
    records: list[AnyRecord] = []
    try:
        source.start()
        action()
        source.stop()
        while True:
            records += source.read(None)
    except EOFError:
        return records
    finally:
        source.close()


def examine(monitor: Monitor, programs: list[Program]) -> None:
    """Append a result for every rung of every hook."""
    found = verdicts.load(monitor.object, [rung.program for hook in monitor.hooks for rung in hook.rungs])
    results = {
        rung.program: _result(monitor, hook, rung, found[rung.program]) for hook in monitor.hooks for rung in hook.rungs
    }
    programs += results.values()
    for rung in _chosen(monitor):
        results[rung.program].chosen = True
    for level in range(max(len(hook.rungs) for hook in monitor.hooks)):
        forced = _forced(monitor, level, results)
        if forced.hooks:
            _try_hooks(forced, results)


def _result(monitor: Monitor, hook: Hook, rung: Rung, verdict: verdicts.Verdict) -> Program:
    return Program(
        monitor=monitor.name,
        hook=hook.name,
        rung=rung.name,
        name=rung.program,
        instructions=verdict.instructions,
        problem=verdict.refusal,
        refused=bool(verdict.refusal),
    )


def _chosen(monitor: Monitor) -> list[Rung]:
    """Return where the monitor stands when it is left to itself; nowhere if it cannot be loaded."""
    try:
        with LoadedMonitor(monitor, ring_bytes=RING_BYTES) as loaded:
            return list(loaded.rungs.values())
    except LoadError:
        return []


def _forced(monitor: Monitor, level: int, results: dict[str, Program]) -> Monitor:
    """Return the monitor with one rung per hook, at this level or else the lowest, without those that are refused."""
    hooks = [hook._replace(rungs=(hook.rungs[min(level, len(hook.rungs) - 1)],)) for hook in monitor.hooks]
    return monitor._replace(hooks=tuple(hook for hook in hooks if not results[hook.rungs[0].program].refused))


def _try_hooks(forced: Monitor, results: dict[str, Program]) -> None:
    """Run the checks of all hooks under one attachment, and note what each finds wrong."""
    checks = checks_of(forced)
    running = {hook.rungs[0].program: checks[hook.name](hook.rungs[0]) for hook in forced.hooks}

    def provoke() -> None:
        for check in running.values():
            next(check)

    try:
        records = observe(forced, provoke)
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
