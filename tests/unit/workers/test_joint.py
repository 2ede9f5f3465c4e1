"""What is decided for a whole host."""

from hypothesis import given
from hypothesis import strategies as st

from pyloader.pipeline import PARTS
from pyloader.scorer import Label, Level, Past, Tail
from pyloader.scorer.attention import EXPLORERS, SLOTS, Suspect
from pyloader.scorer.posture import OF_HOST
from pyloader.scorer.sharing import Conclusion, Overview, Relabelled
from pyloader.state import Classes, save
from pyloader.workers.joint import Joint

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def _overview(nats: list[float], *, invariant: bool = False) -> Overview:
    """Return what a scorer tells of lineages that stand like this."""
    return Overview(
        nats=tuple(sorted(nats, reverse=True)[:OF_HOST]),
        alerting=sum(one > 10.0 for one in nats),
        invariant=invariant,
        suspects=tuple(Suspect(number, one, str(number)) for number, one in enumerate(nats, 1)),
    )


_STANDING = st.lists(st.tuples(st.floats(0.0, 40.0), st.integers(0, 3)), max_size=30)


@given(st.lists(st.tuples(st.integers(1, 2_000), _STANDING, st.booleans()), max_size=30))
def test_posture_of_the_parts_is_that_of_the_whole(looks: list[tuple[int, list[tuple[float, int]], bool]]) -> None:
    """However lineages are shared out among four scorers, the host's posture is that of one scorer with all of them."""
    whole, joint = Joint(0, seed=1), Joint(0, seed=1)
    now = SECOND
    for seconds, standing, invariant in looks:
        now += seconds * SECOND
        of_all = {0: _overview([nats for nats, _ in standing], invariant=invariant)}
        parts = {
            lane: _overview([nats for nats, mine in standing if mine == lane], invariant=invariant and lane == 2)
            for lane in range(4)
        }

        expected, decided = whole.decide(now, of_all, []), joint.decide(now, parts, [])

        assert decided.level is expected.level
        assert decided.change == expected.change


@given(st.lists(_STANDING, min_size=1, max_size=4), st.integers(0, 2_000))
def test_attention_keeps_to_one_budget(parts: list[list[tuple[float, int]]], running: int) -> None:
    """However many stand out at however many scorers, as many are looked at as the kernel has room for."""
    overviews = {
        lane: Overview(
            suspects=tuple(Suspect(lane * 1_000 + at, nats, f"{lane}-{at}") for at, (nats, _) in enumerate(part))
        )
        for lane, part in enumerate(parts)
    }

    focus = Joint(0, seed=1).decide(SECOND, overviews, list(range(10_000, 10_000 + running))).focus

    assert len(focus.processes) <= SLOTS + EXPLORERS
    assert {key for key in focus.processes if key < 10_000} <= {
        one.key for part in overviews.values() for one in part.suspects
    }


def _past(name: str, nats: float, time: int, label: Label = Label.NONE) -> Past:
    return Past(name, "somebody", time, 50.0, nats, ("code",), (), (), ("alert",), "/bin/x", "", label=label)


def _end(name: str, nats: float, *, suspect: bool = False, invariant: bool = False) -> Conclusion:
    """Return what is told of an episode that has closed."""
    return Conclusion(
        _past(name, nats, DAY),
        nats,
        scar=0.0,
        suspect=suspect,
        invariant=invariant,
        quiet=not suspect,
        teaches=not invariant,
    )


def test_tail_of_the_host_learns_every_episode_once() -> None:
    """An episode counts once, wherever it closed; a suspect one a day later, and one that was an attack never."""
    joint = Joint(0, seed=1)
    for number in range(30):
        joint.learn(_end(f"{number}", 3.0))
    joint.learn(_end("suspect", 9.0, suspect=True))
    joint.learn(_end("attack", 9.0, suspect=True))
    joint.learn(_end("broken", 9.0, suspect=True, invariant=True))
    joint.learn(Relabelled(_past("attack", 9.0, DAY, Label.MALICIOUS), Label.NONE, DAY))

    assert len(joint.tail) == 30
    joint.decide(DAY, {}, [])
    joint.decide(3 * DAY, {}, [])
    assert len(joint.tail) == 31


def test_joint_goes_on_from_what_workers_remember() -> None:
    """The highest posture that a worker remembers is that of the host, and the tail that knows most is its tail."""
    joint = Joint(0, seed=1)
    for level, episodes in ((Level.WATCH, 3), (Level.GUARDED, 5), (Level.CALM, 0)):
        tail = Tail()
        for _ in range(episodes):
            tail.learn_one(2.0, DAY)
        joint.resume(level, save({"tail": tail}, Classes(PARTS)))

    assert joint.posture.level is Level.GUARDED
    assert len(joint.tail) == 5
