"""Which lane: the same for all that belongs together, and evenly for what does not."""

from collections import Counter
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyloader.errors import UsageError
from pyloader.monitors import lane_of, lane_of_cgroup, lane_of_source, require_lanes
from pyloader.monitors.steering import LANE_LIMIT

NUMBERS = st.integers(0, 2**64 - 1)
LANES = st.integers(1, LANE_LIMIT)


def raw(text: str) -> bytes:
    """Return an address as records have it."""
    packed = ip_address(text).packed
    return packed if len(packed) == 16 else bytes(10) + b"\xff\xff" + packed


@given(NUMBERS, st.integers(0, 2**32 - 1), LANES)
def test_every_process_has_a_lane(cgroup: int, session: int, lanes: int) -> None:
    """Whatever the numbers are, the lane is one of those that there are."""
    assert 0 <= lane_of(cgroup, session, lanes) < lanes
    assert 0 <= lane_of_cgroup(cgroup, lanes) < lanes


@given(st.binary(min_size=16, max_size=16), LANES)
def test_every_source_has_a_lane(source: bytes, lanes: int) -> None:
    """Whatever the address is, the lane is one of those that there are, and that of the whole network."""
    lane = lane_of_source(source, lanes)

    assert 0 <= lane < lanes
    assert lane == lane_of_source(source[:15] + bytes([source[15] ^ 0xFF]), lanes)


@given(NUMBERS.filter(lambda number: number > 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), LANES)
def test_sessions_do_not_leave_a_group(cgroup: int, session: int, other: int, lanes: int) -> None:
    """In a control group of its own a process cannot change its lane by a new session."""
    assert lane_of(cgroup, session, lanes) == lane_of(cgroup, other, lanes) == lane_of_cgroup(cgroup, lanes)


@pytest.mark.parametrize("root", [0, 1])
def test_sessions_count_in_the_root_group(root: int) -> None:
    """Where all processes are in one control group the session tells them apart."""
    assert {lane_of(root, session, 4) for session in range(1, 40)} == {0, 1, 2, 3}
    assert lane_of_cgroup(root, 4) == 0


@pytest.mark.parametrize("lanes", [2, 3, 4, 8, 16])
@pytest.mark.parametrize("step", [1, 2, 64, 4096, 1 << 32])
def test_numbers_in_a_row_spread(lanes: int, step: int) -> None:
    """Groups and sessions are numbered in a row, in whatever steps; each lane gets its share of them."""
    count = 1_000 * lanes
    shares = Counter(lane_of(2 + step * number, 0, lanes) for number in range(count))

    assert len(shares) == lanes
    assert all(850 < share < 1_150 for share in shares.values())


@pytest.mark.parametrize("lanes", [2, 4, 16])
@pytest.mark.parametrize("form", ["10.{}.{}.7", "2001:db8:{:x}:{:x}::7"])
def test_networks_spread(lanes: int, form: str) -> None:
    """Of networks side by side each lane gets its share."""
    sources = [raw(form.format(high, low)) for high in range(32) for low in range(32)]
    shares = Counter(lane_of_source(source, lanes) for source in sources)

    fair = len(sources) / lanes
    assert all(0.6 * fair < shares[lane] < 1.4 * fair for lane in range(lanes))


def test_networks_of_sources() -> None:
    """24 bits of IPv4 and 64 of IPv6 make a network, as in the kernel's summaries of networks."""
    assert lane_of_source(raw("198.51.100.7"), 16) == lane_of_source(raw("198.51.100.0"), 16)
    assert lane_of_source(raw("2001:db8::7"), 16) == lane_of_source(raw("2001:db8::"), 16)
    assert len({lane_of_source(raw(f"198.51.{net}.7"), 16) for net in range(64)}) > 8


def test_the_hash_stays_as_it_is() -> None:
    """The hash is written down twice, for the kernel and for the workers: here is what both must give."""
    assert [lane_of(number, 0, 16) for number in (2, 3, 4, 5, 1 << 40)] == [3, 0, 4, 13, 14]


@pytest.mark.parametrize("lanes", [0, -1, 17])
def test_so_many_lanes_there_cannot_be(lanes: int) -> None:
    """There are 1 to 16 workers, and whoever wants more is told so."""
    with pytest.raises(UsageError, match="1 to 16 workers"):
        require_lanes(lanes)
    require_lanes(1)
    require_lanes(LANE_LIMIT)
