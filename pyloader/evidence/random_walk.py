"""Sequential test of first contacts: is this one scanning?

The threshold random walk of Jung, Paxson, Berger and Balakrishnan (IEEE S&P 2004), which is Wald's sequential
probability ratio test. Whoever knows where services are mostly succeeds at the first contact with a port or a host;
whoever looks for them mostly fails. With success rates θ0 of the honest and θ1 of scanners, each first contact moves
the level, in nats, by

    success: ln(θ1 / θ0)        failure: ln((1 - θ1) / (1 - θ0))

The test has no window of time, so a slow scan climbs as high as a fast one. By Ville's inequality the level of an
honest one ever reaches h with a probability of at most e^-h.
"""

import math
from typing import Final, NamedTuple

HALF_LIFE_NS: Final = 48 * 3600 * 1_000_000_000
"""Evidence of contacts halves in two days: shorter and a patient scan would walk under it."""

LOWEST: Final = -4.6
"""ln(0.01). Nobody can buy more credit than that with successes (Mell and Harang, IEEE CNS 2013)."""

HIGHEST: Final = 30.0


class Steps(NamedTuple):
    """How far one first contact moves the level, in nats."""

    success: float
    failure: float


def steps(honest: float, scanner: float) -> Steps:
    """Return the steps for the success rates (0 to 1) of the honest and of scanners.

    >>> [round(step, 3) for step in steps(0.8, 0.2)]
    [-1.386, 1.386]
    """
    return Steps(math.log(scanner / honest), math.log((1 - scanner) / (1 - honest)))


INBOUND: Final = steps(0.95, 0.05)
"""Whoever comes to this host: all contacts are with this host, whose services an honest one knows."""

NETWORK: Final = Steps(INBOUND.success / 2, INBOUND.failure / 2)
"""A whole network of sources: what unites them is weaker than what unites the contacts of one."""

OUTBOUND: Final = steps(0.8, 0.2)
"""Whoever goes out from this host: some of the hosts that it knows are down."""

UNANSWERED: Final = Steps(0.0, OUTBOUND.failure / 4)
"""An attempt that was given up: also what happy eyeballs do with the slower address (RFC 8305)."""


class RandomWalk:
    """The level of one suspect, in nats, between `LOWEST` and `HIGHEST`."""

    __slots__ = ("level", "moved")

    def __init__(self) -> None:
        self.level = 0.0
        self.moved = 0

    def step(self, successes: float, failures: float, size: Steps, now: int) -> float:
        """Enter first contacts that came to their outcome by `now` (ns), and return the level.

        Of contacts that are entered together the successes count first, so that they cannot undo the failures. A
        negative number of failures takes back those that have turned out well.
        """
        if now > self.moved:
            if self.moved:
                self.level *= 0.5 ** ((now - self.moved) / HALF_LIFE_NS)
            self.moved = now
        level = max(LOWEST, self.level + successes * size.success)
        self.level = max(LOWEST, min(HIGHEST, level + failures * size.failure))
        return self.level
