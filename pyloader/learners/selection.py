"""One generation of a population: who dies, who is born, and of whom.

What is Darwinian here, and what is not. Edelman's theory of neuronal group selection (Neural Darwinism, 1987) has a
repertoire of many different groups, amplification of those that are of value to the organism, and re-entry between
maps; Fernando, Szathmáry and Husbands (Frontiers in Computational Neuroscience, 2012) point out that this selects but
does not evolve, for lack of replicators. This module adds them: units are copied with variation (mutation and
intersection), inherit their parent's literals, and are culled by value. It does not imitate neurons. And the weights
of the units are not selected but computed, from counts: selection only decides which conjunctions are worth counting.

Two operators come from immunology: negative selection, here as a filter on candidates, and affinity maturation, which
is the intersection of two positives. As detectors of their own they are known to fail (Stibor and others, 2005).
"""

from collections.abc import Callable, Sequence
from typing import Final

from pyloader.learners.chance import Chance
from pyloader.learners.population import INNATE, JUVENILE, LEARNED, Population
from pyloader.learners.reservoir import Literals, Occurrences
from pyloader.learners.unit import Origin, Totals, Unit, weight

CULLED: Final = 5
"""At most so many of the 100 units die in a generation."""

GRACE: Final = 10
"""A unit is a juvenile for so many generations; then it has proved itself, or it is culled."""

BENIGN_SHARE: Final = 0.002
"""A candidate that matches more of the benign reservoir than that is not born."""

LONGEST: Final = 3
TRIES: Final = 8
"""Of so many candidates the best is born."""

SURPRISED: Final = JUVENILE // 5
"""So many juveniles at most are there because something surprised: they wait for labels, and must not take all room."""

_COVERING: Final = 0.5
_BREEDING: Final = 0.8
_ELITE: Final = 10
_WORN: Final = 0.1


def generation(population: Population, number: int, chance: Chance, identity: Callable[[], int]) -> list[Unit]:
    """Let one generation pass and return the units that died; `identity` gives the next free identity."""
    population.settle()
    population.weigh()
    dead = _cull(population, number)
    Breeding(population, number, chance, identity).fill()
    population.weigh()
    population.index()
    return dead


def _fitness(unit: Unit) -> tuple[float, float, int]:
    """Order units by what they saved; of those that saved the same the stronger one is fitter, then the older."""
    return unit.utility, unit.llr * unit.positives, -unit.identity


def _cull(population: Population, number: int) -> list[Unit]:
    """Grow up the juveniles that have proved themselves, and remove the least fit of all others."""
    learned = [unit for unit in population.units if unit.adult and unit.origin is not Origin.INNATE]
    grown = [unit for unit in population.units if not unit.adult and number - unit.birth >= GRACE]
    dead: list[Unit] = []
    for unit in sorted(grown, key=_fitness, reverse=True):
        if unit.utility <= 0.0 and unit.llr * unit.positives <= 0.0:
            dead.append(unit)
        elif len(learned) < LEARNED:
            unit.adult = True
            learned.append(unit)
        else:
            weakest = min(learned, key=_fitness)
            if _fitness(weakest) < _fitness(unit):
                learned.remove(weakest)
                unit.adult = True
                learned.append(unit)
            dead.append(weakest if unit.adult else unit)
    dead += [unit for unit in sorted(learned, key=_fitness) if unit.utility < -_WORN]
    dead = dead[:CULLED]
    gone = {unit.identity for unit in dead}
    population.units = [unit for unit in population.units if unit.identity not in gone]
    return dead


class Breeding:
    """The births of one generation, with what candidates are tried on: the reservoir and the labelled memory."""

    def __init__(self, population: Population, number: int, chance: Chance, identity: Callable[[], int]) -> None:
        self._population = population
        self._number = number
        self._chance = chance
        self._identity = identity
        self._benign = Occurrences(population.reservoir.events)
        self._examples = [literals for literals, value in population.labelled if value > 0.0]
        self._positives = Occurrences(self._examples)
        self._negatives = Occurrences([literals for literals, value in population.labelled if value < 0.0])
        self._known = {frozenset(unit.literals) for unit in population.units}
        self._covered = 0
        for unit in population.units:
            if unit.llr > 1.0:
                self._covered |= self._positives.of(unit.literals)

    def fill(self) -> None:
        """Give birth until there are enough juveniles, or candidates run out; and sort literals by rarity."""
        population = self._population
        juveniles = sum(not unit.adult for unit in population.units)
        room = min(JUVENILE - juveniles, INNATE + LEARNED + JUVENILE - len(population.units))
        for _ in range(room):
            unit = self._birth()
            if unit is not None:
                population.units.append(unit)
                self._known.add(unit.needed)
                if unit.llr > 1.0:
                    self._covered |= self._positives.of(unit.literals)
        for unit in population.units:
            unit.literals = self._rarest_first(unit.literals)

    def _birth(self) -> Unit | None:
        """Return the best of some candidates, if any passes the filter."""
        way = self._chance.share()
        if not self._examples or way >= _BREEDING:
            way = 1.0
            surprised = sum(unit.origin is Origin.SURPRISE and not unit.adult for unit in self._population.units)
            if surprised >= SURPRISED:
                return None
        best, best_merit = None, (-1.0, -1.0)
        for _ in range(TRIES):
            literals, origin, parent = self._candidate(way)
            if not literals or frozenset(literals) in self._known:
                continue
            matched = self._benign.count(literals)
            if matched > BENIGN_SHARE * max(self._benign.size, 500):
                continue
            unit = self._unit(literals, origin, parent, matched)
            merit = self._merit(unit)
            if merit > best_merit:
                best, best_merit = unit, merit
        if best is not None:
            best.identity = self._identity()
        return best

    def _unit(self, literals: Literals, origin: Origin, parent: int | None, matched: int) -> Unit:
        """Return a newborn that remembers what it would have seen."""
        unit = Unit(-1, literals, origin=origin, birth=self._number, parent=parent)
        unit.positives = float(self._positives.count(literals))
        unit.negatives = float(self._negatives.count(literals))
        unit.background = matched * self._population.background / max(1, self._benign.size)
        unit.llr = weight(
            unit.positives,
            unit.negatives,
            matched,
            Totals(self._positives.size, self._negatives.size, self._benign.size),
        )
        return unit

    def _merit(self, unit: Unit) -> tuple[float, float]:
        """Order candidates: first by their weight times the positives that nobody covers, then by their rarity."""
        found = self._positives.of(unit.literals)
        fresh = (found & ~self._covered).bit_count()
        rarity = sum(map(self._benign.rarity, unit.literals))
        return unit.llr * (fresh + _WORN * found.bit_count()), rarity

    def _candidate(self, way: float) -> tuple[Literals, Origin, int | None]:
        """Return a conjunction, how it came to be, and its parent."""
        population, chance = self._population, self._chance
        if way >= _BREEDING:
            surprising = chance.pick(population.fresh) if population.fresh else ()
            return self._chosen(surprising), Origin.SURPRISE, None
        if way < _COVERING:
            missed: Sequence[Literals] = population.missed or self._examples
            return self._chosen(chance.pick(missed)), Origin.COVERING, None
        if chance.below(2):
            first, second = chance.pick(self._examples), chance.pick(self._examples)
            shared = frozenset(second)
            common = tuple(literal for literal in first if literal in shared)
            return (self._chosen(common) if first != second else ()), Origin.INTERSECTION, None
        return self._mutated()

    def _mutated(self) -> tuple[Literals, Origin, int | None]:
        """Return an elite unit with one literal more, less or another, out of a positive that it matched."""
        elite = sorted(self._population.units, key=_fitness, reverse=True)[:_ELITE]
        if not elite:
            return (), Origin.MUTATION, None
        parent = self._chance.pick(elite)
        literals = list(parent.literals)
        if len(literals) > 1 and (len(literals) == LONGEST or self._chance.below(2)):
            del literals[self._chance.below(len(literals))]
        matched = [example for example in self._examples if parent.matches(example)]
        if matched and (len(literals) < len(parent.literals) or len(literals) < LONGEST) and self._chance.below(4):
            added = [literal for literal in self._chance.pick(matched) if literal not in parent.needed]
            if added:
                literals += self._chosen(tuple(added), most=1)
        return self._rarest_first(tuple(literals)), Origin.MUTATION, parent.identity

    def _chosen(self, literals: Literals, most: int = LONGEST) -> Literals:
        """Return one to `most` of the literals, the rarer ones more often."""
        left = list(literals)
        weights = [max(0.01, self._benign.rarity(literal)) for literal in left]
        picked: list[str] = []
        for _ in range(min(len(left), 1 + self._chance.below(most))):
            place = self._chance.weighed(weights)
            picked.append(left.pop(place))
            del weights[place]
        return self._rarest_first(tuple(picked))

    def _rarest_first(self, literals: Literals) -> Literals:
        return tuple(sorted(literals, key=lambda literal: (-self._benign.rarity(literal), literal)))
