"""Sets of addresses that the packet path asks (`bpf/addresses.bpf.h`)."""

from enum import IntEnum

from pyloader.binding import drop_entry, put_entry, write_numbers

_WORDS = 64
"""64-bit words of a filter."""


class AddressSet(IntEnum):
    """Which set; its number is that of its filter."""

    OWN = 0
    FOCUS = 1
    BLOCKED = 2


MAPS = {AddressSet.OWN: "own_addresses", AddressSet.FOCUS: "focus", AddressSet.BLOCKED: "block_list"}

CAPACITY = 4_096
"""As many addresses as a set has room for."""


class AddressTable:
    """One of the sets; the descriptors stay with their owner.

    What is over its capacity is left out, and counted in `left_out`.
    """

    def __init__(self, which: AddressSet, map_fd: int, filters_fd: int) -> None:
        self._which = which
        self._map_fd = map_fd
        self._filters_fd = filters_fd
        self._entries: dict[bytes, int] = {}
        self._is_whole = True
        """Whether the last change was made to the end."""
        self.left_out = 0

    def replace(self, entries: dict[bytes, int]) -> None:
        """Let the set hold these addresses, 16 bytes each, up to the given boot times (ns); 0 is for ever.

        Own addresses have the number of their interface instead. Raises `OSError`.
        """
        kept = dict(list(entries.items())[:CAPACITY])
        self.left_out += len(entries) - len(kept)
        if kept == self._entries and self._is_whole:
            return
        self._is_whole = False
        for address in [address for address in self._entries if address not in kept]:
            drop_entry(self._map_fd, address)
            del self._entries[address]
        for address, value in kept.items():
            if self._entries.get(address) != value:
                put_entry(self._map_fd, address, value.to_bytes(8, "little"))
                self._entries[address] = value
        words = [0] * _WORDS
        for bit in map(filter_bit, kept):
            words[bit // 64] |= 1 << bit % 64
        write_numbers(self._filters_fd, self._which, f"={_WORDS}Q", *words)
        self._is_whole = True


def filter_bit(address: bytes) -> int:
    """Return the bit that stands for an address in a filter: its words folded together, as `passes_filter` does."""
    folded = int.from_bytes(address[:8], "little") ^ int.from_bytes(address[8:], "little")
    folded ^= folded >> 32
    folded ^= folded >> 12
    return folded % (64 * _WORDS)
