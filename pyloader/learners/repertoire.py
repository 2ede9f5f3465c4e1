"""Neural Darwinism: six populations of units that learn which conjunctions of literals tell something.

Edelman, "Neural Darwinism" (1987), has three parts, and so has this. The primary repertoire: innate units, and newborn
ones of what surprises. Experiential selection: units that are of value are kept and bred from, by value signals from
outside and never by what the scorer itself says. Re-entry: each population hears, as literals, what the five others
said at the previous event of the same entity. `pyloader.learners.selection` says what of it is Darwinian and what not.

That a unit is silent where it is not awake, and speaks as soon as it is born, is the specialist ("sleeping expert") of
Freund, Schapire, Singer and Warmuth (STOC 1997).
"""

from collections.abc import Sequence
from sys import intern
from typing import Final

from pyloader.errors import UsageError
from pyloader.learners.chance import Chance
from pyloader.learners.population import INNATE, Population, Response
from pyloader.learners.reservoir import Literals
from pyloader.learners.selection import generation
from pyloader.learners.unit import Conjunction, Unit, UnitDescription

GROUPS: Final = 6
MEMO: Final = 4_096
GRAVES: Final = 1_024

_REENTRY: Final = tuple(tuple(f"reentry.{group}={bin_}" for bin_ in range(4)) for group in range(GROUPS))


class _Known:
    """A remembered signature: its literals, who is awake at it, what they said at some version of their population.

    `seen` counts its background activations that the units do not know of yet.
    """

    __slots__ = ("awake", "literals", "response", "seen", "version")

    def __init__(self, literals: Literals, awake: tuple[Unit, ...], response: Response, version: int) -> None:
        self.literals = literals
        self.awake = awake
        self.response = response
        self.version = version
        self.seen = 0


class Repertoire:
    """Six populations, 0 to 5, with the innate units of each (up to 12), and a seed that makes all chance repeatable.

    Of one event, `observe` counts it as background and responds, `respond` only responds, and `reward` brings a value
    signal. `generation` is called now and then, off the hot path. Responses are remembered by signature, which is the
    tuple of literals as given: the same ones in another order get the same answer, from another place in the memory.
    """

    __slots__ = ("_chance", "_evicted", "_fresh", "_graves", "_next", "_old", "_young", "generations", "populations")

    def __init__(self, innate: Sequence[Sequence[Conjunction]] = ((),) * GROUPS, *, seed: int) -> None:
        if len(innate) != GROUPS or any(len(units) > INNATE for units in innate):
            msg = f"a repertoire takes innate units for {GROUPS} populations, at most {INNATE} for each"
            raise UsageError(msg)
        self._chance = Chance(seed)
        self.populations = [
            Population(units, group * INNATE, self._chance.bits()) for group, units in enumerate(innate)
        ]
        self.generations = 0
        self._next = GROUPS * INNATE
        self._young: list[dict[Literals, _Known]] = [{} for _ in range(GROUPS)]
        self._old: list[dict[Literals, _Known]] = [{} for _ in range(GROUPS)]
        self._fresh = 0
        self._graves: dict[int, UnitDescription] = {}
        self._evicted = {"signatures": 0, "units": 0, "graves": 0}

    @property
    def evicted(self) -> dict[str, int]:
        """How many signatures and dead units were forgotten, and how many units died."""
        return dict(self._evicted)

    def respond(self, group: int, literals: Literals) -> Response:
        """Return what a population says to an event."""
        known = self._young[group].get(literals)
        if known is None or known.version != self.populations[group].version:
            known = self._recall(group, literals)
        return known.response

    def observe(self, group: int, literals: Literals) -> Response:
        """Count an event of the unlabelled stream, and respond: who is awake too often is worth little."""
        population = self.populations[group]
        known = self._young[group].get(literals)
        if known is None or known.version != population.version:
            known = self._recall(group, literals)
        known.seen += 1
        population.reservoir.offer(known.literals)
        return known.response

    def reward(self, group: int, literals: Literals, value: float) -> None:
        """Bring a value signal for an event: 1 for a label "malicious", -1 for "benign", and weaker ones between."""
        known = self._recall(group, literals)
        clipped = min(1.0, max(-1.0, value))
        if clipped:
            self.populations[group].reward(known.awake, literals, clipped, known.response.vote)

    def generation(self, least: int = 0) -> None:
        """Let one generation pass in every population that has heard so many events since its last, or a strong label.

        One that has heard nothing has nothing to select by.
        """
        self.forget()
        self.generations += 1
        for population in self.populations:
            if population.seen < least and not population.taught:
                continue
            population.generations += 1
            for unit in generation(population, population.generations, self._chance, self._identity):
                self._bury(unit, population)

    def forget(self) -> None:
        """Let go of all that can be computed again, as before a snapshot: no answer changes by it."""
        for group in range(GROUPS):
            self._count(group, self._young[group])
            self._count(group, self._old[group])
            self._young[group] = {}
            self._old[group] = {}
        self._fresh = 0

    def describe(self, unit: int) -> UnitDescription:
        """Return what there is to say of a unit, of the latest dead as well; others raise `KeyError`."""
        for population in self.populations:
            for one in population.units:
                if one.identity == unit:
                    return population.describe(one)
        return self._graves[unit]

    def _recall(self, group: int, literals: Literals) -> _Known:
        """Return the up-to-date memory of a signature."""
        population = self.populations[group]
        known = self._young[group].get(literals)
        if known is None:
            known = self._old[group].pop(literals, None)
            if known is None:
                literals = tuple(map(intern, literals))
                awake = population.awake(literals)
                known = _Known(literals, awake, population.respond(awake), population.version)
                population.fresh.append(literals)
            if self._fresh >= MEMO:
                self._turn()
            self._young[group][literals] = known
            self._fresh += 1
        if known.version != population.version:
            known.response = population.respond(known.awake)
            known.version = population.version
        return known

    def _turn(self) -> None:
        """Forget the older half of the signatures."""
        for group in range(GROUPS):
            self._evicted["signatures"] += len(self._old[group])
            self._count(group, self._old[group])
            self._old[group], self._young[group] = self._young[group], {}
        self._fresh = 0

    def _count(self, group: int, signatures: dict[Literals, _Known]) -> None:
        """Tell the units how often they were awake in the background."""
        population = self.populations[group]
        for known in signatures.values():
            seen = known.seen
            if seen:
                population.seen += seen
                for unit in known.awake:
                    unit.seen += seen
                known.seen = 0

    def _identity(self) -> int:
        self._next += 1
        return self._next - 1

    def _bury(self, unit: Unit, population: Population) -> None:
        self._evicted["units"] += 1
        if len(self._graves) >= GRAVES:
            del self._graves[next(iter(self._graves))]
            self._evicted["graves"] += 1
        self._graves[unit.identity] = population.describe(unit)


def reentry(group: int, bins: Sequence[int]) -> Literals:
    """Return the literals by which a population hears the others: their `Response.bin` at the entity's last event.

    >>> reentry(0, (3, 0, 2, 0, 0, 1))
    ('reentry.2=2', 'reentry.5=1')
    """
    return tuple(_REENTRY[other][bin_] for other, bin_ in enumerate(bins) if bin_ and other != group)
