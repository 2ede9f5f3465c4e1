"""Beacons are found; known rhythms, work and people are none."""

import random

import pytest

from pyloader.alerts import Subject
from tests.unit.evidence.journey import Journey, ticks

C2 = "203.0.113.66"
KNOWN = "198.51.100.20"


@pytest.mark.parametrize("period", [0.3, 30.0, 3_600.0])
@pytest.mark.parametrize("seed", range(5))
def test_beacon_to_a_new_place_is_found(period: float, seed: int) -> None:
    """A beacon with 20 % jitter and 10 % missed contacts is one alert within 32 contacts, whatever its period."""
    journey = Journey()
    pid = journey.start("/usr/bin/python3.11")

    journey.visit(pid, ticks(32, period, seed=seed), C2)

    [alert] = journey.alerts
    assert alert.domain == "connection"
    assert isinstance(alert.subject, Subject)
    assert alert.subject.pid == pid
    assert alert.evidence[0].code == "beacon"
    assert f"{C2}:443, every " in alert.summary


def test_beacon_of_new_processes_is_found() -> None:
    """A program that is started anew for every contact is found by its executable."""
    journey = Journey()
    for now in ticks(32, 30.0):
        pid = journey.start("/usr/bin/curl", now=now - 0.1)
        journey.connect(pid, C2, now=now)
        journey.end(pid, now + 0.1)

    assert "beacon" in {reason.code for alert in journey.alerts for reason in alert.evidence}


def test_beacon_among_ordinary_work_is_found() -> None:
    """A program with a history of other places is found when it begins to go to a new one in a rhythm."""
    journey, chance = Journey(), random.Random(1)
    pid, now = journey.start("/usr/bin/python3.11"), 10.0
    for _ in range(400):
        now += chance.expovariate(0.1)
        journey.connect(pid, KNOWN, now=now)
    journey.visit(pid, ticks(32, 30.0, start=now), C2)

    [alert] = journey.alerts
    assert C2 in alert.summary


def test_check_of_health_is_no_beacon() -> None:
    """A check every five seconds of a place that this host knows is no alert, and hardly evidence, in a thousand."""
    journey, chance = Journey(), random.Random(1)
    browser, now = journey.start("/usr/bin/firefox"), 10.0
    for _ in range(50):
        now += chance.expovariate(0.2)
        journey.connect(browser, KNOWN, now=now)
    checker = journey.start("/usr/bin/curl", now=now)

    journey.visit(checker, ticks(1_000, 5.0, start=now, jitter=0.01, missed=0.0), KNOWN)

    assert journey.alerts == []
    assert "beacon" not in journey.codes


def test_check_of_this_host_is_no_beacon() -> None:
    """A check every five seconds of a service on this host is no alert."""
    journey = Journey()

    journey.visit(journey.start("/usr/bin/curl"), ticks(200, 5.0, jitter=0.01, missed=0.0), "127.0.0.1", 8080)

    assert journey.alerts == []


def test_loop_of_requests_is_no_beacon() -> None:
    """Requests one after the other, as regular as they are, are work: they are connected most of the time."""
    journey = Journey()

    journey.visit(journey.start("/usr/bin/curl"), ticks(200, 0.3, jitter=0.05, missed=0.0), C2, lasts=0.25)

    assert journey.alerts == []


def test_load_is_no_beacon() -> None:
    """Ten thousand short connections to a new place, a millisecond apart, are no alert."""
    journey = Journey()
    pid = journey.start("/usr/bin/python3.11")

    journey.visit(pid, ticks(10_000, 0.001, jitter=0.1, missed=0.0), C2, lasts=0.0002)

    assert journey.alerts == []


@pytest.mark.parametrize("seed", range(10))
def test_person_is_no_beacon(seed: int) -> None:
    """Contacts at random times, to new places as well, are no alert."""
    journey, chance, now = Journey(), random.Random(seed), 10.0
    pid = journey.start("/usr/bin/python3.11")
    for number in range(300):
        now += chance.lognormvariate(2, 1.3)
        journey.connect(pid, f"203.0.113.{number % 3}", now=now, sends=chance.randrange(100, 5_000))

    assert journey.alerts == []
