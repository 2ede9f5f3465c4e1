"""The score of a record is that of its process."""

from pyloader.host import Host
from pyloader.scorer import Scorer
from pyloader.scorer.ledger import HALF_LIFE_NS
from pyloader.scorer.losses import MEMORY_NS
from pyloader.scorer.scale import CALM, score
from pyloader.scorer.scorer import CONFIDENCE_AFTER_LOSS
from tests.unit.examples import SECOND, evidence, exec_record, fork_record, loss_record, process


def test_process_without_evidence_is_calm() -> None:
    """A record whose process has no evidence, or that is about no process, is calm."""
    scorer = Scorer()

    assert scorer.score(exec_record(), process()) == CALM
    assert scorer.score(loss_record(), None) == CALM


def test_evidence_scores() -> None:
    """New evidence gives its process a score, and later records of it tell the same, fading."""
    scorer, suspect = Scorer(), process()

    [verdict] = scorer.weigh([evidence(8.0, about=suspect)], SECOND)

    assert verdict.entity is suspect
    assert score(8.0) == verdict.score
    assert score(8.0) == scorer.score(exec_record(timestamp=SECOND), suspect)
    assert score(4.0) == scorer.score(exec_record(timestamp=SECOND + HALF_LIFE_NS), suspect)


def test_evidence_about_several() -> None:
    """Evidence of one record is told by process: a pipe may speak against another one than the record's."""
    scorer, one, other = Scorer(), process(1), process(2)

    verdicts = scorer.weigh(
        [evidence(3.0, about=one), evidence(8.0, about=other), evidence(4.0, code="b", about=one)], 0
    )

    assert [(one, score(4.75)), (other, score(8.0))] == [(verdict.entity, verdict.score) for verdict in verdicts]


def test_child_inherits() -> None:
    """A child begins where its parent stands, and what it does does not fall back on its parent."""
    host, scorer = Host(), Scorer()
    parent = host.apply(exec_record())
    assert parent is not None
    scorer.weigh([evidence(6.0, about=parent)], SECOND)

    child = host.apply(fork_record())
    assert child is not None
    assert score(6.0) == scorer.score(fork_record(), child)
    scorer.weigh([evidence(9.0, about=child, code="other")], SECOND)

    assert score(10.5) == scorer.score(exec_record(), child)
    assert score(6.0) == scorer.score(exec_record(), parent)


def test_child_of_a_calm_parent() -> None:
    """A child inherits nothing from a parent without evidence."""
    host, scorer = Host(), Scorer()
    host.apply(exec_record())
    child = host.apply(fork_record())

    assert scorer.score(fork_record(), child) == CALM


def test_floor_holds() -> None:
    """Nothing talks away an invariant: neither evidence for the process, nor time."""
    scorer, suspect = Scorer(), process()
    scorer.weigh([evidence(1.0, about=suspect, floor=90)], SECOND)

    [verdict] = scorer.weigh([evidence(-20.0, code="good", about=suspect)], SECOND)

    assert verdict.score == 90.0
    assert scorer.score(exec_record(timestamp=SECOND + 100 * HALF_LIFE_NS), suspect) == 90.0


def test_floor_does_not_lower() -> None:
    """Stronger evidence than the floor counts fully."""
    [verdict] = Scorer().weigh([evidence(50.0, floor=90)], SECOND)

    assert verdict.score == 100.0


def test_loss_lowers_confidence() -> None:
    """After a loss verdicts are half as certain for ten minutes, and certain again then."""
    scorer = Scorer()

    def confidence(now: int) -> float:
        [verdict] = scorer.weigh([evidence()], now)
        return verdict.confidence

    assert confidence(SECOND) == 1.0
    scorer.lost(loss_record(timestamp=2 * SECOND))
    assert confidence(2 * SECOND) == CONFIDENCE_AFTER_LOSS
    assert confidence(2 * SECOND + MEMORY_NS - 1) == CONFIDENCE_AFTER_LOSS
    assert confidence(2 * SECOND + MEMORY_NS) == 1.0


def test_losses_add_up() -> None:
    """A verdict tells how many records were lost in the ten minutes before it, those of every loss together."""
    scorer = Scorer()
    scorer.lost(loss_record(3, timestamp=SECOND))
    scorer.lost(loss_record(4, timestamp=2 * SECOND, lost=2))

    def lost(now: int) -> int:
        [verdict] = scorer.weigh([evidence()], now)
        return verdict.lost

    assert lost(2 * SECOND) == 7
    assert lost(SECOND + MEMORY_NS) == 4
    assert lost(2 * SECOND + MEMORY_NS) == 0


def test_losses_are_bounded() -> None:
    """A host that loses all the time makes the scorer remember no more than the latest losses."""
    scorer = Scorer()
    for _ in range(2_000):
        scorer.lost(loss_record(1, timestamp=SECOND))
    [verdict] = scorer.weigh([evidence()], SECOND)

    assert (verdict.lost, verdict.confidence) == (1_024, CONFIDENCE_AFTER_LOSS)
