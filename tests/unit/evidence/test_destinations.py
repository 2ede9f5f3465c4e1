"""Where programs go and wait: what is new, with its counts, and what is learned of it."""

import random

import pytest

from pyloader.evidence import Evidence
from pyloader.evidence.destinations import Destinations
from pyloader.evidence.novelty import Contexts
from pyloader.evidence.rarity import Experiences
from pyloader.evidence.staging import Staging
from pyloader.records import Direction
from tests.unit.evidence.journey import Journey, ticks
from tests.unit.examples import listening_record, opened_record, process
from tests.unit.traffic import raw

SECOND = 1_000_000_000
KNOWN = "198.51.100.20"
NEW = "203.0.113.66"


class Traveller:
    """A process whose connections are judged."""

    def __init__(self, exe: str = "/usr/bin/agent") -> None:
        self.staging = Staging()
        self.destinations = Destinations(self.staging)
        self.process = process()
        self.process.exe = exe

    def go(self, to: str = KNOWN, port: int = 443, now: int = 1, times: int = 1) -> tuple[Evidence, ...]:
        """Connect so many times, and return the evidence of the last."""
        found: tuple[Evidence, ...] = ()
        for _ in range(times):
            record = opened_record(timestamp=now, remote_address=raw(to), remote_port=port)
            found = self.destinations.opened(record, self.process)
            for item in found:
                self.staging.spoken(self.process.lineage, item)
        return found

    def wait(self, port: int, now: int = 1, times: int = 1) -> tuple[Evidence, ...]:
        """Listen so many times, and return the evidence of the last."""
        found: tuple[Evidence, ...] = ()
        for _ in range(times):
            found = self.destinations.listening(listening_record(timestamp=now, local_port=port), self.process)
        return found


def _learned(journey: Journey) -> Contexts:
    """Return what the pipeline of a journey has learned of destinations."""
    contexts = journey.pipeline.learned()["evidence.destinations"]
    assert isinstance(contexts, Experiences)
    return contexts


@pytest.fixture
def traveller() -> Traveller:
    """A process that connected 1,000 times to one place, and waited 1,000 times at one port."""
    made = Traveller()
    made.go(times=1_000)
    made.wait(80, times=1_000)
    return made


def test_sentences_carry_the_counts(traveller: Traveller) -> None:
    """What is new is told with how often the program did it elsewhere, and with where its baseline is found."""
    [item] = traveller.go(NEW)
    assert item.text.endswith(f"connects to where it never did: {NEW}:443, as none of 1,000 before of agent")
    assert item.context == ("address", "/usr/bin/agent", raw(NEW).hex())

    other = Traveller()
    other.wait(80, times=1_000)
    [item] = other.wait(4_444)
    assert item.text.endswith("waits for connections where it never did: port 4444, as none of 1,000 before of agent")
    assert item.context == ("listener", "/usr/bin/agent", "4444")


def test_new_place_is_told_once_and_learned_after_a_quiet_close(traveller: Traveller) -> None:
    """A new destination is told once in an episode, and is known after that closed quietly, and else is not."""
    assert [bool(traveller.go(NEW, now=now)) for now in (2, 3, 4)] == [True, False, False]
    traveller.staging.closed(traveller.process.lineage, 5, quiet=False)
    later = 86_400 * SECOND
    assert traveller.go(NEW, now=later)

    traveller.staging.closed(traveller.process.lineage, later + 6, quiet=True)
    assert not traveller.go(NEW, now=later + 7)


def test_excused_place_is_no_evidence(traveller: Traveller) -> None:
    """A destination that an analyst called benign is no evidence for this program."""
    [item] = traveller.go(NEW)
    traveller.staging.closed(traveller.process.lineage, 2, quiet=False)
    traveller.staging.teach(item.context, 20.0, 2)

    assert not traveller.go(NEW, now=3)


def test_place_of_this_host_only_is_learned_at_once(traveller: Traveller) -> None:
    """Where a program waits for this host alone is no evidence, and is known at once."""
    record = listening_record(timestamp=2, local_port=4_444, local_address=raw("127.0.0.1"))
    assert traveller.destinations.listening(record, traveller.process) == ()
    assert not traveller.wait(4_444, now=3)


def test_connections_that_were_taken_up_are_counted() -> None:
    """What a server took up counts among its connections, so that its first own one is at a new port."""
    server = Traveller("/usr/bin/daemon")
    for _ in range(1_000):
        server.destinations.opened(opened_record(timestamp=1, direction=Direction.INBOUND), server.process)

    assert "rare_port" in {item.code for item in server.go(NEW, 8_443)}


def test_beacon_makes_its_place_unknown_again() -> None:
    """A place that a program of many places went to unsuspected is not taken for known when a beacon is found there."""
    journey = Journey()
    pid = journey.start("/usr/bin/python3.11")
    journey.visit(pid, ticks(32, 30.0), NEW)
    assert "beacon" in journey.codes

    known = _learned(journey)
    assert raw(NEW) not in known.of(("address", "/usr/bin/python3.11"))
    assert raw(NEW) not in known.of(("address of host", ""))


def test_episodes_of_the_pipeline_teach() -> None:
    """A new place is told once in its episode, and is known when that has closed after ten quiet minutes."""
    journey, chance, now = Journey(), random.Random(1), 10.0
    pid = journey.start("/usr/bin/agent")
    for _ in range(1_000):
        now += chance.expovariate(1.0)
        journey.connect(pid, KNOWN, now=now)
    journey.codes.clear()
    journey.connect(pid, NEW, now=now + 60)
    journey.connect(pid, NEW, now=now + 61)
    assert journey.codes.count("rare_destination") == 1

    for second in range(70, 1_400, 10):
        journey.connect(pid, KNOWN, now=now + second + chance.random() * 9)
    journey.codes.clear()
    assert raw(NEW) in _learned(journey).of(("address", "/usr/bin/agent"))
    journey.connect(pid, NEW, now=now + 1_500)
    assert "rare_destination" not in journey.codes
