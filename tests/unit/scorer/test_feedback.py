"""What analysts taught, how far it goes, and how it ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.scorer import Label, Scorer
from pyloader.scorer.feedback import CAPACITY, LIFE, MOST_NATS, STEP_NATS, Lessons
from tests.unit.examples import SECOND, evidence, process

NOW = 1_700_000_000_000_000_000
HERE = ("sample", "/usr/bin/curl", "/usr/bin/bash")
THERE = ("sample", "/usr/bin/curl", "/usr/sbin/nginx")


def test_nothing_taught() -> None:
    """Without lessons all evidence keeps its weight."""
    lessons = Lessons()

    assert (len(lessons), bool(lessons), lessons.of(HERE, NOW)) == (0, False, 0.0)


def test_lesson_is_for_its_circumstances() -> None:
    """A label moves evidence in the same circumstances, and in no others: not below another parent."""
    lessons = Lessons()
    lessons.teach([HERE], -STEP_NATS, NOW)

    assert (lessons.of(HERE, NOW), lessons.of(THERE, NOW)) == (-2.0, 0.0)


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_lessons_are_capped(direction: float) -> None:
    """However many labels agree, they move evidence by six nats at most."""
    lessons = Lessons()
    for _ in range(50):
        lessons.teach([HERE], direction * STEP_NATS, NOW)

    assert lessons.of(HERE, NOW) == direction * MOST_NATS


@given(st.lists(st.sampled_from([-4.0, -2.0, 2.0, 4.0]), max_size=30), st.randoms(use_true_random=False))
def test_every_label_can_be_taken_back(labels: list[float], chance: object) -> None:
    """When all labels are taken back, in any order, nothing is left of them: not even of those beyond the cap."""
    lessons = Lessons()
    for nats in labels:
        lessons.teach([HERE], nats, NOW)
    chance.shuffle(labels)  # type: ignore[attr-defined]
    for nats in labels:
        lessons.teach([HERE], -nats, NOW)

    assert (lessons.of(HERE, NOW), len(lessons)) == (0.0, 0)


@given(st.lists(st.sampled_from([-4.0, -2.0, 2.0, 4.0]), max_size=30))
def test_lessons_stay_within_bounds(labels: list[float]) -> None:
    """Whatever is said in whatever order, a lesson weighs at most six nats."""
    lessons = Lessons()
    for nats in labels:
        lessons.teach([HERE], nats, NOW)
        assert -MOST_NATS <= lessons.of(HERE, NOW) <= MOST_NATS


def test_lessons_expire() -> None:
    """A lesson ends after ninety days, and the next one begins anew."""
    lessons = Lessons()
    lessons.teach([HERE], -STEP_NATS, NOW)

    assert lessons.of(HERE, NOW + LIFE - 1) == -STEP_NATS
    assert lessons.of(HERE, NOW + LIFE) == 0.0
    lessons.teach([HERE], STEP_NATS, NOW + LIFE)
    assert lessons.of(HERE, NOW + LIFE) == STEP_NATS


def test_a_new_label_prolongs() -> None:
    """Who says it again says it for another ninety days."""
    lessons = Lessons()
    lessons.teach([HERE], -STEP_NATS, NOW)
    lessons.teach([HERE], -STEP_NATS, NOW + LIFE - 1)

    assert lessons.of(HERE, NOW + LIFE) == -2 * STEP_NATS


def test_oldest_lesson_leaves() -> None:
    """There is room for so many lessons; the one that was said longest ago leaves, and is counted."""
    lessons = Lessons()
    lessons.teach([(str(number), "", "") for number in range(CAPACITY)], STEP_NATS, NOW)
    lessons.teach([("0", "", "")], STEP_NATS, NOW)
    lessons.teach([HERE], STEP_NATS, NOW)

    assert (len(lessons), lessons.evicted) == (CAPACITY, 1)
    assert lessons.of(("1", "", ""), NOW) == 0.0
    assert lessons.of(("0", "", ""), NOW) == 2 * STEP_NATS


def test_a_label_that_is_taken_back_leaves_no_trace() -> None:
    """After a label and its being taken back the same evidence scores as if nothing had been said."""
    told, untold = Scorer(), Scorer()
    scores = []
    for scorer, labels in ((told, (Label.BENIGN, Label.NONE)), (untold, ())):
        [verdict] = scorer.weigh([evidence(9.0, about=process(1), code="odd")], SECOND)
        scorer.alerted(verdict, "alert")
        for label in labels:
            assert scorer.label("alert", label, "", 2 * SECOND) is not None
        [again] = scorer.weigh([evidence(9.0, about=process(2), code="odd")], 3 * SECOND)
        scores.append(again.score)

    assert scores[0] == scores[1]
