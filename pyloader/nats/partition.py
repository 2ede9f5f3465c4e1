"""Which scorer is to have which host: rendezvous hashing with bounded loads.

Every scorer computes the same division from the same two lists, so nobody has to hand out work. Each host prefers
scorers in an order of its own, that of a hash of both names (Thaler and Ravishankar 1998, "Using name-based mappings to
increase hit rates"), and gets the first that has room (Mirrokni, Thorup and Zadimoghaddam 2018, "Consistent hashing
with bounded loads", with the tightest bound, ceil(hosts / scorers)). So loads differ by little, and a scorer that comes
or goes moves few hosts beyond its own.

Two scorers may see different lists for a while. Then they may want the same host, or neither; who really has it is
decided by a claim (see `pyloader.nats.score_claims`), and the next look puts it right.
"""

from collections.abc import Collection
from hashlib import blake2b
from typing import Final

LEASE: Final = 10.0
"""Seconds of silence after which a scorer is taken for dead."""

MOST: Final = 64
"""Hosts that one scorer takes: what is known of each fills tens of megabytes."""


def shares(hosts: Collection[str], scorers: Collection[str], most: int) -> dict[str, str]:
    """Return the scorer of each host. No scorer gets more than `most`; hosts for which there is no room are left out.

    >>> sorted(shares(["web", "db", "mail"], ["a", "b"], most=64).values()).count("a") in (1, 2)
    True
    """
    if not scorers:
        return {}
    room = min(most, -(-len(hosts) // len(scorers)))
    load = dict.fromkeys(scorers, 0)
    given = {}
    for host in sorted(hosts):
        for _, scorer in sorted((_weight(host, one), one) for one in scorers):
            if load[scorer] < room:
                load[scorer] += 1
                given[host] = scorer
                break
    return given


def _weight(host: str, scorer: str) -> bytes:
    return blake2b(f"{len(host)}:{host}{scorer}".encode(), digest_size=8).digest()
