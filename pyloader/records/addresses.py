"""What an address is: its 16 bytes as they stand in records, as text, and how far it reaches.

Addresses are chosen by whoever sends packets, and there is one in most records; so what is asked of each of them is
read from its bytes. `ipaddress` says the same, and takes ten times as long.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final

_MAPPED: Final = bytes(10) + b"\xff\xff"
_LOOPBACK: Final = bytes(15) + b"\1"

LOOPBACK: Final = "loopback"
PRIVATE: Final = "private"
PUBLIC: Final = "public"

_LOCAL_BLOCK: Final = 127
_RESERVED: Final = 240
_SPECIAL: Final[dict[int, tuple[tuple[int, int], ...]]] = {
    0: ((24, 0),),
    10: ((24, 10),),
    100: ((22, 100 << 2 | 1),),
    169: ((16, 169 << 8 | 254),),
    172: ((20, 172 << 4 | 1),),
    192: ((16, 192 << 8 | 168), (8, 192 << 16), (8, 192 << 16 | 2)),
    198: ((17, 198 << 7 | 9), (8, 198 << 16 | 51 << 8 | 100)),
    203: ((8, 203 << 16 | 113),),
}
"""The blocks of IPv4 that the internet does not route, by first byte: how many bits are free, and the bits before."""

_SPECIAL_IPV6: Final = (
    (25, 0xFC >> 1),  # Unique local.
    (22, 0xFE80 >> 6),  # Link-local.
    (9, 0x20010000 >> 9),  # Protocol assignments.
    (0, 0x20010DB8),  # Documentation.
)


def address(raw: bytes) -> IPv4Address | IPv6Address:
    """Return the address of a record's field: an IPv4 address stands in it as `::ffff:a.b.c.d`."""
    return IPv4Address(raw[12:]) if raw.startswith(_MAPPED) else IPv6Address(raw)


def address_text(raw: bytes) -> str:
    """Return an address as one writes it: `str(address(raw))`.

    >>> address_text(bytes(10) + bytes([255, 255, 192, 0, 2, 7]))
    '192.0.2.7'
    """
    return ".".join(map(str, raw[12:])) if raw.startswith(_MAPPED) else str(IPv6Address(raw))


@lru_cache(4_096)
def reach(raw: bytes) -> str:
    """Return whether an address is one of this host, of a network of its own, or of the internet.

    The blocks are those of IANA's special-purpose registries (RFC 6890); what carriers share (RFC 6598) counts as
    private, since nobody on the internet has such an address.

    >>> reach(bytes(10) + bytes([255, 255, 192, 168, 0, 1]))
    'private'
    """
    if raw.startswith(_MAPPED):
        first = raw[12]
        if first == _LOCAL_BLOCK:
            return LOOPBACK
        blocks = _SPECIAL.get(first)
        if blocks is None:
            return PRIVATE if first >= _RESERVED else PUBLIC
        number = int.from_bytes(raw[12:])
        return PRIVATE if any(number >> free == block for free, block in blocks) else PUBLIC
    if raw == _LOOPBACK:
        return LOOPBACK
    start = int.from_bytes(raw[:4])
    special = any(start >> free == block for free, block in _SPECIAL_IPV6)
    return PRIVATE if special or not any(raw) else PUBLIC
