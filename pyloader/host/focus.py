"""What is to be looked at closely: decided by the scorer, and followed by whoever observes."""

from collections.abc import Mapping
from typing import NamedTuple


class Focus(NamedTuple):
    """Who is to be reported in full, and how much of all others.

    What is rare and tells much by itself is always reported of everybody; this is about what comes in volumes.
    """

    processes: Mapping[int, int] = {}
    """The level, from 1 to 3, of each process in focus, by its id: the higher, the more may be told of it a second."""
    sources: tuple[bytes, ...] = ()
    """Addresses of sources of packets, 16 bytes each; IPv4 is mapped into IPv6."""
    rate: float = 1.0
    """The share, from 0 to 1, of what is otherwise told of everybody else that is still to be told."""
