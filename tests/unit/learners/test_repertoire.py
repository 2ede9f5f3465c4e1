"""The repertoire: what its populations answer, and that nothing but value signals makes them speak."""

import pytest

from pyloader.errors import PyloaderError
from pyloader.learners import Conjunction, Origin, Repertoire, reentry
from pyloader.learners.chance import Chance

SHELL = Conjunction(("child=sh", "parent=nginx"), 3.0, "a web server started a shell")


def test_innate_unit_speaks_from_the_start() -> None:
    """An innate unit votes its weight at the events that show all of its literals, and at no others."""
    repertoire = Repertoire([(), (), (SHELL,), (), (), ()], seed=1)

    answer = repertoire.respond(2, ("child=sh", "parent=nginx", "uid=33"))

    assert (answer.vote, answer.units, answer.bin) == (3.0, (24,), 3)
    assert repertoire.respond(2, ("child=sh", "parent=cron")).vote == 0.0
    assert repertoire.respond(1, ("child=sh", "parent=nginx")).vote == 0.0
    assert repertoire.describe(24)[:3] == (("child=sh", "parent=nginx"), "a web server started a shell", 3.0)
    assert repertoire.describe(24).origin is Origin.INNATE


def test_reentry_tells_of_the_five_others() -> None:
    """A population hears only what others said, and only those who said something."""
    assert reentry(2, (0, 1, 3, 0, 2, 0)) == ("reentry.1=1", "reentry.4=2")
    assert all(len(reentry(group, (3,) * 6)) == 5 for group in range(6))


@pytest.mark.parametrize("innate", [[()] * 5, [(SHELL,) * 13, (), (), (), (), ()]])
def test_wrong_innate_units_are_refused(innate: list[tuple[Conjunction, ...]]) -> None:
    """A repertoire has six populations of at most twelve innate units."""
    with pytest.raises(PyloaderError):
        Repertoire(innate, seed=1)


def event(chance: Chance, *, attack: bool) -> tuple[str, ...]:
    """Return an event of six words; an attack shows two of them together that are ordinary alone."""
    words = [chance.below(60) for _ in range(6)]
    if attack:
        words[1], words[4] = 3, 7
    return tuple(f"field{field}={word}" for field, word in enumerate(words))


def is_attack(literals: tuple[str, ...]) -> bool:
    """Return whether both words are there."""
    return "field1=3" in literals and "field4=7" in literals


def live(repertoire: Repertoire, events: int, *, rewarded: bool = True, seed: int = 9) -> None:
    """Let a repertoire see events of group 2, with a label for the attacks and some others, and a few generations."""
    chance = Chance(seed)
    for number in range(events):
        literals = event(chance, attack=number % 600 == 0)
        repertoire.respond(2, literals)
        repertoire.observe(2, literals)
        if rewarded and number % 20 == 0:
            repertoire.reward(2, literals, 1.0 if is_attack(literals) else -1.0)
        if number % 200 == 199:
            repertoire.generation()


def test_hidden_conjunction_is_found() -> None:
    """From labels alone a unit is born that means the hidden pair; the pair is voted for, its single words are not."""
    repertoire = Repertoire(seed=1)
    live(repertoire, 9_000)

    both = repertoire.respond(2, event(Chance(77), attack=True))
    found = repertoire.describe(both.units[0])

    assert both.vote > 2.5
    assert {"field1=3", "field4=7"} <= set(found.literals)
    assert found.origin is not Origin.INNATE
    assert found.positives > 5.0
    assert repertoire.respond(2, ("field1=3", "field4=5")).vote < 0.5
    assert repertoire.respond(2, ("field1=5", "field4=7")).vote < 0.5


def test_without_value_nothing_is_said() -> None:
    """However much it sees, a repertoire without any value signal votes for nothing: rarity alone is no value."""
    repertoire = Repertoire(seed=1)
    live(repertoire, 2_000, rewarded=False)

    assert [population.units != [] for population in repertoire.populations][2]
    assert repertoire.respond(2, event(Chance(77), attack=True)).vote == 0.0


def test_own_votes_teach_nothing() -> None:
    """What a population says itself is no value signal: asking it a thousand times changes no weight."""
    repertoire = Repertoire([(), (), (SHELL,), (), (), ()], seed=1)
    for _ in range(1_000):
        repertoire.respond(2, SHELL.literals)
    repertoire.generation()

    assert repertoire.describe(24).positives == 0.0
    assert repertoire.respond(2, SHELL.literals).vote == 3.0


def test_populations_are_bounded() -> None:
    """After any number of generations a population has at most 100 units, and all of its innate ones."""
    innate = tuple(Conjunction((f"never={number}",), 1.0, "") for number in range(12))
    repertoire = Repertoire([(), (), innate, (), (), ()], seed=3)
    for seed in range(4):
        live(repertoire, 2_000, seed=seed)

        assert all(len(population.units) <= 100 for population in repertoire.populations)
    assert [unit.identity for unit in repertoire.populations[2].units[:12]] == list(range(24, 36))
    assert repertoire.evicted["units"] > 0


def test_few_die_at_a_time() -> None:
    """In one generation at most five units of a population die."""
    repertoire = Repertoire(seed=3)
    live(repertoire, 3_000)
    for seed in range(20):
        live(repertoire, 199, seed=seed)
        before = {unit.identity for unit in repertoire.populations[2].units}
        repertoire.generation()

        assert len(before - {unit.identity for unit in repertoire.populations[2].units}) <= 5


def test_benign_conjunctions_are_not_born() -> None:
    """What shows in more than a fifth of a percent of the background is no candidate, even if attacks show it too."""
    repertoire = Repertoire(seed=1)
    live(repertoire, 9_000)

    chance = Chance(123)
    benign = [event(chance, attack=False) for _ in range(10_000)]
    mature = [unit for unit in repertoire.populations[2].units if unit.birth > 5]

    assert mature
    assert all(sum(unit.matches(literals) for literals in benign) < 50 for unit in mature)


def test_same_seed_gives_the_same_units() -> None:
    """Two repertoires with one seed that saw the same are the same; another seed breeds others."""
    first, second, other = Repertoire(seed=5), Repertoire(seed=5), Repertoire(seed=6)
    for repertoire in (first, second, other):
        live(repertoire, 2_000)
    units = [[unit.literals for unit in one.populations[2].units] for one in (first, second, other)]

    assert units[0] == units[1] != units[2]


def test_forgetting_changes_no_answer() -> None:
    """A repertoire that forgets its signatures before every generation and in between answers as others do."""
    one, other = Repertoire(seed=5), Repertoire(seed=5)
    for seed in range(10):
        live(one, 300, seed=seed)
        live(other, 300, seed=seed)
        other.forget()
    chance = Chance(4)
    for number in range(200):
        literals = event(chance, attack=number % 4 == 0)
        assert one.respond(2, literals).vote == other.respond(2, literals).vote
        assert one.respond(2, literals).units == other.respond(2, literals).units


def test_answers_are_remembered_until_labels_come() -> None:
    """The same answer object is given again until a value signal changes a weight."""
    repertoire = Repertoire([(), (), (SHELL,), (), (), ()], seed=1)
    first = repertoire.respond(2, SHELL.literals)

    assert repertoire.respond(2, SHELL.literals) is first

    repertoire.reward(2, SHELL.literals, 1.0)

    assert repertoire.respond(2, SHELL.literals) is not first


def test_signatures_are_bounded() -> None:
    """A hundred thousand different signatures leave no more than two generations of them, and are counted."""
    repertoire = Repertoire(seed=1)
    for number in range(40_000):
        repertoire.observe(number % 6, (f"address={number}",))

    assert repertoire.evicted["signatures"] >= 40_000 - 2 * 8_192
    repertoire.generation()
    assert sum(population.background for population in repertoire.populations) == pytest.approx(40_000, rel=0.05)


def test_the_dead_can_be_described() -> None:
    """A unit of an old explanation is still described after it has died; one that never was is not."""
    repertoire = Repertoire(seed=3)
    live(repertoire, 3_000)
    units = {unit.identity for unit in repertoire.populations[2].units}
    live(repertoire, 6_000, rewarded=False)
    dead = sorted(units - {unit.identity for unit in repertoire.populations[2].units})

    assert dead
    assert all(len(repertoire.describe(unit).literals) <= 3 for unit in dead)
    with pytest.raises(KeyError):
        repertoire.describe(10**9)


def test_weak_signals_wait_for_a_generation() -> None:
    """Quiet closes cost nothing on the hot path: weights stay as they are until the next generation."""
    repertoire = Repertoire(seed=1)
    live(repertoire, 9_000)
    literals = event(Chance(77), attack=True)
    before = repertoire.respond(2, literals)
    for _ in range(1_000):
        repertoire.reward(2, literals, -0.02)

    assert repertoire.respond(2, literals) is before
    repertoire.generation()
    assert repertoire.respond(2, literals).vote < before.vote
