"""The repertoire: what its populations answer, and that nothing but value signals makes them speak."""

import pytest

from pyloader.errors import PyloaderError
from pyloader.learners import Conjunction, Origin, Repertoire, reentry

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
