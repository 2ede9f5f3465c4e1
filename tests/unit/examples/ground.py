"""What all examples stand on: units of time, the two hosts, and names as the kernel gives them."""

SECOND = 1_000_000_000
MINUTE = 60 * SECOND

HOME = bytes(10) + b"\xff\xff\xc0\x00\x02\x01"
"""192.0.2.1, this host."""

PEER = bytes.fromhex("20010db8") + bytes(11) + b"\x09"
"""2001:db8::9, another host."""


def padded(comm: bytes) -> bytes:
    """Return a name as the kernel gives it: 16 bytes, filled up with NUL."""
    return comm.ljust(16, b"\0")
