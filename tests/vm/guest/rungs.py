"""The rungs of a monitor's ladders in one way of use: attached, with events to observe.

A monitor is first left to itself. What it does not stand on is then forced, a rung of every hook at a time. Only if
that is refused, or the kernel tells no numbers, are programs looked at without events.
"""

import importlib
from collections.abc import Callable, Generator, Iterable, Mapping

from pyloader.monitors import Hook, Monitor, Rung
from pyloader.records import AnyRecord
from tests.vm.guest.ways import Loaded, Pinned, Standing
from tests.vm.report import Depth, Program

Check = Generator[None, list[AnyRecord], None]
"""Provokes events, yields, gets what was observed, and asserts that it is right."""

Checks = Mapping[str, Callable[[Rung], Check]]


class Examination:
    """One monitor in one way."""

    def __init__(self, monitor: Monitor, way: Loaded | Pinned) -> None:
        self._monitor = monitor
        self._way = way
        self._module = importlib.import_module(f"tests.vm.guest.checks.{monitor.name}")
        self._ladders = {
            hook.name: [rung for rung in hook.rungs if rung.program and rung.missing() is None]
            for hook in monitor.hooks
        }
        self._found: dict[str, Program] = {}

    def run(self) -> list[Program]:
        """Return what is found of each rung that is tried, the best of each hook first."""
        self._observe(self._monitor, left_to_itself=True)
        self._ask(self._above_the_chosen())
        while level := self._next_level():
            if failure := self._observe(self._forced(level), left_to_itself=False):
                self._ask(level.values())
                # What is refused to none alone fails for all.
                for hook, rung in level.items() if not self._refused(level) else ():
                    self._note(hook, rung).problem = failure
        if self._way.name.depth is Depth.ALL:
            self._count()
        return [
            self._found[rung.program]
            for ladder in self._ladders.values()
            for rung in ladder
            if rung.program in self._found
        ]

    def _observe(self, monitor: Monitor, *, left_to_itself: bool) -> str:
        """Run the checks of all hooks whose rung was not tried yet; return why the monitor cannot be used, if so."""
        running: dict[str, Check] = {}

        def provoke(standing: Standing) -> None:
            checks: Checks = self._module.hooks()
            for hook, rung in standing.rungs.items():
                if rung.program and rung.program not in self._found:
                    found = self._note(hook, rung)
                    found.instructions = _largest(rung, standing.instructions)
                    found.chosen = left_to_itself
                    running[rung.program] = checks[hook](rung)
            for check in running.values():
                next(check)

        try:
            records = self._way.observe(monitor, provoke)
        except Exception as error:  # noqa: BLE001 -- each kind of failure is a result of the programs.
            failure = f"{type(error).__name__}: {error}"
            for program in running:
                self._found[program].problem = failure
            return "" if running else failure
        for program, check in running.items():
            self._found[program].problem = _complaint(check, records)
        return ""

    def _note(self, hook: str, rung: Rung) -> Program:
        found = Program(self._way.name, self._monitor.name, hook, rung.name, rung.program)
        return self._found.setdefault(rung.program, found)

    def _refused(self, level: Mapping[str, Rung]) -> bool:
        """Return whether any rung of a level is known to be refused."""
        return any(rung.program in self._found for rung in level.values())

    def _above_the_chosen(self) -> list[Rung]:
        """Return the rungs that the monitor, left to itself, passed over."""
        chosen = {program.name for program in self._found.values() if program.chosen}
        above: list[Rung] = []
        for ladder in self._ladders.values():
            places = [place for place, rung in enumerate(ladder) if rung.program in chosen]
            above += ladder[: places[0] if places else len(ladder)]
        return above

    def _ask(self, rungs: Iterable[Rung]) -> None:
        """Ask the kernel for its verdict on rungs, and note those that it refuses."""
        wanted = {rung.program: rung for rung in rungs if rung.program not in self._found}
        if not wanted:
            return
        verdicts = self._way.verdicts(self._monitor, [name for rung in wanted.values() for name in rung.programs])
        for hook, ladder in self._ladders.items():
            for rung in ladder:
                told = [verdicts[name].refusal for name in rung.programs if name in verdicts]
                if rung.program in wanted and any(told):
                    found = self._note(hook, rung)
                    found.problem, found.refused = "\n".join(filter(None, told)), True

    def _next_level(self) -> dict[str, Rung]:
        """Return for each hook the next rung that is to be tried, if there is one."""
        untried = {
            hook: [rung for rung in ladder if rung.program not in self._found] for hook, ladder in self._ladders.items()
        }
        match self._way.name.depth:
            case Depth.ALL:
                return {hook: left[0] for hook, left in untried.items() if left}
            case Depth.ENDS:
                lowest = {hook: ladder[-1] for hook, ladder in self._ladders.items() if ladder}
                return {hook: rung for hook, rung in lowest.items() if rung in untried[hook]}
            case _:
                return {}

    def _forced(self, level: Mapping[str, Rung]) -> Monitor:
        """Return the monitor with one rung per hook: of this level, or else the lowest that holds."""
        hooks: list[Hook] = []
        for hook in self._monitor.hooks:
            holding = [
                rung
                for rung in self._ladders[hook.name]
                if (found := self._found.get(rung.program)) and not found.refused
            ]
            rung = level.get(hook.name, holding[-1] if holding else None)
            if rung is not None:
                hooks.append(hook._replace(rungs=(rung,)))
        return self._monitor._replace(hooks=tuple(hooks))

    def _count(self) -> None:
        """Find out how many instructions were verified, on kernels that do not tell it afterwards (before 5.16)."""
        unknown = [one for one in self._found.values() if not one.refused and not one.instructions]
        if not unknown:
            return
        rungs = {rung.program: rung for ladder in self._ladders.values() for rung in ladder}
        wanted = [name for one in unknown for name in rungs[one.name].programs]
        verdicts = self._way.verdicts(self._monitor, wanted)
        for one in unknown:
            counts = {name: verdict.instructions for name, verdict in verdicts.items()}
            one.instructions = _largest(rungs[one.name], counts)


def _largest(rung: Rung, instructions: Mapping[str, int]) -> int:
    """Return the number of the largest program of a rung; some machines lack some of those beside the first."""
    return max(instructions.get(name, 0) for name in rung.programs)


def _complaint(check: Check, records: list[AnyRecord]) -> str:
    """Return what a check finds wrong in the records, or an empty string."""
    try:
        check.send(records)
    except StopIteration:
        return ""
    except Exception as error:  # noqa: BLE001 -- each kind of failure is a result of the programs.
        return f"{type(error).__name__}: {error}"
    return "the check has not ended"
