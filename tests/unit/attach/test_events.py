"""What the kernel's messages about interfaces say."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from pyloader.attach.events import Moved, moves

DELLINK, NEWLINK = 17, 16


def message(kind: int, number: int, *attributes: tuple[int, int]) -> bytes:
    """Return a message about an interface."""
    body = struct.pack("=BxHiII", 0, 1, number, 0, 0)
    body += struct.pack("=HH4s", 8, 3, b"v0\0\0")
    body += b"".join(struct.pack("=HHi", 8, attribute, value) for attribute, value in attributes)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def test_a_move_is_told() -> None:
    """A removal that names a namespace is a move to it, with the number there if that is told."""
    batch = message(NEWLINK, 5) + message(DELLINK, 3, (45, 0)) + message(DELLINK, 4, (45, 2), (49, 9))

    assert moves(batch) == [Moved(3, 0, 3), Moved(4, 2, 9)]


def test_a_removal_is_no_move() -> None:
    """A removal for good names no namespace."""
    assert moves(message(DELLINK, 3)) == []


@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_any_bytes_are_read(data: bytes, cut: int) -> None:
    """Whatever comes, and wherever it is cut off, is read to its end."""
    moves(data)
    moves((message(DELLINK, 3, (45, 1)) + data)[:cut])
