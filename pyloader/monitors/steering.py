"""Which of several workers reads a record: the same hash as in the kernel (`bpf/lane.bpf.h`)."""

from typing import Final

from pyloader.errors import UsageError

LANE_LIMIT: Final = 16
"""As many lanes as there can be (`LANE_LIMIT` in bpf/lane.bpf.h)."""

NO_LANE: Final = 0
"""The lane of records about nobody."""

_ROOT_CGROUP: Final = 1
_IPV4: Final = bytes(10) + b"\xff\xff"
_WORD: Final = (1 << 64) - 1


def require_lanes(lanes: int) -> None:
    """Raise `UsageError` if there cannot be so many lanes."""
    if not 1 <= lanes <= LANE_LIMIT:
        message = f"there can be 1 to {LANE_LIMIT} workers, not {lanes}"
        raise UsageError(message)


def lane_of(cgroup: int, session: int, lanes: int) -> int:
    """Return the lane of a process, by its control group, or by its session if that is the root of all groups."""
    return _by(cgroup if cgroup > _ROOT_CGROUP else session, lanes)


def lane_of_cgroup(cgroup: int, lanes: int) -> int:
    """Return the lane of what is in a control group; that of the root group is told by lane 0."""
    return _by(cgroup, lanes) if cgroup > _ROOT_CGROUP else NO_LANE


def lane_of_source(address: bytes, lanes: int) -> int:
    """Return the lane of an address of 16 bytes in network order, which is that of its network."""
    whole = address[8:15] + b"\0" if address.startswith(_IPV4) else address[:8]
    return _by(int.from_bytes(whole, "little"), lanes)


def _by(number: int, lanes: int) -> int:
    """Return a lane by all bits of a number: fmix64() of MurmurHash3, cut down to a multiple."""
    number = (number ^ number >> 33) * 0xFF51AFD7ED558CCD & _WORD
    number = (number ^ number >> 33) * 0xC4CEB9FE1A85EC53 & _WORD
    return (number >> 33) * lanes >> 31
