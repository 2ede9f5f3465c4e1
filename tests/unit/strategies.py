"""Every record that can be, for tests that hold for all of them."""

from typing import Any, get_args, get_type_hints

from hypothesis import strategies as st

from pyloader.records import KERNEL_RECORDS, SENSOR_RECORDS, Elsewhere, OfHost, Record
from pyloader.records.generate import encoding
from pyloader.records.wire import Padded, Unsigned


def field(annotation: object) -> st.SearchStrategy[Any]:
    """Return all values that a field may have on the wire."""
    match encoding(annotation):
        case Unsigned(width):
            return st.integers(0, (1 << 8 * width) - 1)
        case Padded(size):
            return st.binary(max_size=size).map(lambda raw: raw.ljust(size, b"\0"))
        case variable:
            return st.binary(max_size=min(variable.limit, 64))


def records_of(kind: type[Record]) -> st.SearchStrategy[Any]:
    """Return all records of one type."""
    if kind is Elsewhere:
        return st.one_of(*map(records_of, get_args(OfHost))).map(Elsewhere.of)
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{name: field(hints[name]) for name in kind.__struct_fields__})


kernel_records: st.SearchStrategy[Any] = st.one_of(*map(records_of, KERNEL_RECORDS))
any_records: st.SearchStrategy[Any] = st.one_of(*map(records_of, KERNEL_RECORDS + SENSOR_RECORDS))
