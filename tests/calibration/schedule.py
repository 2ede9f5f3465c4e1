"""What happens on a day of a small server, and when: a timetable drawn from a seed.

A host that serves a web site, keeps two databases, builds what its people write, and is looked after by cron. Periodic
work keeps its periods, people come at office hours, visitors come by a day and night profile, and rare work (packages
that come and go, a new project) comes every few days. Each entry is one unit of work, done for real by `worker`.
"""

import math
from random import Random
from typing import NamedTuple

from tests.calibration import work

DAY = 86_400
_OFFICE = ((9, 12), (13, 18))


class Unit(NamedTuple):
    """A piece of work: at which second of its day, of which kind, by which way in, and what is done.

    `way` is `cron` and the like (a service whose child runs `script` as a shell command), `login:USER` (the lines of
    `script` are typed into a shell over ssh) or `visit` (`script` runs on the other side of the cable). `project` is a
    folder of sources that is made new for it, or empty.
    """

    at: float
    kind: str
    way: str
    script: str


def timetable(seed: int, day: int) -> list[Unit]:
    """Return the units of one day in the order of their times."""
    random = Random(f"{seed} {day}")
    weekend = day % 7 in {5, 6}
    units = [*_periodic(random, day), *_visits(random, weekend=weekend), *_people(random, weekend=weekend)]
    units += _builds(random, day, weekend=weekend)
    units += _rare(random, day)
    return sorted(units, key=lambda unit: unit.at)


def _periodic(random: Random, day: int) -> list[Unit]:
    units = [
        Unit(600 * number + random.uniform(0, 2), "health", "cron", work.health(random, number))
        for number in range(144)
    ]
    units += [
        Unit(1200 * number + 300 + random.uniform(0, 3), "metrics", "monitoring", work.metrics(random))
        for number in range(72)
    ]
    units += [
        Unit(3600 * hour + 17 * 60 + random.uniform(0, 2), "hourly", "cron", work.hourly(random, hour))
        for hour in range(24)
    ]
    units += [
        Unit(2 * 3600 + 5 * 60, "backup", "cron", work.backup(random, day)),
        Unit(3 * 3600 + 25 * 60, "daily", "cron", work.daily(random)),
        Unit(4 * 3600 + 10 * 60, "database-care", "cron", work.database_care(random)),
    ]
    if day % 7 == 6:
        units.append(Unit(4 * 3600 + 47 * 60, "weekly", "cron", work.weekly()))
    return units


def _visits(random: Random, *, weekend: bool) -> list[Unit]:
    """Return visits by a day and night profile: fewest at four in the morning, fewer at weekends."""
    units = []
    for _ in range(22 if weekend else 40):
        while True:
            hour = random.uniform(0, 24)
            if random.random() < 0.25 + 0.75 * (1 - math.cos(2 * math.pi * (hour - 4) / 24)) / 2:
                break
        kind, script = work.visit(random)
        units.append(Unit(3600 * hour, kind, "visit", script))
    return units


def _people(random: Random, *, weekend: bool) -> list[Unit]:
    units = []
    for _ in range(random.randint(0, 2) if weekend else random.randint(9, 14)):
        user, kind, script = work.session(random)
        units.append(Unit(_office(random), kind, f"login:{user}", script))
    return units


def _builds(random: Random, day: int, *, weekend: bool) -> list[Unit]:
    units = []
    for _ in range(random.randint(2, 4) if weekend else random.randint(9, 13)):
        kind, script = work.build(random, day)
        units.append(Unit(_office(random) + random.uniform(-3600, 3600), kind, "runner", script))
    return units


def _rare(random: Random, day: int) -> list[Unit]:
    return [Unit(3600 * random.uniform(6, 22), kind, way, script) for kind, way, script in work.rare(random, day)]


def _office(random: Random) -> float:
    begin, end = random.choice(_OFFICE)
    return 3600 * random.uniform(begin, end)
