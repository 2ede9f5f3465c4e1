"""Sets of addresses in the kernel, and their filters."""

from ipaddress import IPv6Address

import pytest

from pyloader.monitors import addresses
from pyloader.monitors.addresses import CAPACITY, AddressSet, AddressTable, filter_bit


@pytest.fixture(name="kernel")
def _kernel(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Put dictionaries in the place of the maps."""
    kept: dict[str, object] = {"entries": {}, "filter": ()}
    entries: dict[bytes, bytes] = {}
    kept["entries"] = entries
    monkeypatch.setattr(addresses, "put_entry", lambda _fd, key, value: entries.update({key: value}))
    monkeypatch.setattr(addresses, "drop_entry", lambda _fd, key: entries.pop(key, None))
    monkeypatch.setattr(addresses, "write_numbers", lambda _fd, _at, _layout, *words: kept.update(filter=words))
    return kept


def test_a_set_is_what_it_was_told_last(kernel: dict[str, object]) -> None:
    """Addresses that are not named any more are gone, and the filter passes all that are."""
    table = AddressTable(AddressSet.FOCUS, 3, 4)
    one, two = IPv6Address("::ffff:192.0.2.1").packed, IPv6Address("2001:db8::1").packed
    table.replace({one: 0, two: 5})
    table.replace({two: 5})

    assert kernel["entries"] == {two: (5).to_bytes(8, "little")}
    words = kernel["filter"]
    assert isinstance(words, tuple)
    assert words[filter_bit(two) // 64] >> filter_bit(two) % 64 & 1
    assert sum(word.bit_count() for word in words) == 1


def test_a_full_set(kernel: dict[str, object]) -> None:
    """What is over the capacity is left out and counted."""
    table = AddressTable(AddressSet.BLOCKED, 3, 4)
    table.replace({number.to_bytes(16, "big"): 0 for number in range(CAPACITY + 10)})

    entries = kernel["entries"]
    assert isinstance(entries, dict)
    assert len(entries) == CAPACITY
    assert table.left_out == 10


def test_only_differences_are_written(kernel: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that is in the set already is not written again, and a change that failed is finished later."""
    put: list[bytes] = []
    monkeypatch.setattr(addresses, "put_entry", lambda _fd, key, _value: put.append(key))
    table = AddressTable(AddressSet.FOCUS, 3, 4)
    one, two = IPv6Address("2001:db8::1:0:0:0").packed, IPv6Address("2001:db8::2:0:0:0").packed
    table.replace({one: 0})

    def refuse(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as refusing:
        refusing.setattr(addresses, "write_numbers", refuse)
        with pytest.raises(OSError, match=r"^$"):
            table.replace({one: 0, two: 0})
    table.replace({one: 0, two: 0})

    assert put == [one, two]
    words = kernel["filter"]
    assert isinstance(words, tuple)
    assert sum(word.bit_count() for word in words) == 2
