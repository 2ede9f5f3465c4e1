"""What is held against a lineage as a whole."""

from pyloader.evidence import Evidence, Group
from pyloader.host import Process
from pyloader.scorer import Scorer
from pyloader.scorer.case import ATTENUATION, NO_CASE, Case, case_of
from tests.unit.examples import SECOND, evidence, process


def relatives() -> tuple[Process, Process]:
    """Return two children of one parent."""
    parent = process(1)
    return process(2, parent=parent), process(3, parent=parent)


def test_no_case() -> None:
    """Against a lineage of which nothing is known nothing is held, whatever else lies where its case would."""
    suspect = process()
    assert case_of(suspect.lineage) is NO_CASE

    suspect.lineage.case = "damaged"
    assert case_of(suspect.lineage) is NO_CASE


def test_case_never_changes() -> None:
    """New evidence makes a new case: a lineage can share that of the one that it left."""
    before = Case()
    after = before.with_evidence([evidence(5.0)], SECOND)

    assert (before.ledger.nats(SECOND), after.ledger.nats(SECOND)) == (0.0, 5.0)
    assert [len(case.tactics.signs) for case in (before, after)] == [0, 1]


def test_relatives_speak_against_each_other() -> None:
    """What one member of a lineage did weighs four fifths against the next one that is suspect at all."""
    one, other = relatives()
    scorer = Scorer()
    scorer.weigh([evidence(8.0, code="a", about=one)], SECOND)

    [verdict] = scorer.weigh([evidence(1.0, code="b", about=other)], SECOND)

    assert verdict.nats == ATTENUATION * (8.0 + 0.25)
    assert sum(reason.adds for reason in verdict.reasons(SECOND)) == verdict.nats


def test_strangers_do_not() -> None:
    """What a member of another lineage did is nobody else's affair."""
    scorer = Scorer()
    scorer.weigh([evidence(8.0, code="a", about=process(1))], SECOND)
    [verdict] = scorer.weigh([evidence(1.0, code="b", about=process(2))], SECOND)

    assert verdict.nats == 1.0


def test_tactics_of_relatives_add_up() -> None:
    """Relatives that each do their part of an attack are worth more than each alone."""
    one, other = relatives()
    scorer = Scorer()
    scorer.weigh([Evidence("a", Group.PROCESS, 4.0, "a", "T1059", one)], SECOND)
    [verdict] = scorer.weigh([Evidence("b", Group.OUTBOUND, 4.0, "b", "T1071", other)], 2 * SECOND)

    assert verdict.tactics.in_words() == "execution and command and control"
    assert verdict.nats > ATTENUATION * 7.9 + 1.9


def test_leaving_takes_the_case_along() -> None:
    """Who leaves the session begins a lineage against which the same is held; what comes later is not shared."""
    parent = process(1)
    parent.moved(1, 7)
    child = process(2, parent=parent)
    scorer = Scorer()
    scorer.weigh([evidence(8.0, about=parent)], SECOND)
    child.moved(2, 7)

    assert child.lineage is not parent.lineage
    assert case_of(child.lineage) is case_of(parent.lineage)
    scorer.weigh([evidence(9.0, code="later", about=parent)], SECOND)
    assert case_of(child.lineage).ledger.nats(SECOND) == 8.0
