"""The order of forward declarations does not depend on the compiler's memory."""

import struct
from itertools import permutations

from bpf.build.btf import with_sorted_forwards

POINTER, FORWARD = 2, 7
NAMES = ("dentry", "inode", "css_set")


def _section(order: tuple[str, ...]) -> bytes:
    """Return BTF with a pointer to each structure, in one order, and then the declarations, in another."""
    strings, offsets = b"\0", {}
    for name in order:
        offsets[name] = len(strings)
        strings += name.encode() + b"\0"
    first = len(NAMES) + 1
    types = [struct.pack("<III", 0, POINTER << 24, first + order.index(name)) for name in NAMES]
    types += [struct.pack("<III", offsets[name], FORWARD << 24, 0) for name in order]
    size = 12 * len(types)
    return struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, size, size, len(strings)) + b"".join(types) + strings


def test_every_order_becomes_the_same() -> None:
    """Sections that differ only in the order of forward declarations and their names come out as the same bytes."""
    results = {with_sorted_forwards(_section(order)) for order in permutations(NAMES)}

    assert results == {_section(tuple(sorted(NAMES)))}


def test_what_is_in_order_stays() -> None:
    """A section whose declarations are in order is not changed."""
    section = _section(tuple(sorted(NAMES)))

    assert with_sorted_forwards(section) == section
