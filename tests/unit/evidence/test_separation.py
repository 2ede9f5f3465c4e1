"""How well the evidence of executions alone tells abuse from ordinary command lines, as a floor under the bench.

The lines are those of the development corpus; `tests/bench/bench_separation.py` tells the figures with their intervals
and beside a trained baseline. The bounds are what was reached, less five hundredths.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from tests.unit.evidence.separation import (
    Abuse,
    abuse,
    area,
    corpus,
    disguised,
    found,
    ordinary,
    play,
    play_elevated,
    play_set_uid,
    threshold,
)


class Corpus(NamedTuple):
    """Ordinary lines and abuse, and what the ordinary lines score as typed and through `sudo`."""

    ordinary: list[str]
    abuse: list[Abuse]
    typed: list[float]
    elevated: list[float]


@pytest.fixture(scope="module")
def lines() -> Corpus:
    """The corpus, with every ordinary line played twice."""
    benign = ordinary(corpus())
    return Corpus(benign, abuse(corpus()), [play(code) for code in benign], [play_elevated(code) for code in benign])


def _scores(cases: list[Abuse], context: str, played: Callable[[Abuse], float]) -> list[float]:
    return [played(case) for case in cases if context in case.contexts or not context]


def test_lines_as_typed(lines: Corpus) -> None:
    """Three of four lines of abuse score higher than 99 of 100 ordinary ones, though many only read or write files."""
    scores = _scores(lines.abuse, "", lambda case: play(case.code))
    assert found(scores, lines.typed, 0.01) >= 0.71
    assert found(scores, lines.typed, 0.001) >= 0.58
    assert area(scores, lines.typed) >= 0.83


def test_lines_through_sudo(lines: Corpus) -> None:
    """Through `sudo`, where ordinary lines are run too, hardly less is found with a tenth of the false alarms."""
    scores = _scores(lines.abuse, "sudo", lambda case: play_elevated(case.code))
    assert found(scores, lines.elevated, 0.01) >= 0.66
    assert found(scores, lines.elevated, 0.001) >= 0.64


def test_programs_with_a_set_uid_bit(lines: Corpus) -> None:
    """A set-uid bit where systems have none gives nearly all abuse away, whatever the arguments."""
    scores = _scores(lines.abuse, "suid", play_set_uid)
    assert found(scores, lines.typed, 0.01) >= 0.92
    assert found(scores, lines.typed, 0.001) >= 0.91


def test_what_abuse_is_written_with_does_not_matter(lines: Corpus) -> None:
    """With ordinary paths, names and words in place of the author's, the evidence finds as much."""
    scores = [play(disguised(case.code, number, lines.ordinary)) for number, case in enumerate(lines.abuse)]
    assert found(scores, lines.typed, 0.01) >= 0.70
    assert found(scores, lines.typed, 0.001) >= 0.57


@pytest.mark.parametrize("function", ["reverse-shell", "bind-shell", "library-load"])
def test_functions_that_nobody_needs(lines: Corpus, function: str) -> None:
    """Remote shells and libraries are found to the last one at one false alarm in a thousand."""
    scores = [play(case.code) for case in lines.abuse if case.function == function]
    assert min(scores) > threshold(lines.typed, 0.001)


def test_no_ordinary_line_is_an_alarm(lines: Corpus) -> None:
    """Of thousands of ordinary lines only two, which source what they download, reach 5.2 nats, through `sudo` too."""
    assert sum(score >= 5.2 for score in lines.typed) <= 2
    assert sum(score >= 5.2 for score in lines.elevated) <= 2


def test_ties_count_against_the_defender() -> None:
    """Abuse with the score of an ordinary line that may not be flagged is not found."""
    assert found([2.0, 1.0], [2.0, 1.0, 0.0, 0.0], 0.25) == 0.5
    assert found([1.0, 1.0], [2.0, 1.0, 1.0, 0.0], 0.25) == 0.0
    assert area([1.0], [1.0, 0.0]) == 0.75
